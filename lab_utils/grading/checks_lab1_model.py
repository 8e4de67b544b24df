"""Checks of Lab 1, the character model: build, loss, training step, sampling."""

import numpy as np

from .checker import Checker


def softmax(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def cross_entropy(labels: np.ndarray, logits: np.ndarray) -> float:
    """Mean cross-entropy in nats."""
    log_prob = np.log(softmax(logits.astype("float64")))
    return float(-np.take_along_axis(log_prob, labels[..., None], axis=-1).mean())


def build_model(answer, check: Checker) -> None:
    """(batch, time) ids to (batch, time, vocabulary) logits."""
    model = check.call("it builds", answer, 11, 6, 9)
    if not check.that("it returns a Keras model", check.is_a(model, "model"), "a keras.Model",
                      type(model).__name__, "Return keras.Sequential([...]) or keras.Model(...)."):
        return
    ids = check.rng.integers(0, 11, (3, 7))
    logits = None
    for batch, time in ((3, 7), (1, 1), (5, 20)):
        logits = check.call(f"it reads ids of shape ({batch}, {time})", model,
                            check.rng.integers(0, 11, (batch, time)))
        check.array(f"ids of shape ({batch}, {time}) give shape ({batch}, {time}, 11)", logits,
                    (batch, time, 11), "One vector of logits at every step: return_sequences=True; "
                    "leave batch and length open in keras.Input((None,)).")
    check.that("any batch and length give (batch, time, vocab)", True)
    shapes = [tuple(weight.shape) for weight in model.trainable_weights]
    check.that("the embedding has shape (vocab_size, embedding_dim) = (11, 6)", (11, 6) in shapes,
               "(11, 6) among the weights", str(shapes[:3]), "keras.layers.Embedding(vocab_size, "
               "embedding_dim)")
    check.that("the recurrent layer has 9 units", any(shape[0] == 9 and len(shape) == 2
               and shape[1] in (9, 18, 27, 36) for shape in shapes), "a (9, 9 gates) matrix",
               str(shapes), "Use rnn_units.")
    check.that("the outputs are logits, not probabilities", not_probabilities(
               model, check.rng.integers(0, 11, (2, 5)), check),
               "any real numbers", "rows that sum to 1 and are never negative",
               "No softmax in the model: the loss and the sampling take logits.")
    base = np.asarray(check.call("it reads", model, ids))
    later, earlier = ids.copy(), ids.copy()
    later[:, 4:] = (later[:, 4:] + 1) % 11
    earlier[:, 0] = (earlier[:, 0] + 1) % 11
    check.close("a step does not see the steps after it", np.asarray(model(later))[:, :4],
                base[:, :4], "A model that reads ahead cannot write.", 1e-5)
    check.that("a step remembers the steps before it",
               np.abs(np.asarray(model(earlier))[:, 3] - base[:, 3]).max() > 1e-7,
               "other logits after another beginning", "the same logits",
               "Is there a recurrent layer?")
    check.close("the same input gives the same output twice", np.asarray(model(ids)), base,
                "No state may leak from one call to the next: stateful=False.", 1e-5)


def not_probabilities(model, inputs: np.ndarray, check: Checker, pick=lambda outputs: outputs
                      ) -> bool:
    """Whether outputs are logits: with large weights some are negative or do not sum to 1."""
    kept = model.get_weights()
    model.set_weights([3 * check.normal(*weight.shape) for weight in kept])
    rows = np.asarray(pick(model(inputs)))
    model.set_weights(kept)
    return bool((rows < 0).any() or np.abs(rows.sum(axis=-1) - 1).max() > 1e-3)


def compute_loss(answer, check: Checker) -> None:
    """Mean cross-entropy from logits, in nats."""
    labels = check.rng.integers(0, 7, (4, 5))
    value = check.call("uniform logits", answer, labels, np.zeros((4, 5, 7), "float32"))
    value = check.array("the loss is one number", value, (), hint="Take the mean over all steps.")
    check.close("uniform logits over 7 characters give ln 7 = 1.9459", value, np.log(7),
                "Mean, not sum; natural logarithm; logits, not probabilities.")
    logits = 3 * check.normal(4, 5, 7)
    value = check.call("random logits", answer, labels, logits)
    check.close("it is the mean of -log softmax(logits)[label]", value,
                cross_entropy(labels, logits), "from_logits=True, and no softmax before it.")
    twice = check.call("a doubled batch", answer, np.concatenate([labels, labels]),
                       np.concatenate([logits, logits]))
    check.close("doubling the batch does not change it", twice, cross_entropy(labels, logits),
                "Mean, not sum.")
    large = np.zeros((4, 5, 7), "float32")
    large[..., 0] = 1000
    value = check.call("logits of 1000", answer, labels, large)
    check.close("logits of 1000 do not overflow", value, 1000 * float((labels != 0).mean()),
                "Let the library take the log of the softmax: from_logits=True.")


def train_step(answer, check: Checker) -> None:
    """One update with the gradient clipped by its global norm; the loss before it."""
    import keras
    import tensorflow as tf

    x, y = check.rng.integers(0, 6, (3, 8)), check.rng.integers(0, 6, (3, 8))

    def try_it(title, clip_norm):
        # One-hot, not a trained embedding: the norm of an embedding's sparse gradient is
        # another one in TensorFlow's clipping, and either is right.
        model = keras.Sequential([keras.Input((None,), dtype="int32"), keras.layers.Embedding(
            6, 6, trainable=False), keras.layers.Dense(4, use_bias=False), keras.layers.Dense(6)])
        model.layers[0].set_weights([np.eye(6, dtype="float32")])
        for variable in model.trainable_variables:
            variable.assign(check.normal(*variable.shape))
        before = [tf.constant(w) for w in model.trainable_variables]
        with tf.GradientTape() as tape:
            wanted = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(
                y, model(x), from_logits=True))
        gradients = [tf.convert_to_tensor(g) for g in
                     tape.gradient(wanted, model.trainable_variables)]
        norm = float(tf.linalg.global_norm(gradients))
        optimizer = keras.optimizers.SGD(1.0)
        optimizer.build(model.trainable_variables)
        loss = check.call(title, answer, model, optimizer, tf.constant(x), tf.constant(y),
                          clip_norm * norm)
        step = [(old - new).numpy() for old, new in
                zip(before, model.trainable_variables, strict=True)]
        return loss, float(wanted), step, [g.numpy() for g in gradients], norm

    loss, wanted, step, gradients, norm = try_it("it runs", 100.0)
    check.close("it returns the loss before the update", check.array("the loss is one number", loss,
                ()), wanted, "Return the loss that the tape recorded, and let compute_loss be the "
                "one above.")
    check.that("the weights change", max(np.abs(s).max() for s in step) > 0, "new weights",
               "the same weights", "optimizer.apply_gradients(zip(gradients, variables))")
    flat, wanted_step = (np.concatenate([a.ravel() for a in part]) for part in (step, gradients))
    check.close("a gradient shorter than clip_norm is used as it is", flat, wanted_step,
                "Clip only what is longer; update all trainable variables, once.", 1e-3)
    _, _, step, gradients, norm = try_it("it runs with a small clip_norm", 0.1)
    flat, wanted_step = (np.concatenate([a.ravel() for a in part]) for part in (step, gradients))
    length = float(np.linalg.norm(flat))
    clip_norm = 0.1 * norm
    check.that("a longer gradient is cut to length clip_norm", abs(length / clip_norm - 1) < 0.01,
               clip_norm, length, "tf.clip_by_global_norm(gradients, clip_norm), then the update.")
    check.close("and keeps its direction", flat / max(length, 1e-12), wanted_step / norm,
                "All gradients together are scaled by one factor: not each by its own norm, not "
                "element by element.", 1e-3)


