"""Answers to the character model of Lab 1."""

import keras
import numpy as np
import tensorflow as tf

from . import right, wrong

L = keras.layers

# ---- vectorize -----------------------------------------------------------------------------


@right("vectorize")
def v_list(text, char_to_id):
    return np.array([char_to_id[c] for c in text])


@right("vectorize")
def v_map(text, char_to_id):
    return tf.constant(list(map(char_to_id.get, text)))


@right("vectorize")
def v_fromiter(text, char_to_id):
    return np.fromiter((char_to_id[c] for c in text), dtype=np.int32, count=len(text))


@right("vectorize")
def v_loop(text, char_to_id):
    ids = []
    for letter in text:
        ids += [char_to_id[letter]]
    return ids


@wrong("vectorize", "code points")
def v1(text, char_to_id):
    return np.array([ord(c) for c in text])


@wrong("vectorize", "one-hot")
def v2(text, char_to_id):
    return np.eye(len(char_to_id))[[char_to_id[c] for c in text]]


@wrong("vectorize", "white space dropped")
def v3(text, char_to_id):
    return np.array([char_to_id[c] for c in text if not c.isspace()])


@wrong("vectorize", "reversed")
def v4(text, char_to_id):
    return np.array([char_to_id[c] for c in text[::-1]])


@wrong("vectorize", "a generator")
def v5(text, char_to_id):
    yield from (char_to_id[c] for c in text)


@wrong("vectorize", "floats")
def v6(text, char_to_id):
    return np.array([float(char_to_id[c]) for c in text])


@wrong("vectorize", "its own vocabulary")
def v7(text, char_to_id):
    own = {c: i for i, c in enumerate(sorted(set(text)))}
    return np.array([own[c] for c in text])


@wrong("vectorize", "each character once")
def v8(text, char_to_id):
    return np.array([char_to_id[c] for c in dict.fromkeys(text)])


@wrong("vectorize", "last character lost")
def v9(text, char_to_id):
    return np.array([char_to_id[c] for c in text[:-1]])


@wrong("vectorize", "off by one")
def v10(text, char_to_id):
    return np.array([char_to_id[c] + 1 for c in text])


# ---- get_batch -----------------------------------------------------------------------------


def _windows(ids, starts, length):
    return np.asarray(ids)[np.asarray(starts)[:, None] + np.arange(length)]


@right("get_batch")
def b_index(ids, seq_length, batch_size, rng):
    starts = rng.integers(0, len(ids) - seq_length, batch_size)
    return _windows(ids, starts, seq_length), _windows(ids, starts + 1, seq_length)


@right("get_batch")
def b_loop(ids, seq_length, batch_size, rng):
    x, y = [], []
    for _ in range(batch_size):
        start = int(rng.integers(len(ids) - seq_length))
        x.append(ids[start:start + seq_length])
        y.append(ids[start + 1:start + seq_length + 1])
    return np.stack(x), np.stack(y)


@right("get_batch")
def b_choice(ids, seq_length, batch_size, rng):
    starts = rng.choice(len(ids) - seq_length, size=batch_size)
    both = _windows(ids, starts, seq_length + 1)
    return tf.constant(both[:, :-1]), tf.constant(both[:, 1:])


@right("get_batch")
def b_view(ids, seq_length, batch_size, rng):
    windows = np.lib.stride_tricks.sliding_window_view(ids, seq_length + 1)
    rows = windows[rng.integers(0, len(windows), batch_size)]
    return [rows[:, :seq_length], rows[:, 1:]]


@right("get_batch")
def b_inclusive(ids, seq_length, batch_size, rng):
    starts = rng.integers(0, len(ids) - seq_length - 1, batch_size, endpoint=True)
    return _windows(ids, starts, seq_length), _windows(ids, starts + 1, seq_length)


def _pair(ids, starts, length, shift=1):
    return _windows(ids, starts, length), _windows(ids, starts + shift, length)


@wrong("get_batch", "target not shifted")
def b1(ids, seq_length, batch_size, rng):
    return _pair(ids, rng.integers(0, len(ids) - seq_length, batch_size), seq_length, 0)


