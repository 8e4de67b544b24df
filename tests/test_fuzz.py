"""A few random inputs each time; all of them with ``python -m tests.fuzz``.

``FUZZ_EXAMPLES`` sets how many. The examples are the same at every run (``derandomize``).
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzz.damage import KINDS, damages, pristine, try_file
from tests.fuzz.tunes import like_abc, try_text, untrained

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
pytestmark = pytest.mark.slow
few = settings(max_examples=EXAMPLES, derandomize=True, deadline=None, database=None,
               phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck))


@pytest.mark.timeout(60 + EXAMPLES * 5)
def test_text_like_abc_is_told_why_or_heard_and_drawn():
    @few
    @given(like_abc())
    def check(text):
        outcomes.append(try_text(text))

    outcomes = []
    untrained()             # its seeds are set outside the strategies
    try_text("K:G\nABc")   # what is imported late is no part of an example's time
    check()
    assert {"no tune", "heard and drawn"} <= set(outcomes)


@pytest.mark.timeout(60 + EXAMPLES * 5)
def test_damaged_files_are_read_or_told():
    @few
    @given(damages())
    def check(case):
        outcomes.append(try_file(case))

    outcomes = []
    for kind in KINDS:
        pristine(kind)
    check()
    assert any("refused" in outcome for outcome in outcomes)
