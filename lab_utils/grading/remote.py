"""What a submission defined, as the examiner sees it: calls go over to the student's process.

A check gets a ``RemoteFunction`` in the place of a function, and for a model or layer that it
returns a ``RemoteModel``. Whatever comes back is numbers and text.
"""

import copy
import json
import math
import threading
import time
from collections.abc import Callable
from typing import BinaryIO

import numpy as np

from . import guard, probes, wire

REPLY_SECONDS = 60.0   # one request, if the cell has as much left


class Ended(guard.Failed):
    """The student's process is gone; the message says why."""


class Session:
    """Requests to the process of one submission, each with a reply.

    Args:
        incoming, outgoing: what the process writes, what it reads.
        kill: ends the process.
        why: says how it ended, for a message; empty if it is not known.
        close: ends it, if need be, and waits until nothing of it is left.
    """

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO, kill: Callable[[], None],
                 why: Callable[[], str], close: Callable[[], None]):
        self.close = close
        self.ended: str | None = None
        self.deadline = float("inf")
        self._files = incoming, outgoing
        self._kill, self._why = kill, why
        self._models: dict[int, tuple] = {}

    def request(self, encoder: wire.Encoder | None = None, /, **tree) -> tuple[dict, bytes]:
        """Send a request and wait for the reply.

        Raises:
            Ended: if the process is gone, does not reply in time, or replies what is no message.
            guard.Todo, guard.Failed: as it says.
        """
        if self.ended is not None:
            raise Ended(self.ended)
        late = threading.Event()
        seconds = min(self.deadline - time.monotonic(), REPLY_SECONDS + tree.get("seconds", 0))
        timer = threading.Timer(max(seconds, 0.01), lambda: (late.set(), self._kill()))
        timer.daemon = True
        timer.start()
        try:
            wire.send(self._files[1], tree, encoder.arrays if encoder else [])
            reply, data = wire.receive(self._files[0])
        except wire.WireError as error:
            self._kill()
            self.ended = f"its process sent {error}"
        except (EOFError, OSError, ValueError):
            self.ended = "it ran longer than allowed and was stopped" if late.is_set() else (
                self._why() or "Python ended here (crash, exit, or out of memory)")
            self._kill()
        finally:
            timer.cancel()
        if self.ended is not None:
            raise Ended(self.ended)
        if reply.get("todo"):
            raise guard.Todo
        if "failed" in reply:
            raise guard.Failed(str(reply["failed"])[:400])
        return reply, data

    def call(self, target: list, args: tuple, kwargs: dict, **more):
        """The value of a call; arrays, models and generators among ``args`` change as there.

        With ``wrt`` in ``more``: the value, and gradients.
        """
        encoder = wire.Encoder(self._encode)
        reply, data = self.request(encoder, do="call", target=target, args=encoder.encode(args),
                                   kwargs=encoder.encode(kwargs), **more)
        decoder = wire.Decoder(data, self._decode)
        try:
            self._take_over(reply, decoder, args)
            value = decoder.decode(reply["value"])
            if more.get("wrt") is None:
                return value
            return value, [None if form is None else np.asarray(decoder.decode(form))
                           for form in reply["gradients"]]
        except (wire.WireError, TypeError, ValueError, KeyError, IndexError, AttributeError,
                OverflowError) as error:
            raise guard.Failed(f"its process sent what cannot be read ({error})"[:200]) from None

    def _take_over(self, reply: dict, decoder: wire.Decoder, args: tuple) -> None:
        for index, form in reply["changed"]:
            args[index][...] = decoder.decode(form)
        for index, state in reply["drawn"]:
            now = copy.deepcopy(args[index].bit_generator.state)
            now["state"] = {name: int(state["state"][name]) for name in now["state"]}
            args[index].bit_generator.state = now
        models = dict(self._models.values())
        for number, weights in reply["models"]:
            models[number].set_weights([decoder.decode(form) for form in weights])

    # ---- values ----------------------------------------------------------------------------

    def _encode(self, value, encoder: wire.Encoder) -> list | None:
        import keras
        import tensorflow as tf

        if isinstance(value, (tf.Tensor, tf.Variable)):
            return encoder.array("tensor", np.asarray(value))
        if isinstance(value, np.random.Generator):
            return ["rng", value.bit_generator.state]
        if isinstance(value, keras.Model):
            known = self._models.setdefault(id(value), (len(self._models), value))
            return ["model", known[0], value.to_json(),
                    ["list", [encoder.array("array", weight) for weight in value.get_weights()]]]
        if isinstance(value, keras.optimizers.Optimizer):
            return ["optimizer", json.dumps(keras.optimizers.serialize(value))]
        for name, function in probes.FUNCTIONS.items():
            if value is function:
                return ["probe", name, None]
        for name, maker in probes.MAKERS.items():
            if type(value) is maker:
                return ["probe", name, encoder.encode(value.arguments)]
        if not isinstance(value, (list, tuple, dict, np.ndarray, np.generic)):
            raise TypeError(f"a check hands over a {type(value).__name__}")
        return None

    def _decode(self, tag: str, rest: list, decoder: wire.Decoder):
        if tag == "generator":
            return (_ for _ in ())
        if tag == "object":
            number, kind, name, *reason = rest
            if kind in ("model", "layer") and type(number) is int:
                return type(_name(name), (RemoteModel,), {})(self, number, kind)
            return type(_name(name), (Foreign,), {})(str(reason[0]) if reason else "")
        raise wire.WireError("a value of no known form")