@wrong("get_batch", "target shifted twice")
def b2(ids, seq_length, batch_size, rng):
    return _pair(ids, rng.integers(0, len(ids) - seq_length - 1, batch_size), seq_length, 2)


@wrong("get_batch", "last start never drawn")
def b3(ids, seq_length, batch_size, rng):
    return _pair(ids, rng.integers(0, len(ids) - seq_length - 1, batch_size), seq_length)


@wrong("get_batch", "first start never drawn")
def b4(ids, seq_length, batch_size, rng):
    return _pair(ids, rng.integers(1, len(ids) - seq_length, batch_size), seq_length)


@wrong("get_batch", "one start for all rows")
def b5(ids, seq_length, batch_size, rng):
    start = rng.integers(0, len(ids) - seq_length)
    return _pair(ids, np.full(batch_size, start), seq_length)


@wrong("get_batch", "rows are scattered ids, not stretches")
def b6(ids, seq_length, batch_size, rng):
    places = rng.integers(0, len(ids) - 1, (batch_size, seq_length))
    return np.asarray(ids)[places], np.asarray(ids)[places + 1]


@wrong("get_batch", "own generator, always the same batch")
def b7(ids, seq_length, batch_size, rng):
    return b_index(ids, seq_length, batch_size, np.random.default_rng(0))


@wrong("get_batch", "global random state")
def b8(ids, seq_length, batch_size, rng):
    starts = np.random.randint(0, len(ids) - seq_length, batch_size)  # noqa: NPY002
    return _pair(ids, starts, seq_length)


@wrong("get_batch", "time first")
def b9(ids, seq_length, batch_size, rng):
    x, y = b_index(ids, seq_length, batch_size, rng)
    return x.T, y.T


@wrong("get_batch", "y is one id shorter")
def b10(ids, seq_length, batch_size, rng):
    x, y = b_index(ids, seq_length, batch_size, rng)
    return x, y[:, :-1]


@wrong("get_batch", "x and y swapped")
def b11(ids, seq_length, batch_size, rng):
    return b_index(ids, seq_length, batch_size, rng)[::-1]


