"""What runs in the process of one submission: its cells, and calls of what they define.

Nothing that is said here is believed to be more than the result of a call; the checks, the numbers
they expect and the score are in another process (``examiner``). The modules with the checks are
never loaded here.
"""

import builtins
import json
import linecache
import os
import sys
import types
from typing import BinaryIO

import numpy as np
from IPython.core.inputtransformer2 import TransformerManager

from . import confine, guard, probes, wire

CELL_SECONDS = 60.0


class _NoMagics:
    """Stands in for IPython: a magic does nothing."""

    def __getattr__(self, name):
        return lambda *args, **kwargs: None


class Student:
    """Answers the examiner's requests, one after the other."""

    def __init__(self):
        self.space = {"__name__": "__main__", "__builtins__": builtins, "get_ipython": _NoMagics}
        module = types.ModuleType("__main__")
        module.__dict__.update(self.space)
        self.space = module.__dict__
        sys.modules["__main__"] = module   # where pickle and dataclasses look names up
        self._objects: list = []
        self._compiled: dict = {}
        self._models: dict = {}

    def serve(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        """Reply to requests until the other side is gone."""
        while True:
            try:
                request, data = wire.receive(incoming)
            except (EOFError, wire.WireError):
                return
            encoder = wire.Encoder(self._encode)
            try:
                reply = getattr(self, f"_do_{request['do']}")(request, data, encoder)
            except guard.Todo:
                reply = {"todo": True}
            except guard.Failed as failure:
                reply = {"failed": str(failure)}
            except BaseException as error:   # an object too odd to be told
                encoder = wire.Encoder(self._encode)
                reply = {"failed": f"{type(error).__name__}: {error}"[:200]}
            wire.send(outgoing, reply, encoder.arrays)

    # ---- requests --------------------------------------------------------------------------

    def _do_cell(self, request: dict, data: bytes, encoder) -> dict:
        """Run one cell; replies why it did not run to its end, and which names there are."""
        name, note = f"<cell {request['index']}>", ""
        try:
            source = TransformerManager().transform_cell(request["text"])
            linecache.cache[name] = len(source), None, source.splitlines(True), name
            guard.call(exec, compile(source, name, "exec"), self.space, seconds=CELL_SECONDS)
        except guard.Todo:
            pass
        except guard.Failed as failure:
            note = str(failure)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            note = f"{type(error).__name__}: {error}"[:200]
        return {"note": note, "names": [name for name in request["names"] if name in self.space]}

    def _do_call(self, request: dict, data: bytes, encoder) -> dict:
        """Call an answer, or an object that it made; replies what it returns and changes."""
        models: list = []
        decoder = wire.Decoder(data, lambda tag, rest, within:
                               self._decode(tag, rest, within, models))
        args, kwargs = decoder.decode(request["args"]), decoder.decode(request["kwargs"])
        before = [arg.copy() if isinstance(arg, np.ndarray) else None for arg in args]
        function = self._target(request)
        reply = {}
        if request.get("wrt") is None:
            value = guard.call(function, *args, **kwargs)
        else:
            value, gradients = guard.call(probes.differentiate, function,
                                          tuple(request["wrt"]), request.get("pick"), *args)
            reply["gradients"] = [encoder.encode(gradient) for gradient in gradients]
        reply["value"] = guard.call(encoder.encode, value)
        reply["changed"] = [[index, encoder.encode(args[index])]
                            for index, old in enumerate(before)
                            if old is not None and not np.array_equal(args[index], old)]
        reply["drawn"] = [[index, arg.bit_generator.state] for index, arg in enumerate(args)
                          if isinstance(arg, np.random.Generator)]
        reply["models"] = [[number, [encoder.encode(np.asarray(weight))
                                     for weight in model.get_weights()]]
                           for number, model in models]
        return reply

    def _do_look(self, request: dict, data: bytes, encoder) -> dict:
        """Shapes of a model's or layer's weights, its input and number of parameters."""
        thing = self._objects[request["object"]]
        shape = getattr(thing, "input_shape", None)
        return {"trainable": [list(weight.shape) for weight in thing.trainable_weights],
                "input": list(shape) if isinstance(shape, tuple) else None,
                "parameters": int(sum(np.prod(weight.shape) for weight in thing.weights))}

    def _do_get(self, request: dict, data: bytes, encoder) -> dict:
        return {"value": encoder.encode([np.asarray(weight) for weight in self._weights(request)])}

    def _do_set(self, request: dict, data: bytes, encoder) -> dict:
        decoder = wire.Decoder(data, lambda tag, rest, within:
                               self._decode(tag, rest, within, []))
        values, weights = decoder.decode(request["values"]), self._weights(request)
        for weight, value in zip(weights, values, strict=True):
            weight.assign(value)
        return {}

    def _weights(self, request: dict) -> list:
        thing = self._objects[request["object"]]
        weights = thing.trainable_weights if request["trainable"] else thing.weights
        return weights if request["index"] is None else [weights[request["index"]]]

    # ---- values ----------------------------------------------------------------------------

    def _target(self, request: dict):
        kind, key = request["target"]
        function = self.space[key] if kind == "name" else self._objects[key]
        if not request.get("compiled"):
            return function
        import tensorflow as tf

        if key not in self._compiled:
            self._compiled[key] = tf.function(lambda *args: function(*args))
        return self._compiled[key]

    def _encode(self, value, encoder: wire.Encoder) -> list | None:
        import keras
        import tensorflow as tf

        if isinstance(value, types.GeneratorType):
            return ["generator"]
        if isinstance(value, (keras.Model, keras.layers.Layer)):
            self._objects.append(value)
            kind = "model" if isinstance(value, keras.Model) else "layer"
            return ["object", len(self._objects) - 1, kind, type(value).__name__[:80]]
        if isinstance(value, (list, tuple, dict, np.ndarray, np.generic)):
            return None
        if isinstance(value, (tf.Tensor, tf.Variable, tf.RaggedTensor, tf.IndexedSlices)
                      ) or hasattr(value, "__array__"):
            try:
                array = np.asarray(value)
            except Exception as error:
                return ["object", -1, "other", type(value).__name__[:80], str(error)[:150]]
            return encoder.array("array", array)
        return None

    def _decode(self, tag: str, rest: list, decoder: wire.Decoder, models: list):
        import keras
        import tensorflow as tf

        if tag == "tensor":
            return tf.constant(rest[0])
        if tag == "rng":
            rng = np.random.default_rng()
            rng.bit_generator.state = rest[0]
            return rng
        if tag == "probe":
            name, arguments = rest
            return (probes.FUNCTIONS[name] if arguments is None
                    else probes.MAKERS[name](*decoder.decode(arguments)))
        if tag == "model":
            number, text, weights = rest
            if number not in self._models:
                self._models[number] = keras.models.model_from_json(text)
            model = self._models[number]
            model.set_weights(decoder.decode(weights))
            models.append((number, model))
            return model
        if tag == "optimizer":
            optimizer = keras.optimizers.deserialize(json.loads(rest[0]))
            optimizer.build(models[-1][1].trainable_variables)
            return optimizer
        raise wire.WireError(f"there is no {tag}")


def main() -> None:
    """Where processes are started, not forked: serve over what were stdin and stdout."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    silence()
    confine.limit(float(sys.argv[1]), float(sys.argv[2]), 512)
    confine.refuse_sockets()
    from ..quiet import quiet_start
    with quiet_start():
        import keras  # noqa: F401
        import tensorflow  # noqa: F401
    Student().serve(incoming, outgoing)


def silence() -> None:
    """What a submission prints goes nowhere."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    os.close(nothing)


if __name__ == "__main__":
    main()