def sample_next(answer, check: Checker) -> None:
    """Ids drawn from softmax(logits / temperature)."""
    logits = np.array([1.5, 0.0, -1.0, 0.7, -0.3], "float32")
    check.rng.shuffle(logits)
    n = 20_000
    for temperature in (1.0, 0.5, 2.0):
        ids = check.call(f"temperature {temperature:g}", answer, np.tile(logits, (n, 1)),
                         temperature)
        ids = check.array("one id for each row, shape (batch,)", ids, (n,), integer=True,
                          hint="tf.random.categorical gives shape (batch, 1): take its column.")
        if not check.that("ids lie in the vocabulary", ids.min() >= 0 and ids.max() < 5,
                          "0 to 4", f"{ids.min()} to {ids.max()}", "Sample over the last axis."):
            return
        counts = np.bincount(ids, minlength=5)
        wanted = n * softmax(logits / temperature)
        # 4 degrees of freedom: a right answer exceeds 60 once in 10^11 draws.
        chi_square = float(((counts - wanted) ** 2 / wanted).sum())
        check.that(f"at temperature {temperature:g} frequencies follow softmax(logits / T)",
                   chi_square < 60, wanted / n, counts / n,
                   "Divide the logits by the temperature, then sample; do not take the argmax.")
    ids = check.array("shape (batch,)", check.call("temperature 0.01", answer, np.tile(
        logits, (200, 1)), 0.01), (200,), integer=True)
    check.that("a temperature near 0 picks the likeliest", bool((ids == logits.argmax()).all()),
               int(logits.argmax()), ids, "Divide by the temperature: small T sharpens.")
    rows = np.full((6, 4), -30.0, "float32")
    best = check.rng.integers(0, 4, 6)
    rows[np.arange(6), best] = 30
    ids = check.array("shape (batch,)", check.call("rows of their own", answer, rows, 1.0), (6,),
                      integer=True)
    check.that("each row has its own logits", np.array_equal(ids, best), best, ids,
               "One draw a row.")