@wrong("get_batch", "only starts at multiples of the length")
def b12(ids, seq_length, batch_size, rng):
    starts = seq_length * rng.integers(0, (len(ids) - 1) // seq_length, batch_size)
    return _pair(ids, starts, seq_length)


# ---- build_model -----------------------------------------------------------------------------


@right("build_model")
def m_sequential(vocab_size, embedding_dim, rnn_units):
    return keras.Sequential([keras.Input((None,), dtype="int32"),
                             L.Embedding(vocab_size, embedding_dim),
                             L.LSTM(rnn_units, return_sequences=True), L.Dense(vocab_size)])


@right("build_model")
def m_functional(vocab_size, embedding_dim, rnn_units):
    ids = keras.Input((None,), dtype="int64")
    h = L.GRU(rnn_units, return_sequences=True)(L.Embedding(vocab_size, embedding_dim)(ids))
    return keras.Model(ids, L.Dense(vocab_size)(h))


@right("build_model")
class Subclassed(keras.Model):
    def __init__(self, vocab_size, embedding_dim, rnn_units):
        super().__init__()
        self.parts = (vocab_size, embedding_dim, rnn_units)
        self.embed = L.Embedding(vocab_size, embedding_dim)
        self.rnn = L.SimpleRNN(rnn_units, return_sequences=True)
        self.out = L.Dense(vocab_size)

    def call(self, ids):
        return self.out(self.rnn(self.embed(ids)))

    def get_config(self):
        return dict(zip(("vocab_size", "embedding_dim", "rnn_units"), self.parts, strict=True))


@right("build_model")
def m_dropout(vocab_size, embedding_dim, rnn_units):
    return keras.Sequential([keras.Input((None,)), L.Embedding(vocab_size, embedding_dim),
                             L.LSTM(rnn_units, return_sequences=True),
                             L.LSTM(rnn_units, return_sequences=True), L.Dropout(0.2),
                             L.Dense(vocab_size)])


@right("build_model")
def m_fast(vocab_size, embedding_dim, rnn_units):
    from lab_utils.lstm import FastLSTM
    return keras.Sequential([keras.Input((None,), dtype="int32"),
                             L.Embedding(vocab_size, embedding_dim),
                             FastLSTM(rnn_units, return_sequences=True), L.Dense(vocab_size)])


def _stack(vocab_size, embedding_dim, *rest, batch=None):
    return keras.Sequential([keras.Input((None,), batch_size=batch, dtype="int32"),
                             L.Embedding(vocab_size, embedding_dim), *rest])


@wrong("build_model", "softmax at the end")
def m1(v, e, u):
    return _stack(v, e, L.LSTM(u, return_sequences=True), L.Dense(v, activation="softmax"))


@wrong("build_model", "only the last step")
def m2(v, e, u):
    return _stack(v, e, L.LSTM(u), L.Dense(v))


@wrong("build_model", "reads ahead")
def m3(v, e, u):
    return _stack(v, e, L.Bidirectional(L.LSTM(u, return_sequences=True)), L.Dense(v))


@wrong("build_model", "no recurrence")
def m4(v, e, u):
    return _stack(v, e, L.Dense(u), L.Dense(v))


@wrong("build_model", "state kept from batch to batch")
def m6(v, e, u):
    return _stack(v, e, L.LSTM(u, return_sequences=True, stateful=True), L.Dense(v), batch=3)


@wrong("build_model", "units and embedding swapped")
def m7(v, e, u):
    return m_sequential(v, u, e)


@wrong("build_model", "one output too few")
def m8(v, e, u):
    return _stack(v, e, L.LSTM(u, return_sequences=True), L.Dense(v - 1))


@wrong("build_model", "no output layer")
def m9(v, e, u):
    return _stack(v, e, L.LSTM(u, return_sequences=True))


@wrong("build_model", "a layer, not a model")
def m10(v, e, u):
    return L.LSTM(u, return_sequences=True)


@wrong("build_model", "nothing returned")
def m11(v, e, u):
    m_sequential(v, e, u)


# ---- compute_loss ----------------------------------------------------------------------------


@right("compute_loss")
def c_keras(labels, logits):
    return keras.ops.mean(keras.losses.sparse_categorical_crossentropy(labels, logits,
                                                                       from_logits=True))


@right("compute_loss")
def c_class(labels, logits):
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)


@right("compute_loss")
def c_tensorflow(labels, logits):
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return tf.reduce_sum(losses) / tf.cast(tf.size(losses), losses.dtype)


@right("compute_loss")
def c_numpy(labels, logits):
    logits = np.asarray(logits, "float64")
    top = logits.max(-1, keepdims=True)
    log_norm = top[..., 0] + np.log(np.exp(logits - top).sum(-1))
    return np.mean(log_norm - np.take_along_axis(logits, np.asarray(labels)[..., None], -1)[..., 0])


@right("compute_loss")
def c_one_hot(labels, logits):
    one_hot = tf.one_hot(labels, tf.shape(logits)[-1])
    return -tf.reduce_mean(tf.reduce_sum(one_hot * tf.nn.log_softmax(logits), -1))


@wrong("compute_loss", "softmax before a from_logits loss")
def c1(labels, logits):
    return c_keras(labels, tf.nn.softmax(logits))


@wrong("compute_loss", "logits taken for probabilities")
def c2(labels, logits):
    return tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(labels, logits))


@wrong("compute_loss", "sum")
def c3(labels, logits):
    return tf.reduce_sum(keras.losses.sparse_categorical_crossentropy(labels, logits,
                                                                      from_logits=True))


@wrong("compute_loss", "one loss a step, no mean")
def c4(labels, logits):
    return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)


@wrong("compute_loss", "sum over time, mean over the batch")
def c5(labels, logits):
    return tf.reduce_mean(tf.reduce_sum(keras.losses.sparse_categorical_crossentropy(
        labels, logits, from_logits=True), axis=1))


@wrong("compute_loss", "bits")
def c6(labels, logits):
    return c_keras(labels, logits) / np.log(2)


@wrong("compute_loss", "overflows")
def c7(labels, logits):
    e = np.exp(np.asarray(logits))
    p = e / e.sum(-1, keepdims=True)
    return -np.mean(np.log(np.take_along_axis(p, np.asarray(labels)[..., None], -1)))


