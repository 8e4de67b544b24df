"""Answers to Part A of Lab 3: policies, returns, the policy gradient."""

import keras
import numpy as np
import tensorflow as tf

from . import right, wrong

L = keras.layers

# ---- build_policy ----------------------------------------------------------------------------


@right("build_policy")
def sequential(n):
    return keras.Sequential([keras.Input((4,)), L.Dense(32, activation="relu"), L.Dense(n)])


@right("build_policy")
def functional(n):
    x = keras.Input((4,))
    return keras.Model(x, L.Dense(n)(L.Dense(16, activation="tanh")(x)))


@right("build_policy")
def deep(n):
    return keras.Sequential([keras.Input((4,)), L.Dense(24, activation="elu"),
                             L.Dense(24, activation="elu"), L.Dense(n, activation="linear")])


@right("build_policy")
class SubclassedPolicy(keras.Model):
    def __init__(self, n):
        super().__init__()
        self.n, self.hidden, self.top = n, L.Dense(20), L.Dense(n)

    def call(self, x):
        return self.top(keras.activations.gelu(self.hidden(x)))

    def get_config(self):
        return {"n": self.n}


def _stack(*layers):
    return keras.Sequential([keras.Input((4,)), *layers])


@wrong("build_policy", "softmax at the end")
def bp1(n):
    return _stack(L.Dense(32, activation="relu"), L.Dense(n, activation="softmax"))


@wrong("build_policy", "no hidden layer")
def bp2(n):
    return _stack(L.Dense(n))


@wrong("build_policy", "hidden layer without activation")
def bp3(n):
    return _stack(L.Dense(32), L.Dense(n))


@wrong("build_policy", "always two actions")
def bp4(n):
    return sequential(2)


@wrong("build_policy", "one output")
def bp5(n):
    return _stack(L.Dense(32, activation="relu"), L.Dense(1))


@wrong("build_policy", "not a model")
def bp6(n):
    return lambda x: np.zeros((len(x), n))


@wrong("build_policy", "returns None")
def bp7(n):
    sequential(n)


@wrong("build_policy", "sigmoid and normalised")
def bp8(n):
    return _stack(L.Dense(32, activation="relu"), L.Dense(n), L.Softmax())


@wrong("build_policy", "starts with its mind made up")
def bp9(n):
    return _stack(L.Dense(32, activation="relu"), L.Dense(n, bias_initializer=(
        lambda shape, dtype=None: 9.0 * tf.one_hot(0, shape[0]))))


# ---- choose_action ---------------------------------------------------------------------------


@right("choose_action")
def a_categorical(model, observations):
    return tf.random.categorical(model(observations), 1)[:, 0]


@right("choose_action")
def a_squeeze(model, observations):
    return tf.squeeze(tf.random.categorical(model(observations), 1), axis=1).numpy()


@right("choose_action")
def a_gumbel(model, observations):
    logits = np.asarray(model(observations))
    return (logits + np.random.default_rng().gumbel(size=logits.shape)).argmax(-1)


@right("choose_action")
def a_keras(model, observations):
    return keras.random.categorical(model(observations), 1)[..., 0]


@wrong("choose_action", "argmax")
def a1(model, observations):
    return tf.argmax(model(observations), -1)


@wrong("choose_action", "uniform")
def a2(model, observations):
    logits = model(observations)
    return np.random.default_rng().integers(0, logits.shape[-1], len(logits))


@wrong("choose_action", "softmax twice")
def a3(model, observations):
    return tf.random.categorical(tf.nn.softmax(model(observations)), 1)[:, 0]


@wrong("choose_action", "shape (batch, 1)")
def a4(model, observations):
    return tf.random.categorical(model(observations), 1)


@wrong("choose_action", "one action for all")
def a5(model, observations):
    first = tf.random.categorical(model(observations[:1]), 1)[0, 0]
    return tf.repeat(first, len(observations))


@wrong("choose_action", "probabilities")
def a6(model, observations):
    return tf.nn.softmax(model(observations))


@wrong("choose_action", "only the first observation")
def a7(model, observations):
    return int(tf.random.categorical(model(observations), 1)[0, 0])


@wrong("choose_action", "now and then greedy")
def a8(model, observations):
    logits = model(observations)
    greedy = np.random.default_rng().random(len(logits)) < 0.5
    return np.where(greedy, np.argmax(logits, -1), a_categorical(model, observations))


# ---- discounted_returns ----------------------------------------------------------------------


@right("discounted_returns")
def d_backwards(rewards, gamma):
    out, g = [], 0.0
    for r in list(rewards)[::-1]:
        g = float(r) + gamma * g
        out.append(g)
    return np.array(out[::-1])


@right("discounted_returns")
def d_double_sum(rewards, gamma):
    n = len(rewards)
    return [sum(gamma ** (k - t) * rewards[k] for k in range(t, n)) for t in range(n)]


@right("discounted_returns")
def d_matrix(rewards, gamma):
    t = np.arange(len(rewards))
    gap = t[None] - t[:, None]
    weights = np.where(gap >= 0, np.power(float(gamma), np.maximum(gap, 0)), 0.0)
    return weights @ np.asarray(rewards, "float64")