def generate(answer, check: Checker) -> None:
    """Continue several starts at once, step by step, with memory."""
    import keras

    model = keras.Sequential([keras.Input((None,), dtype="int32"), keras.layers.Embedding(9, 8),
                              keras.layers.LSTM(16, return_sequences=True),
                              keras.layers.Dense(9)])
    # Large weights: what comes next depends strongly on all that came before.
    model.set_weights([2 * check.normal(*weight.shape) for weight in model.get_weights()])
    for _ in range(50):   # a start from which the likeliest is clear at every step
        start = check.rng.integers(0, 9, (4, 3))
        greedy, margin = _greedy(model, start, 12)
        if margin > 0.01:
            break
    ids = check.call("it continues four starts", answer, model, start, 12, 1.0)
    ids = check.array("start (4, 3) and length 12 give shape (4, 15)", ids, (4, 15), integer=True,
                      hint="The start, then length new ids, for every row.")
    check.that("each row begins with its start", np.array_equal(ids[:, :3], start), start[0],
               ids[0, :3], "Put start_ids in front of what is generated.")
    check.that("ids lie in the vocabulary", ids.min() >= 0 and ids.max() < 9, "0 to 8",
               f"{ids.min()} to {ids.max()}", "Sample over the vocabulary axis.")
    cold = check.array("a second call", check.call("temperature near 0", answer, model, start, 12,
                                                   1e-4), (4, 15), integer=True)
    first_wrong = int(np.argmax((cold != greedy).any(axis=0)))
    check.that("near temperature 0 it writes what the model finds likeliest",
               np.array_equal(cold, greedy), greedy[0], f"other ids from position {first_wrong} on",
               "Feed all of the start, keep the recurrent state between steps, and use the logits "
               "of the last step.")
    many = np.tile(start[:1], (64, 1))
    # So warm that the ids are nearly uniform: a right answer makes 64 different rows of 9^6.
    a = check.array("64 rows", check.call("64 equal starts", answer, model, many, 6, 100.0),
                    (64, 9), integer=True)
    check.that("equal starts are continued differently", len({tuple(row) for row in a}) > 8,
               "different rows", f"{len({tuple(row) for row in a})} different rows of 64",
               "Sample each row anew with sample_next, not argmax.")
    one = check.call("a start of one id", answer, model, start[:1, :1], 5, 1.0)
    check.array("start (1, 1) and length 5 give shape (1, 6)", one, (1, 6), integer=True)
    check.that("any start works", True)


def _greedy(model, ids: np.ndarray, steps: int) -> tuple[np.ndarray, float]:
    """The likeliest continuation, and the least lead of the likeliest logit over the second."""
    margin = np.inf
    for _ in range(steps):
        logits = np.asarray(model(ids))[:, -1]
        second, first = np.sort(logits, axis=-1)[:, -2:].T
        margin = min(margin, float((first - second).min()))
        ids = np.concatenate([ids, logits.argmax(-1)[:, None]], axis=1)
    return ids, margin


MODEL_CHECKS = {"build_model": build_model, "compute_loss": compute_loss, "train_step": train_step,
                "sample_next": sample_next, "generate": generate}