@wrong("compute_loss", "squared error")
def c8(labels, logits):
    return tf.reduce_mean((tf.one_hot(labels, logits.shape[-1]) - tf.nn.softmax(logits)) ** 2)


@wrong("compute_loss", "sign lost")
def c9(labels, logits):
    return -c_keras(labels, logits)


@wrong("compute_loss", "only the last step")
def c10(labels, logits):
    return c_keras(labels[:, -1], logits[:, -1])


# ---- train_step ------------------------------------------------------------------------------


def _grads(model, x, y):
    with tf.GradientTape() as tape:
        loss = c_keras(y, model(x, training=True))
    return loss, tape.gradient(loss, model.trainable_variables)


@right("train_step")
def t_clip(model, optimizer, x, y, clip_norm):
    loss, gradients = _grads(model, x, y)
    gradients, _ = tf.clip_by_global_norm(gradients, clip_norm)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss


@right("train_step")
@tf.function
def t_compiled(model, optimizer, x, y, clip_norm):
    loss, gradients = _grads(model, x, y)
    optimizer.apply(tf.clip_by_global_norm(gradients, clip_norm)[0], model.trainable_variables)
    return loss


@right("train_step")
def t_by_hand(model, optimizer, x, y, clip_norm):
    loss, gradients = _grads(model, x, y)
    gradients = [tf.convert_to_tensor(g) for g in gradients]
    norm = tf.sqrt(sum(tf.reduce_sum(g ** 2) for g in gradients))
    factor = tf.minimum(1.0, clip_norm / norm)
    optimizer.apply_gradients((g * factor, v) for g, v in
                              zip(gradients, model.trainable_variables, strict=True))
    return float(loss)


@right("train_step")
def t_numpy(model, optimizer, x, y, clip_norm):
    loss, gradients = _grads(model, x, y)
    gradients = [tf.convert_to_tensor(g).numpy() for g in gradients]
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in gradients]))
    scale = clip_norm / norm if norm > clip_norm else 1.0
    optimizer.apply([tf.constant(g * scale) for g in gradients], model.trainable_variables)
    return loss.numpy()


@wrong("train_step", "no clipping")
def t1(model, optimizer, x, y, clip_norm):
    loss, gradients = _grads(model, x, y)
    optimizer.apply(gradients, model.trainable_variables)
    return loss


@wrong("train_step", "each gradient clipped by its own norm")
def t2(model, optimizer, x, y, clip_norm):
    loss, gradients = _grads(model, x, y)
    optimizer.apply([tf.clip_by_norm(tf.convert_to_tensor(g), clip_norm) for g in gradients],
                    model.trainable_variables)
    return loss


@wrong("train_step", "element by element")
def t3(model, optimizer, x, y, clip_norm):
    loss, gradients = _grads(model, x, y)
    optimizer.apply([tf.clip_by_value(tf.convert_to_tensor(g), -clip_norm, clip_norm)
                     for g in gradients], model.trainable_variables)
    return loss


@wrong("train_step", "always scaled to the clip norm")
def t4(model, optimizer, x, y, clip_norm):
    loss, gradients = _grads(model, x, y)
    norm = tf.linalg.global_norm(gradients)
    optimizer.apply([tf.convert_to_tensor(g) * clip_norm / norm for g in gradients],
                    model.trainable_variables)
    return loss


@wrong("train_step", "loss after the update")
def t5(model, optimizer, x, y, clip_norm):
    t_clip(model, optimizer, x, y, clip_norm)
    return c_keras(y, model(x))


@wrong("train_step", "no update")
def t6(model, optimizer, x, y, clip_norm):
    return _grads(model, x, y)[0]


@wrong("train_step", "two updates")
def t7(model, optimizer, x, y, clip_norm):
    loss = t_clip(model, optimizer, x, y, clip_norm)
    t_clip(model, optimizer, x, y, clip_norm)
    return loss


@wrong("train_step", "returns None")
def t8(model, optimizer, x, y, clip_norm):
    t_clip(model, optimizer, x, y, clip_norm)