@right("discounted_returns")
def d_scan(rewards, gamma):
    return tf.scan(lambda g, r: r + tf.cast(gamma, tf.float32) * g, tf.cast(rewards, tf.float32),
                   reverse=True)


@wrong("discounted_returns", "not discounted")
def d1(rewards, gamma):
    return d_backwards(rewards, 1.0)


@wrong("discounted_returns", "discounted from the wrong end")
def d2(rewards, gamma):
    return d_backwards(list(rewards)[::-1], gamma)[::-1]


@wrong("discounted_returns", "one number for all steps")
def d3(rewards, gamma):
    return np.full(len(rewards), d_backwards(rewards, gamma)[0])


@wrong("discounted_returns", "own reward left out")
def d4(rewards, gamma):
    return d_backwards(rewards, gamma) - np.asarray(rewards)


@wrong("discounted_returns", "discount counts from the start of the episode")
def d5(rewards, gamma):
    t = np.arange(len(rewards))
    return np.cumsum((gamma ** t * rewards)[::-1])[::-1]


@wrong("discounted_returns", "whole numbers")
def d6(rewards, gamma):
    out = np.zeros_like(rewards)
    out[:] = d_backwards(rewards, gamma)
    return out


@wrong("discounted_returns", "own reward discounted")
def d7(rewards, gamma):
    return gamma * d_backwards(rewards, gamma)


@wrong("discounted_returns", "in place")
def d8(rewards, gamma):
    for t in range(len(rewards) - 2, -1, -1):
        rewards[t] += gamma * rewards[t + 1]
    return rewards


@wrong("discounted_returns", "normalised too")
def d9(rewards, gamma):
    g = d_backwards(rewards, gamma)
    return (g - g.mean()) / (g.std() + 1e-8)


# ---- normalize -------------------------------------------------------------------------------


@right("normalize")
def z_numpy(x):
    x = np.asarray(x, "float64")
    return (x - x.mean()) / (x.std() + 1e-8)


@right("normalize")
def z_tensorflow(x):
    x = tf.cast(x, tf.float64)
    mean = tf.reduce_mean(x)
    return tf.math.divide_no_nan(x - mean, tf.maximum(tf.math.reduce_std(x), 1e-6))


@right("normalize")
def z_if(x):
    x = np.array([float(v) for v in x])
    spread = np.sqrt(((x - np.mean(x)) ** 2).mean())
    return (x - np.mean(x)) / spread if spread > 1e-6 else np.zeros_like(x)


@right("normalize")
def z_keras(x):
    x = keras.ops.cast(x, "float64")
    return (x - keras.ops.mean(x)) / (keras.ops.std(x) + 1e-7)


@wrong("normalize", "NaN for a constant")
def z1(x):
    x = np.asarray(x, "float64")
    return (x - x.mean()) / x.std()


@wrong("normalize", "mean not subtracted")
def z2(x):
    return np.asarray(x) / (np.std(x) + 1e-8)


@wrong("normalize", "spread not divided")
def z3(x):
    return np.asarray(x) - np.mean(x)


@wrong("normalize", "divided by the variance")
def z4(x):
    return (np.asarray(x) - np.mean(x)) / (np.var(x) + 1e-8)


@wrong("normalize", "from 0 to 1")
def z5(x):
    x = np.asarray(x)
    return (x - x.min()) / (np.ptp(x) + 1e-8)


@wrong("normalize", "a large epsilon")
def z6(x):
    return (np.asarray(x) - np.mean(x)) / (np.std(x) + 1.0)


@wrong("normalize", "divided by the norm")
def z7(x):
    x = np.asarray(x) - np.mean(x)
    return x / (np.linalg.norm(x) + 1e-8)


@wrong("normalize", "sign turned")
def z8(x):
    return -np.asarray(z_numpy(x))


# ---- policy_gradient_loss --------------------------------------------------------------------


@right("policy_gradient_loss")
def l_sparse(logits, actions, advantages):
    nll = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=actions, logits=logits)
    return tf.reduce_mean(nll * tf.stop_gradient(advantages))


@right("policy_gradient_loss")
def l_one_hot(logits, actions, advantages):
    log_pi = tf.nn.log_softmax(logits)
    chosen = tf.reduce_sum(tf.one_hot(actions, logits.shape[-1]) * log_pi, -1)
    return -tf.reduce_mean(chosen * tf.stop_gradient(tf.cast(advantages, chosen.dtype)))


@right("policy_gradient_loss")
def l_gather(logits, actions, advantages):
    chosen = tf.gather(tf.nn.log_softmax(logits), actions, batch_dims=1)
    return tf.reduce_sum(-chosen * tf.stop_gradient(advantages)) / len(chosen)


@right("policy_gradient_loss")
def l_keras(logits, actions, advantages):
    nll = keras.losses.sparse_categorical_crossentropy(actions, logits, from_logits=True)
    return keras.ops.mean(nll * keras.ops.stop_gradient(advantages))


