"""What comes from outside into grading, notebooks and messages, can be anything."""

import io
import json
import random
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab_utils.grading import wire
from lab_utils.grading.submission import MAX_CODE, Submission, Unreadable, read, understand
from tests.submissions import IMPORTS, PERCEPTRON, VECTORIZE, notebook


def nothing_special(*arguments):
    return None


def refuse(tag, rest, decoder):
    raise wire.WireError(tag)


def there_and_back(value):
    """``value`` after a journey."""
    encoder, file = wire.Encoder(nothing_special), io.BytesIO()
    tree = encoder.encode(value)
    wire.send(file, {"value": tree}, encoder.arrays)
    file.seek(0)
    message, data = wire.receive(file)
    return wire.Decoder(data, refuse).decode(message["value"])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2 ** 62, 2 ** 62) | st.floats(allow_nan=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner)
    | st.dictionaries(st.text(max_size=4), inner, max_size=3), max_leaves=20)


@settings(max_examples=200)
@given(VALUES)
def test_values_arrive_as_they_were(value):
    assert there_and_back(value) == value


@pytest.mark.parametrize("array", [
    np.zeros((0, 3)), np.float32(2.5), np.arange(6).reshape(2, 3)[:, ::-1], np.array(["ab", "c"]),
    np.array(7), np.array([True, False]), np.ones((2, 2), "float16") * 1j,
], ids=str)
def test_arrays_arrive_as_they_were(array):
    arrived = there_and_back([array])[0]
    assert type(arrived) is type(array) and arrived.dtype == np.asarray(array).dtype
    np.testing.assert_array_equal(arrived, array)


def test_an_array_that_is_too_large_arrives_as_its_shape():
    arrived = there_and_back(np.broadcast_to(np.float32(1), (1 << 15, 1 << 15)))
    assert arrived.shape == (1 << 15, 1 << 15) and arrived.strides == (0, 0)


def test_objects_do_not_travel():
    class Odd:
        def __reduce__(self):
            return exec, ("raise SystemExit",)

    for value in (Odd(), [Odd()], np.array([Odd()], dtype=object)):
        with pytest.raises(wire.WireError):
            there_and_back(value)


def test_damaged_messages_are_refused():
    encoder, file = wire.Encoder(nothing_special), io.BytesIO()
    tree = encoder.encode({"a": np.arange(5.0), "b": [1, (2, "x")]})
    wire.send(file, {"value": tree}, encoder.arrays)
    whole, rng = file.getvalue(), random.Random(3)
    for _ in range(3000):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            message, arrays = wire.receive(io.BytesIO(bytes(data)))
            wire.Decoder(arrays, refuse).decode(message.get("value"))
        except (wire.WireError, EOFError):
            pass
    with pytest.raises(wire.WireError):
        wire.receive(io.BytesIO(struct.pack(">II", 2 ** 31, 0)))


FORMS = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from(["array", "scalar", "huge", "list", "tuple", "dict", "<f8", "<U4", "tensor"]),
    lambda inner: st.lists(inner, max_size=5), max_leaves=25)


@settings(max_examples=300)
@given(FORMS, st.binary(max_size=40))
def test_any_tree_is_a_value_or_refused(form, data):
    try:
        wire.Decoder(data, refuse).decode(form)
    except wire.WireError:
        pass


# ---- notebooks -----------------------------------------------------------------------------

ODD = [None, True, 7, -1.5, "", "x", [], {}, [None], {"a": []}, "\ud800", "(" * 3000, "\x00",
       "def perceptron(:", "%%bash\nrm", "x = " + "-" * 2000 + "1", "\n" * 1000, "if 1:\n\tx\n  y",
       "class vectorize(vectorize): pass", "lambda: (yield)", "nonlocal x", "return 5", "f'{'",
       "from __future__ import nothing", "a" + ".b" * 3000, "1" * 5000, "[" * 90 + "]" * 90]


def mutated(rng, cells):
    """The bytes of a notebook with something wrong: in its text, its values or its structure."""
    book = {"cells": rng.sample(cells, rng.randint(0, min(6, len(cells)))), "metadata": {},
            "nbformat": 4, "nbformat_minor": 5}
    book = json.loads(json.dumps(book))
    for _ in range(rng.randint(0, 3)):
        place, keys = book, []
        while isinstance(place, (dict, list)) and place:
            keys.append(place)
            key = rng.choice(list(place) if isinstance(place, dict) else range(len(place)))
            if rng.random() < 0.3 or not isinstance(place[key], (dict, list)):
                break
            place = place[key]
        if isinstance(place, (dict, list)) and place:
            if isinstance(place[key], str) and rng.random() < 0.5 and place[key]:
                cut = rng.randrange(len(place[key]))
                place[key] = place[key][:cut] + str(rng.choice(ODD)) + place[key][cut + 1:]
            elif rng.random() < 0.2:
                del place[key]
            else:
                place[key] = rng.choice(ODD)
    data = bytearray(json.dumps(book).encode())
    if rng.random() < 0.3:
        for _ in range(rng.randint(1, 5)):
            data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data[:rng.randrange(len(data))] if rng.random() < 0.1 else data)


@pytest.mark.slow
def test_no_mutated_notebook_breaks_the_reading():
    cells = json.loads(notebook([IMPORTS, PERCEPTRON, VECTORIZE, "%time f(1)", "!ls",
                                 "x = perceptron(1, 2, 3)"]))["cells"]
    for path in sorted((Path(__file__).parent.parent / "labs").glob("lab*.ipynb")):
        cells += json.loads(path.read_text(encoding="utf-8"))["cells"]
    rng, understood = random.Random(2026), 0
    for number in range(5000):
        data = mutated(rng, cells)
        try:
            submission = understand(Path("mutated.ipynb"), data)
        except Unreadable as error:
            assert str(error).startswith("this "), number
        else:
            understood += 1
            assert all(submission.cells[index] is not None for index in submission.checks.values())
            submission.result({}, [], 0, 0.0)
    assert 1000 < understood < 5000


def test_files_that_are_too_large_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "lab2_a.ipynb"
    path.write_text(notebook(["x = 1\n" * MAX_CODE]))
    with pytest.raises(Unreadable, match="characters of code"):
        read(path)
    monkeypatch.setattr("lab_utils.grading.submission.MAX_FILE", 10)
    with pytest.raises(Unreadable, match="larger than"):
        read(path)
    result = Submission.unreadable(path, "no").result({}, ["no"], 0, 0.0)
    assert result["lab"] == "lab2" and result["earned"] == 0 and result["points"] > 90


def test_a_notebook_of_another_lab_is_told_by_its_answers(tmp_path):
    cells = ["def kl_divergence(mu, log_var):\n    return 0", "def vae_loss(*a):\n    return 0"]
    assert understand(Path("homework.ipynb"), notebook(cells).encode()).lab == "lab2"
    assert understand(Path("Ada_LAB3.ipynb"), notebook(cells).encode()).lab == "lab3"