@wrong("train_step", "returns the gradients")
def t9(model, optimizer, x, y, clip_norm):
    t_clip(model, optimizer, x, y, clip_norm)
    return _grads(model, x, y)[1]


@wrong("train_step", "only the last variable")
def t10(model, optimizer, x, y, clip_norm):
    loss, gradients = _grads(model, x, y)
    gradients, _ = tf.clip_by_global_norm(gradients, clip_norm)
    model.trainable_variables[-1].assign_sub(gradients[-1])
    return loss


@wrong("train_step", "uphill")
def t11(model, optimizer, x, y, clip_norm):
    loss, gradients = _grads(model, x, y)
    gradients, _ = tf.clip_by_global_norm(gradients, clip_norm)
    optimizer.apply([-tf.convert_to_tensor(g) for g in gradients], model.trainable_variables)
    return loss


# ---- sample_next -----------------------------------------------------------------------------


@right("sample_next")
def s_categorical(logits, temperature):
    return tf.random.categorical(tf.convert_to_tensor(logits) / temperature, 1)[:, 0]


@right("sample_next")
def s_keras(logits, temperature):
    return keras.random.categorical(keras.ops.convert_to_tensor(logits) / temperature, 1)[:, 0]


@right("sample_next")
def s_gumbel(logits, temperature):
    noise = np.random.default_rng().gumbel(size=np.shape(logits))
    return np.argmax(np.asarray(logits) / temperature + noise, axis=-1)


@right("sample_next")
def s_cumulative(logits, temperature):
    z = np.asarray(logits, "float64") / temperature
    p = np.exp(z - z.max(-1, keepdims=True))
    edges = np.cumsum(p / p.sum(-1, keepdims=True), axis=-1)
    draws = np.random.default_rng().random((len(z), 1))
    return np.minimum((edges < draws).sum(-1), z.shape[-1] - 1)


@wrong("sample_next", "argmax")
def s1(logits, temperature):
    return tf.argmax(logits, -1)


@wrong("sample_next", "temperature multiplied")
def s2(logits, temperature):
    return tf.random.categorical(tf.convert_to_tensor(logits) * temperature, 1)[:, 0]


@wrong("sample_next", "temperature ignored")
def s3(logits, temperature):
    return tf.random.categorical(logits, 1)[:, 0]


@wrong("sample_next", "shape (batch, 1)")
def s4(logits, temperature):
    return tf.random.categorical(tf.convert_to_tensor(logits) / temperature, 1)


@wrong("sample_next", "one draw for the whole batch")
def s5(logits, temperature):
    first = tf.random.categorical(tf.convert_to_tensor(logits[:1]) / temperature, 1)[0, 0]
    return tf.repeat(first, len(logits))


@wrong("sample_next", "probabilities where logits belong")
def s6(logits, temperature):
    p = tf.nn.softmax(tf.convert_to_tensor(logits) / temperature)
    return tf.random.categorical(p, 1)[:, 0]


@wrong("sample_next", "temperature after the softmax")
def s7(logits, temperature):
    p = np.asarray(tf.nn.softmax(logits)) / temperature
    return tf.random.categorical(tf.math.log(p), 1)[:, 0]


@wrong("sample_next", "uniform")
def s8(logits, temperature):
    return np.random.default_rng().integers(0, np.shape(logits)[-1], len(logits))


@wrong("sample_next", "Gaussian noise for Gumbel noise")
def s9(logits, temperature):
    noise = np.random.default_rng().normal(size=np.shape(logits))
    return np.argmax(np.asarray(logits) / temperature + noise, axis=-1)


@wrong("sample_next", "the probabilities themselves")
def s10(logits, temperature):
    return tf.nn.softmax(tf.convert_to_tensor(logits) / temperature)


# ---- generate --------------------------------------------------------------------------------


@right("generate")
def n_growing(model, start_ids, length, temperature):
    ids = np.array(start_ids)
    for _ in range(length):
        following = np.asarray(s_categorical(model(ids)[:, -1], temperature))
        ids = np.concatenate([ids, following[:, None]], axis=1)
    return ids