@wrong("policy_gradient_loss", "gradient through the advantages")
def pl1(logits, actions, advantages):
    nll = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=actions, logits=logits)
    return tf.reduce_mean(nll * advantages)


@wrong("policy_gradient_loss", "sign lost")
def pl2(logits, actions, advantages):
    return -l_sparse(logits, actions, advantages)


@wrong("policy_gradient_loss", "sum")
def pl3(logits, actions, advantages):
    return len(actions) * l_sparse(logits, actions, advantages)


@wrong("policy_gradient_loss", "advantages forgotten")
def pl4(logits, actions, advantages):
    return l_sparse(logits, actions, tf.ones_like(advantages))


@wrong("policy_gradient_loss", "softmax twice")
def pl5(logits, actions, advantages):
    return l_sparse(tf.nn.softmax(logits), actions, advantages)


@wrong("policy_gradient_loss", "size of the advantage only")
def pl6(logits, actions, advantages):
    return l_sparse(logits, actions, tf.abs(advantages))


@wrong("policy_gradient_loss", "probability for log-probability")
def pl7(logits, actions, advantages):
    p = tf.gather(tf.nn.softmax(logits), actions, batch_dims=1)
    return -tf.reduce_mean(p * tf.stop_gradient(advantages))


@wrong("policy_gradient_loss", "no mean")
def pl8(logits, actions, advantages):
    nll = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=actions, logits=logits)
    return nll * tf.stop_gradient(advantages)


@wrong("policy_gradient_loss", "NumPy cuts the gradient")
def pl9(logits, actions, advantages):
    return l_sparse(tf.constant(logits.numpy()), actions, advantages)


@wrong("policy_gradient_loss", "the likeliest action instead of the one taken")
def pl10(logits, actions, advantages):
    return l_sparse(logits, tf.argmax(logits, -1), advantages)


@wrong("policy_gradient_loss", "overflows")
def pl11(logits, actions, advantages):
    e = tf.exp(logits)
    p = tf.gather(e / tf.reduce_sum(e, -1, keepdims=True), actions, batch_dims=1)
    return -tf.reduce_mean(tf.math.log(p) * tf.stop_gradient(advantages))


# ---- train_step ------------------------------------------------------------------------------


def _grads(model, observations, actions, advantages):
    with tf.GradientTape() as tape:
        loss = l_sparse(model(observations), actions, advantages)
    return loss, tape.gradient(loss, model.trainable_variables)


@right("train_step")
def ts_zip(model, optimizer, observations, actions, advantages):
    loss, gradients = _grads(model, observations, actions, advantages)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss


@right("train_step")
def ts_apply(model, optimizer, observations, actions, advantages):
    loss, gradients = _grads(model, observations, actions, advantages)
    optimizer.apply(gradients, model.trainable_variables)
    return loss.numpy()


@right("train_step")
@tf.function
def ts_compiled(model, optimizer, observations, actions, advantages):
    loss, gradients = _grads(model, observations, actions, advantages)
    optimizer.apply(gradients, model.trainable_variables)
    return loss


@right("train_step")
def ts_watch(model, optimizer, observations, actions, advantages):
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([v.value for v in model.trainable_variables])
        loss = l_one_hot(model(observations, training=True), actions, advantages)
    gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return float(loss)


@wrong("train_step", "uphill")
def ts1(model, optimizer, observations, actions, advantages):
    loss, gradients = _grads(model, observations, actions, advantages)
    optimizer.apply([-g for g in gradients], model.trainable_variables)
    return loss


@wrong("train_step", "no update")
def ts2(model, optimizer, observations, actions, advantages):
    return _grads(model, observations, actions, advantages)[0]


@wrong("train_step", "two updates")
def ts3(model, optimizer, observations, actions, advantages):
    loss = ts_zip(model, optimizer, observations, actions, advantages)
    ts_zip(model, optimizer, observations, actions, advantages)
    return loss


@wrong("train_step", "returns None")
def ts4(model, optimizer, observations, actions, advantages):
    ts_zip(model, optimizer, observations, actions, advantages)


@wrong("train_step", "loss after the update")
def ts5(model, optimizer, observations, actions, advantages):
    ts_zip(model, optimizer, observations, actions, advantages)
    return l_sparse(model(observations), actions, advantages)


@wrong("train_step", "only the weights, not the biases")
def ts6(model, optimizer, observations, actions, advantages):
    loss, gradients = _grads(model, observations, actions, advantages)
    model.trainable_variables[0].assign_sub(0.5 * gradients[0])
    return loss


@wrong("train_step", "advantages forgotten")
def ts7(model, optimizer, observations, actions, advantages):
    return ts_zip(model, optimizer, observations, actions, tf.ones_like(advantages))


@wrong("train_step", "gradient clipped")
def ts8(model, optimizer, observations, actions, advantages):
    loss, gradients = _grads(model, observations, actions, advantages)
    optimizer.apply(tf.clip_by_global_norm(gradients, 0.01)[0], model.trainable_variables)
    return loss
