"""Answers to Part B of Lab 3: Pong from pixels and PPO."""

import keras
import numpy as np
import tensorflow as tf

from . import right, wrong

L = keras.layers

# ---- preprocess ------------------------------------------------------------------------------


def _field(frames):
    frames = np.asarray(frames)
    frames = frames[..., 0] if frames.ndim == 4 else frames
    return frames[:, 34:194]


def _mask(frames):
    field = _field(frames)
    return (field != field[:, :1, :1]).astype("float32")


def _blocks(mask, size=4):
    n, h, w = mask.shape
    return mask.reshape(n, h // size, size, w // size, size)


@right("preprocess")
def p_means(frames):
    return _blocks(_mask(frames)).mean(axis=(2, 4))


@right("preprocess")
def p_maxima(frames):
    return _blocks(_mask(frames), 2).max(axis=(2, 4))


@right("preprocess")
def p_tensorflow(frames):
    return tf.nn.avg_pool2d(_mask(frames)[..., None], 4, 4, "VALID")


@right("preprocess")
def p_every_second(frames):
    mask = _mask(frames)
    return mask[:, ::2, ::2]


@right("preprocess")
def p_loop(frames):
    return np.stack([p_means(np.asarray(frames)[i:i + 1])[0] for i in range(len(frames))])


@right("preprocess")
def p_eighths(frames):
    return _blocks(_mask(frames)).sum(axis=(2, 4)) / 8


@wrong("preprocess", "counts, up to 16")
def p0(frames):
    return 16 * p_means(frames)


@wrong("preprocess", "every fourth pixel loses the ball")
def p1(frames):
    return _mask(frames)[:, ::4, ::4]


@wrong("preprocess", "not made small")
def p2(frames):
    return _mask(frames)


@wrong("preprocess", "score left in")
def p3(frames):
    frames = np.asarray(frames)
    frames = frames[..., 0] if frames.ndim == 4 else frames
    mask = (frames[:, :208] != frames[:, 100:101, :1]).astype("float32")
    return _blocks(mask, 4).mean(axis=(2, 4)) * (_blocks(mask, 4).mean(axis=(2, 4)) < 0.99)


@wrong("preprocess", "background not removed")
def p4(frames):
    return _blocks(_field(frames).astype("float32")).mean(axis=(2, 4)) / 255


@wrong("preprocess", "numbers up to 255")
def p5(frames):
    return 255 * p_means(frames)


@wrong("preprocess", "only the first frame")
def p6(frames):
    return p_means(frames)[0]


@wrong("preprocess", "the right paddle cut off")
def p7(frames):
    return _blocks(_mask(frames)[:, :, :128]).mean(axis=(2, 4))


@wrong("preprocess", "upper half only")
def p8(frames):
    return _blocks(_mask(frames)[:, :60]).mean(axis=(2, 4))


@wrong("preprocess", "works in place")
def p9(frames):
    out = p_means(frames)
    frames[:, :34] = 0
    return out


@wrong("preprocess", "colour frames only")
def p10(frames):
    return p_means(np.asarray(frames)[:, :, :, 0][..., None][..., [0, 0, 0]])


# ---- pong_returns ----------------------------------------------------------------------------


@right("pong_returns")
def q_backwards(rewards, gamma):
    out, g = np.zeros(len(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        if rewards[t] != 0:
            g = 0.0
        g = out[t] = rewards[t] + gamma * g
    return out


@right("pong_returns")
def q_next_point(rewards, gamma):
    rewards = np.asarray(rewards, float)
    ends = np.flatnonzero(rewards)
    out = []
    for t in range(len(rewards)):
        after = ends[ends >= t]
        out.append(gamma ** (after[0] - t) * rewards[after[0]] if len(after) else 0.0)
    return out


@right("pong_returns")
def q_split(rewards, gamma):
    rewards = np.asarray(rewards, "float64")
    parts = np.split(rewards, np.flatnonzero(rewards) + 1)
    def one(part):
        powers = np.power(float(gamma), np.arange(len(part))[::-1])
        return powers * part[-1] if len(part) else part
    return np.concatenate([one(part) for part in parts])


@right("pong_returns")
def q_scan(rewards, gamma):
    rewards = tf.cast(rewards, tf.float32)
    return tf.scan(lambda g, r: tf.where(r != 0, r, gamma * g), rewards, tf.constant(0.0),
                   reverse=True)


@wrong("pong_returns", "runs across points")
def q1(rewards, gamma):
    out, g = np.zeros(len(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        g = out[t] = rewards[t] + gamma * g
    return out


@wrong("pong_returns", "not discounted")
def q2(rewards, gamma):
    return q_backwards(rewards, 1.0)


@wrong("pong_returns", "discounted from the wrong end")
def q3(rewards, gamma):
    return q_backwards(list(rewards)[::-1], gamma)[::-1]


@wrong("pong_returns", "restarts after a won point only")
def q4(rewards, gamma):
    out, g = np.zeros(len(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        g = out[t] = rewards[t] + (0 if rewards[t] > 0 else gamma * g)
    return out


@wrong("pong_returns", "restarts one step late")
def q5(rewards, gamma):
    out, g = np.zeros(len(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        g = out[t] = rewards[t] + gamma * g
        if rewards[t] != 0:
            g = 0.0
    return out


@wrong("pong_returns", "whole numbers")
def q6(rewards, gamma):
    return q_backwards(rewards, gamma).astype(int)


@wrong("pong_returns", "signs lost")
def q7(rewards, gamma):
    return np.abs(q_backwards(rewards, gamma))


@wrong("pong_returns", "the rewards themselves")
def q8(rewards, gamma):
    return np.array(rewards, float)


# ---- build_pong_policy -----------------------------------------------------------------------


def _heads(x, n, images, last=None):
    return keras.Model(images, [L.Dense(n, activation=last)(x), L.Dense(1)(x)])


@right("build_pong_policy")
def b_conv(n):
    images = keras.Input((40, 40, 2))
    x = L.Conv2D(8, 4, strides=2, activation="relu")(images)
    x = L.Dense(32, activation="relu")(L.Flatten()(L.Conv2D(16, 4, strides=2)(x)))
    return _heads(x, n, images)


@right("build_pong_policy")
def b_dense(n):
    images = keras.Input((40, 40, 2))
    return _heads(L.Dense(100, activation="relu")(L.Flatten()(images)), n, images)


@right("build_pong_policy")
def b_larger(n):
    images = keras.Input((80, 80, 2))
    x = L.Conv2D(8, 8, strides=4, activation="relu")(images)
    x = L.GlobalAveragePooling2D()(L.Conv2D(16, 4, strides=2, activation="relu")(x))
    return _heads(L.Dense(64, activation="tanh")(x), n, images)


@right("build_pong_policy")
def b_two_towers(n):
    images = keras.Input((40, 40, 2))
    flat = L.Flatten()(images)
    logits = L.Dense(n)(L.Dense(64, activation="relu")(flat))
    value = L.Dense(1)(L.Dense(64, activation="relu")(flat))
    return keras.Model(images, (logits, value))


@wrong("build_pong_policy", "no value")
def b1(n):
    images = keras.Input((40, 40, 2))
    return keras.Model(images, L.Dense(n)(L.Flatten()(images)))


@wrong("build_pong_policy", "softmax at the end")
def b2(n):
    images = keras.Input((40, 40, 2))
    return _heads(L.Dense(64, activation="relu")(L.Flatten()(images)), n, images, "softmax")


@wrong("build_pong_policy", "outputs swapped")
def b3(n):
    model = b_dense(n)
    return keras.Model(model.inputs, model.outputs[::-1])


@wrong("build_pong_policy", "far too large")
def b4(n):
    images = keras.Input((84, 84, 2))
    return _heads(L.Dense(512, activation="relu")(L.Flatten()(images)), n, images)


@wrong("build_pong_policy", "always three actions")
def b5(n):
    return b_dense(3)


@wrong("build_pong_policy", "a value for each action")
def b6(n):
    images = keras.Input((40, 40, 2))
    x = L.Dense(64, activation="relu")(L.Flatten()(images))
    return keras.Model(images, [L.Dense(n)(x), L.Dense(n)(x)])


@wrong("build_pong_policy", "no flattening")
def b7(n):
    images = keras.Input((40, 40, 2))
    return _heads(L.Dense(16, activation="relu")(images), n, images)


@wrong("build_pong_policy", "the image is not used")
def b8(n):
    images = keras.Input((40, 40, 2))
    return _heads(L.Dense(16)(0.0 * L.Flatten()(images)), n, images)


@wrong("build_pong_policy", "returns the layers")
def b9(n):
    return [L.Dense(n), L.Dense(1)]


# ---- generalized_advantages ------------------------------------------------------------------


@right("generalized_advantages")
def g_backwards(rewards, values, dones, gamma, lam):
    going = 1.0 - np.asarray(dones, float)
    out, a = np.zeros(np.shape(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * values[t + 1] * going[t] - values[t]
        a = out[t] = delta + gamma * lam * going[t] * a
    return out


@right("generalized_advantages")
def g_vector_delta(rewards, values, dones, gamma, lam):
    rewards, values = np.asarray(rewards, float), np.asarray(values, float)
    going = np.where(np.asarray(dones, bool), 0.0, 1.0)
    delta = rewards + gamma * going * values[1:] - values[:-1]
    for t in range(len(delta) - 2, -1, -1):
        delta[t] += gamma * lam * going[t] * delta[t + 1]
    return delta


@right("generalized_advantages")
def g_double_sum(rewards, values, dones, gamma, lam):
    steps, envs = np.shape(rewards)
    going = 1.0 - np.asarray(dones, float)
    out = np.zeros((steps, envs))
    for t in range(steps):
        weight = np.ones(envs)
        for k in range(t, steps):
            out[t] += weight * (rewards[k] + gamma * values[k + 1] * going[k] - values[k])
            weight = weight * gamma * lam * going[k]
    return out


@right("generalized_advantages")
def g_scan(rewards, values, dones, gamma, lam):
    r, v = tf.cast(rewards, tf.float32), tf.cast(values, tf.float32)
    going = 1 - tf.cast(dones, tf.float32)
    delta = r + gamma * v[1:] * going - v[:-1]
    return tf.scan(lambda a, part: part[0] + gamma * lam * part[1] * a, (delta, going),
                   tf.zeros_like(delta[0]), reverse=True)


@wrong("generalized_advantages", "dones ignored")
def g1(rewards, values, dones, gamma, lam):
    return g_backwards(rewards, values, np.zeros(np.shape(dones)), gamma, lam)


@wrong("generalized_advantages", "dones ignored in the value")
def g2(rewards, values, dones, gamma, lam):
    going, out, a = 1.0 - np.asarray(dones, float), np.zeros(np.shape(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        a = out[t] = rewards[t] + gamma * values[t + 1] - values[t] + gamma * lam * going[t] * a
    return out


@wrong("generalized_advantages", "dones ignored in the sum")
def g3(rewards, values, dones, gamma, lam):
    going, out, a = 1.0 - np.asarray(dones, float), np.zeros(np.shape(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        a = out[t] = (rewards[t] + gamma * values[t + 1] * going[t] - values[t]
                      + gamma * lam * a)
    return out


@wrong("generalized_advantages", "lam forgotten")
def g4(rewards, values, dones, gamma, lam):
    return g_backwards(rewards, values, dones, gamma, 1.0)


@wrong("generalized_advantages", "one step only")
def g5(rewards, values, dones, gamma, lam):
    return g_backwards(rewards, values, dones, gamma, 0.0)


@wrong("generalized_advantages", "the value added back: returns, not advantages")
def g6(rewards, values, dones, gamma, lam):
    return g_backwards(rewards, values, dones, gamma, lam) + values[:-1]


@wrong("generalized_advantages", "from the start")
def g8(rewards, values, dones, gamma, lam):
    flipped = g_backwards(rewards[::-1], values[::-1], dones[::-1], gamma, lam)
    return flipped[::-1]


@wrong("generalized_advantages", "normalised too")
def g9(rewards, values, dones, gamma, lam):
    a = g_backwards(rewards, values, dones, gamma, lam)
    return (a - a.mean()) / a.std()


# ---- ppo_loss --------------------------------------------------------------------------------


@right("ppo_loss")
def o_tensorflow(log_probs, old, advantages, clip):
    r = tf.exp(log_probs - old)
    return -tf.reduce_mean(tf.minimum(r * advantages,
                                      tf.clip_by_value(r, 1 - clip, 1 + clip) * advantages))


@right("ppo_loss")
def o_maximum(log_probs, old, advantages, clip):
    r = tf.exp(log_probs) / tf.exp(old)
    return tf.reduce_mean(tf.maximum(-r * advantages,
                                     -tf.clip_by_value(r, 1 - clip, 1 + clip) * advantages))


@right("ppo_loss")
def o_by_sign(log_probs, old, advantages, clip):
    r = tf.exp(log_probs - old)
    bound = tf.where(advantages > 0, 1 + clip, 1 - clip) * advantages
    return -tf.reduce_sum(tf.minimum(r * advantages, bound)) / tf.cast(tf.size(r), r.dtype)


@right("ppo_loss")
def o_keras(log_probs, old, advantages, clip):
    r = keras.ops.exp(log_probs - old)
    parts = keras.ops.minimum(r * advantages, keras.ops.clip(r, 1 - clip, 1 + clip) * advantages)
    return keras.ops.mean(-parts)


@wrong("ppo_loss", "no clipping")
def o1(log_probs, old, advantages, clip):
    return -tf.reduce_mean(tf.exp(log_probs - old) * advantages)


@wrong("ppo_loss", "clipped above only")
def o2(log_probs, old, advantages, clip):
    r = tf.exp(log_probs - old)
    return -tf.reduce_mean(tf.minimum(r * advantages, tf.minimum(r, 1 + clip) * advantages))


@wrong("ppo_loss", "only the clipped term")
def o3(log_probs, old, advantages, clip):
    r = tf.clip_by_value(tf.exp(log_probs - old), 1 - clip, 1 + clip)
    return -tf.reduce_mean(r * advantages)


@wrong("ppo_loss", "sign lost")
def o4(log_probs, old, advantages, clip):
    return -o_tensorflow(log_probs, old, advantages, clip)


@wrong("ppo_loss", "maximum for minimum")
def o5(log_probs, old, advantages, clip):
    r = tf.exp(log_probs - old)
    return -tf.reduce_mean(tf.maximum(r * advantages,
                                      tf.clip_by_value(r, 1 - clip, 1 + clip) * advantages))


@wrong("ppo_loss", "ratio upside down")
def o6(log_probs, old, advantages, clip):
    return o_tensorflow(old, log_probs, advantages, clip)


@wrong("ppo_loss", "difference of log-probabilities for the ratio")
def o7(log_probs, old, advantages, clip):
    r = 1 + log_probs - old
    return -tf.reduce_mean(tf.minimum(r * advantages,
                                      tf.clip_by_value(r, 1 - clip, 1 + clip) * advantages))


@wrong("ppo_loss", "sum")
def o8(log_probs, old, advantages, clip):
    return o_tensorflow(log_probs, old, advantages, clip) * len(log_probs)


@wrong("ppo_loss", "fixed clip of 0.2")
def o9(log_probs, old, advantages, clip):
    return o_tensorflow(log_probs, old, advantages, 0.2)


@wrong("ppo_loss", "gradient stopped")
def o10(log_probs, old, advantages, clip):
    return o_tensorflow(tf.stop_gradient(log_probs), old, advantages, clip)