@right("generate")
def n_tensorflow(model, start_ids, length, temperature):
    ids = tf.cast(start_ids, tf.int64)
    for _ in range(length):
        ids = tf.concat([ids, s_categorical(model(ids)[:, -1], temperature)[:, None]], axis=1)
    return ids


def _cell_step(model, state, ids):
    embedding, rnn, dense = model.layers[-3:]
    h, state = rnn.cell(embedding(ids), state)
    return dense(h), state


@right("generate")
def n_cell(model, start_ids, length, temperature):
    start_ids = tf.cast(start_ids, tf.int64)
    state = [tf.zeros((start_ids.shape[0], model.layers[-2].units)) for _ in range(2)]
    for t in range(start_ids.shape[1]):
        logits, state = _cell_step(model, state, start_ids[:, t])
    ids = list(tf.unstack(start_ids, axis=1))
    for _ in range(length):
        ids.append(s_categorical(logits, temperature))
        logits, state = _cell_step(model, state, ids[-1])
    return tf.stack(ids, axis=1)


@right("generate")
@tf.function
def n_compiled(model, start_ids, length, temperature):
    start_ids = tf.cast(start_ids, tf.int64)
    state = [tf.zeros((start_ids.shape[0], model.layers[-2].units))] * 2
    for t in range(start_ids.shape[1]):
        logits, state = _cell_step(model, state, start_ids[:, t])
    new = tf.TensorArray(tf.int64, length)
    for t in tf.range(length):
        following = s_categorical(logits, temperature)
        new = new.write(t, following)
        logits, state = _cell_step(model, state, following)
    return tf.concat([start_ids, tf.transpose(new.stack())], axis=1)


@wrong("generate", "no memory: only the last id is fed")
def n1(model, start_ids, length, temperature):
    ids = np.array(start_ids)
    for _ in range(length):
        following = np.asarray(s_categorical(model(ids[:, -1:])[:, -1], temperature))
        ids = np.concatenate([ids, following[:, None]], axis=1)
    return ids


@wrong("generate", "argmax")
def n2(model, start_ids, length, temperature):
    ids = np.array(start_ids)
    for _ in range(length):
        ids = np.concatenate([ids, np.asarray(model(ids))[:, -1:].argmax(-1)], axis=1)
    return ids


@wrong("generate", "the start is left out")
def n3(model, start_ids, length, temperature):
    return n_growing(model, start_ids, length, temperature)[:, np.shape(start_ids)[1]:]


@wrong("generate", "one id too few")
def n4(model, start_ids, length, temperature):
    return n_growing(model, start_ids, length - 1, temperature)


@wrong("generate", "temperature ignored")
def n5(model, start_ids, length, temperature):
    return n_growing(model, start_ids, length, 1.0)


@wrong("generate", "logits of the first step")
def n6(model, start_ids, length, temperature):
    ids = np.array(start_ids)
    for _ in range(length):
        following = np.asarray(s_categorical(model(ids)[:, 0], temperature))
        ids = np.concatenate([ids, following[:, None]], axis=1)
    return ids


@wrong("generate", "only the first row")
def n7(model, start_ids, length, temperature):
    return n_growing(model, start_ids[:1], length, temperature)


@wrong("generate", "only the last id of the start is read")
def n8(model, start_ids, length, temperature):
    start_ids = np.array(start_ids)
    tail = n_growing(model, start_ids[:, -1:], length, temperature)
    return np.concatenate([start_ids[:, :-1], tail], axis=1)


@wrong("generate", "one continuation for all rows")
def n9(model, start_ids, length, temperature):
    start_ids = np.array(start_ids)
    one = n_growing(model, start_ids[:1], length, temperature)[:, start_ids.shape[1]:]
    return np.concatenate([start_ids, np.repeat(one, len(start_ids), axis=0)], axis=1)


@wrong("generate", "the last id of the start is read twice")
def n10(model, start_ids, length, temperature):
    start_ids = np.array(start_ids)
    ids = n_growing(model, np.concatenate([start_ids, start_ids[:, -1:]], axis=1), length,
                    temperature)
    return np.delete(ids, start_ids.shape[1], axis=1)


@wrong("generate", "temperature multiplied")
def n11(model, start_ids, length, temperature):
    return n_growing(model, start_ids, length, 1 / temperature)