def _shape(shape) -> tuple[int, ...]:
    """A shape of believable size: numbers of it will be drawn."""
    if not (isinstance(shape, list) and all(type(n) is int and n >= 0 for n in shape)
            and math.prod(shape) <= wire.MAX_ELEMENTS):
        raise guard.Failed(f"it has an array of shape {shape}"[:200])
    return tuple(shape)


def _name(text) -> str:
    return "".join(c for c in str(text)[:80] if c.isalnum() or c in "_ .") or "object"


class Foreign:
    """Stands for a value that is neither numbers nor text; only its type's name is known."""

    def __init__(self, reason: str):
        self._reason = reason

    def __array__(self, dtype=None, copy=None):
        raise TypeError(self._reason or "it holds no numbers")


class RemoteFunction(guard.Guarded):
    """An answer in the student's process."""

    def __init__(self, session: Session, target: list, **how):
        self._session, self._target, self._how = session, target, how

    def __call__(self, *args, **kwargs):
        return self._session.call(self._target, args, kwargs, **self._how)

    def compiled(self) -> "RemoteFunction":
        """The same under ``tf.function``."""
        return RemoteFunction(self._session, self._target, compiled=True)

    def differentiated(self, wrt: tuple[int, ...], pick: int | None) -> "RemoteFunction":
        """``probes.differentiate`` of it."""
        return RemoteFunction(self._session, self._target, wrt=list(wrt), pick=pick)


class RemoteModel(RemoteFunction):
    """A Keras model or layer in the student's process; as much of one as checks need."""

    def __init__(self, session: Session, number: int, kind: str):
        super().__init__(session, ["object", number])
        self._number, self.kind = number, kind

    def _look(self) -> dict:
        reply, _ = self._session.request(do="look", object=self._number)
        return reply

    def _get(self, trainable: bool, index: int | None = None) -> list[np.ndarray]:
        reply, data = self._session.request(do="get", object=self._number, trainable=trainable,
                                            index=index)
        try:
            return [np.asarray(value) for value in
                    wire.Decoder(data, self._session._decode).decode(reply.get("value"))]
        except (wire.WireError, TypeError) as error:
            raise guard.Failed(f"its weights cannot be read ({error})"[:200]) from None

    def _set(self, values: list, trainable: bool, index: int | None = None) -> None:
        encoder = wire.Encoder(lambda value, encoder: None)
        self._session.request(encoder, do="set", object=self._number, trainable=trainable,
                              index=index, values=encoder.encode(list(values)))

    @property
    def trainable_weights(self) -> list["RemoteVariable"]:
        """Its trainable variables."""
        shapes = self._look().get("trainable")
        if not isinstance(shapes, list) or len(shapes) > 1000:
            raise guard.Failed("its weights have no shapes")
        return [RemoteVariable(self, index, _shape(shape)) for index, shape in enumerate(shapes)]

    trainable_variables = trainable_weights

    def get_weights(self) -> list[np.ndarray]:
        """As in Keras."""
        return self._get(trainable=False)

    def set_weights(self, weights: list) -> None:
        """As in Keras."""
        self._set(weights, trainable=False)

    def count_params(self) -> int:
        """As in Keras."""
        number = self._look().get("parameters")
        if type(number) is not int:
            raise guard.Failed("its parameters cannot be counted")
        return number

    @property
    def input_shape(self) -> tuple:
        """As in Keras."""
        shape = self._look().get("input")
        if not isinstance(shape, list) or not shape:
            raise guard.Failed("it has no input shape: build it, or give it a keras.Input")
        if shape[0] is None and None in shape[1:]:
            return tuple(None if n is None else int(n) for n in shape)
        return (None, *_shape(shape[1:]))


class RemoteVariable:
    """A weight of a ``RemoteModel``."""

    def __init__(self, model: RemoteModel, index: int, shape: tuple[int, ...]):
        self._model, self._index, self.shape = model, index, shape

    def assign(self, value) -> None:
        """As in Keras."""
        self._model._set([np.asarray(value)], trainable=True, index=self._index)

    def __array__(self, dtype=None, copy=None):
        value = self._model._get(trainable=True, index=self._index)[0]
        return value if dtype is None else value.astype(dtype)


