"""How values travel between the process of a submission and the one that judges it.

A message is a JSON text and the bytes of the arrays that it names. What comes in is only ever
read as numbers and text: nothing is executed or unpickled, and sizes are bounded.
"""

import json
import math
import re
import struct
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

HEAD = struct.Struct(">II")       # length of the JSON text, length of the arrays
MAX_TEXT, MAX_BYTES = 2 ** 24, 2 ** 28
MAX_NODES, MAX_DEPTH, MAX_ELEMENTS = 50_000, 12, 2 ** 23
_DTYPE = re.compile(r"[<>|=]?(f[248]|[iu][1248]|b1|c(8|16)|U\d{1,4})")


class WireError(Exception):
    """What came is no message."""


def send(file: BinaryIO, tree: dict, arrays: list[np.ndarray]) -> None:
    """Write one message: a tree that JSON can hold, and its arrays."""
    text = json.dumps(tree).encode()
    data = b"".join(array.tobytes() for array in arrays)
    file.write(HEAD.pack(len(text), len(data)) + text + data)
    file.flush()


def receive(file: BinaryIO) -> tuple[dict, bytes]:
    """Read one message: its tree and the bytes of its arrays.

    Raises:
        EOFError: if the other side is gone.
        WireError: if it is no message.
    """
    text_size, data_size = HEAD.unpack(_exactly(file, HEAD.size))
    if text_size > MAX_TEXT or data_size > MAX_BYTES:
        raise WireError("a message larger than allowed")
    try:
        tree = json.loads(_exactly(file, text_size))
    except (ValueError, RecursionError) as error:
        raise WireError("a message that is no JSON") from error
    if not isinstance(tree, dict):
        raise WireError("a message that is no object")
    return tree, _exactly(file, data_size)


def _exactly(file: BinaryIO, size: int) -> bytes:
    parts = []
    while size:
        part = file.read(min(size, 2 ** 20))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class Encoder:
    """Turns values into a tree and a list of arrays.

    Args:
        special: given a value, returns what stands for it, a list that begins with a tag, or None.
    """

    def __init__(self, special: Callable[[Any, "Encoder"], list | None]):
        self.arrays: list[np.ndarray] = []
        self._special = special
        self._nodes = self._bytes = 0

    def encode(self, value, depth: int = 0):
        """What stands for ``value``; what has no form of its own goes by its type's name."""
        self._nodes += 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            return ["object", -1, "other", "a collection too large or too deep"]
        if value is None or isinstance(value, bool):
            return value
        if type(value) in (int, float):
            return value if type(value) is float or abs(value) < 2 ** 63 else [
                "object", -1, "other", "int"]
        if isinstance(value, str):
            return str(value)[:100_000]
        form = self._special(value, self)
        if form is not None:
            return form
        if isinstance(value, np.ndarray):
            return self.array("array", value)
        if isinstance(value, np.generic):
            return self.array("scalar", np.asarray(value))
        if isinstance(value, (list, tuple)):
            if len(value) > 100 and all(type(item) in (int, float) for item in value):
                return self.array("array", np.array(value))
            return ["tuple" if isinstance(value, tuple) else "list",
                    [self.encode(item, depth + 1) for item in list(value)[:MAX_NODES]]]
        if isinstance(value, dict):
            return ["dict", [[self.encode(key, depth + 1), self.encode(item, depth + 1)]
                             for key, item in list(value.items())[:MAX_NODES]]]
        return ["object", -1, "other", type(value).__name__[:80]]

    def array(self, tag: str, array: np.ndarray) -> list:
        """Put an array on the list; one that is too large is told by its shape only."""
        array = np.asarray(array)
        if not _DTYPE.fullmatch(array.dtype.str):
            return ["object", -1, "other", f"array of {array.dtype}"[:80]]
        if array.size > MAX_ELEMENTS or self._bytes + array.nbytes > MAX_BYTES:
            return ["huge", array.dtype.str, list(array.shape)]
        array = np.ascontiguousarray(array).reshape(array.shape)
        place, self._bytes = self._bytes, self._bytes + array.nbytes
        self.arrays.append(array)
        return [tag, array.dtype.str, list(array.shape), place]


class Decoder:
    """Turns a tree and the bytes of its arrays into values.

    Args:
        data: the bytes.
        special: given a tag, its arguments and the decoder, returns the value; raises WireError
            for a tag that it does not know.
    """

    def __init__(self, data: bytes, special: Callable[[str, list, "Decoder"], Any]):
        self._data, self._special, self._bytes = data, special, 0

    def decode(self, form, depth: int = 0):
        """The value of ``form``.

        Raises:
            WireError: if it stands for nothing.
        """
        if depth > MAX_DEPTH + 1:
            raise WireError("a value too deep")
        if form is None or isinstance(form, (bool, int, float, str)):
            return form
        if not isinstance(form, list) or not form or not isinstance(form[0], str):
            raise WireError("a value of no known form")
        tag, *rest = form
        try:
            if tag in ("array", "scalar", "tensor", "huge"):
                return self._array(tag, *rest)
            if tag in ("list", "tuple"):
                items = [self.decode(item, depth + 1) for item in rest[0]]
                return items if tag == "list" else tuple(items)
            if tag == "dict":
                return {self.decode(key, depth + 1): self.decode(item, depth + 1)
                        for key, item in rest[0]}
            return self._special(tag, rest, self)
        except (TypeError, ValueError, IndexError, KeyError, OverflowError) as error:
            raise WireError(f"a {tag} that cannot be read") from error

    def _array(self, tag: str, dtype: str, shape: list, place: int = 0):
        if not _DTYPE.fullmatch(dtype) or len(shape) > 16 or not all(
                type(n) is int and 0 <= n < 2 ** 40 for n in shape):
            raise WireError("an array of no known form")
        kind, size = np.dtype(dtype), math.prod(shape)
        if tag == "huge":
            if size >= 2 ** 60:
                raise WireError("an array of no size")
            return np.broadcast_to(np.zeros((), kind), shape)
        length = size * kind.itemsize
        self._bytes += length
        if type(place) is not int or place < 0 or self._bytes > len(self._data):
            raise WireError("an array outside of its message")
        array = np.frombuffer(self._data[place:place + length], kind).reshape(shape).copy()
        if tag == "tensor":
            return self._special(tag, [array], self)
        return array[()] if tag == "scalar" else array
