"""Rendered faces with known attributes, pictures that show none, and real face data.

    from lab_utils.faces import Bias, load_faces, render_faces

    train = load_faces("train", bias=Bias(dark_share=0.05))    # a biased training set
    test = load_faces("test")                                  # balanced over skin tones
    train.images, train.labels, train.attributes["skin_tone"]
    row = render_faces(10, seed=3, same_person=True, skin_tone=range(1, 11))

``load_faces`` needs TensorFlow and Pillow; rendering needs numba, which compiles its loops on
first use (seconds) and caches them.
"""

from importlib import import_module
from typing import Any

_HOME = {
    "Bias": "faceset", "FaceSet": "faceset", "TONE_GROUPS": "faceset", "MONK_TONES": "tones",
    "load_faces": "dataset", "render_faces": "produce", "render_nonfaces": "produce",
    "load_celeba": "real", "load_course_faces": "real", "load_fairface": "real",
    "load_utkface": "real",
}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: numba and TensorFlow only when needed."""
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
