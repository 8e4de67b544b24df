"""Checks of Lab 3, Part A: policies, returns and the policy gradient."""

import numpy as np

from .checker import Checker
from .checks_lab1_model import not_probabilities, softmax
from .checks_lab3_pong import PONG_CHECKS


def _model(value, check: Checker) -> bool:
    return check.that("it returns a Keras model", check.is_a(value, "model"), "a keras.Model",
                      type(value).__name__, "Return keras.Sequential([...]) or keras.Model(...).")


def build_policy(answer, check: Checker) -> None:
    """(batch, 4) observations to logits."""
    for actions in (2, 5):
        model = check.call(f"it builds for {actions} actions", answer, actions)
        if not _model(model, check):
            return
        for batch in (1, 7):
            logits = check.call(f"it takes {batch} observations", model, check.normal(batch, 4))
            check.array(f"{batch} observations give shape ({batch}, {actions})", logits,
                        (batch, actions), "The last layer has num_actions units.")
    check.that("any batch and number of actions", True)
    x = check.normal(6, 4)
    check.that("the outputs are logits, not probabilities", not_probabilities(model, x, check),
               "any real numbers", "rows that sum to 1 and are never negative",
               "No softmax at the end: sampling and loss take logits.")
    a, b = check.normal(16, 4), check.normal(16, 4)
    mixed, ends = np.asarray(model(0.5 * (a + b))), 0.5 * np.asarray(model(a) + model(b))
    check.that("it has a hidden layer with an activation", np.abs(mixed - ends).max() > 1e-6,
               "a function that is not linear", "a linear one", "Put a Dense layer with "
               "activation='relu' before the last.")
    probabilities = softmax(np.asarray(model(0.05 * check.normal(64, 4))))
    check.that("untrained, it tries all actions", probabilities.min() > 0.02,
               "every action with probability above 0.02", float(probabilities.min()),
               "Keep Keras's default initial weights.")


def choose_action(answer, check: Checker) -> None:
    """Ids sampled from softmax(logits)."""
    import keras

    logits = np.array([0.9, -0.6, 0.2], "float32")
    check.rng.shuffle(logits)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.set_weights([np.zeros((4, 3)), logits])
    n = 20_000
    ids = check.call("20,000 observations", answer, model, check.normal(n, 4))
    ids = check.array("one action an observation, shape (batch,)", ids, (n,), integer=True,
                      hint="tf.random.categorical gives shape (batch, 1): take its column.")
    if not check.that("actions lie in 0 ... num_actions - 1", ids.min() >= 0 and ids.max() < 3,
                      "0 to 2", f"{ids.min()} to {ids.max()}", "Sample over the last axis."):
        return
    counts, wanted = np.bincount(ids, minlength=3), n * softmax(logits)
    chi_square = float(((counts - wanted) ** 2 / wanted).sum())   # 2 degrees of freedom
    check.that("frequencies follow softmax(logits)", chi_square < 50, wanted / n, counts / n,
               "Sample from the logits: not the argmax, not a uniform draw, no second softmax.")
    model.set_weights([40 * np.eye(4, 3), np.zeros(3)])
    best = check.rng.integers(0, 3, 30)
    ids = check.array("rows of their own", check.call("rows of their own", answer, model,
                      np.eye(4, dtype="float32")[best]), (30,), integer=True)
    check.that("each observation has its own distribution", np.array_equal(ids, best), best, ids,
               "Use the model's logits of every row.")


def reference_returns(rewards, gamma):
    """G_t = r_t + gamma G_(t+1)."""
    returns, following = np.zeros(len(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        returns[t] = following = rewards[t] + gamma * following
    return returns


def discounted_returns(answer, check: Checker) -> None:
    """Return to go, discounted."""
    value = check.call("three rewards of 1", answer, np.ones(3, "float32"), 0.5)
    check.close("rewards 1, 1, 1 and gamma 0.5 give 1.75, 1.5, 1", value, [1.75, 1.5, 1.0],
                "From the end: G_t = r_t + gamma G_(t+1). The last return is the last reward.")
    for gamma, what in ((0.0, "the rewards themselves"), (1.0, "the plain sum of what follows"),
                        (0.93, "the double sum")):
        rewards = check.normal(40)
        value = check.call(f"gamma {gamma}", answer, rewards, gamma)
        check.close(f"gamma = {gamma:g} gives {what}", value, reference_returns(rewards, gamma),
                    "gamma to the power of the distance in time, and only rewards from t on.")
    rewards = np.array([0, 0, -1, 0, 1], "int32")
    value = check.call("whole-number rewards", answer, rewards, 0.9)
    check.close("whole-number rewards are not rounded", value, reference_returns(rewards, 0.9),
                "np.zeros_like(rewards) of integers holds integers: ask for floats.")
    given = check.normal(5)
    kept = given.copy()
    check.call("its input", answer, given, 0.9)
    check.that("the rewards given are not changed", np.array_equal(given, kept), kept, given,
               "Write into a new array.")


def normalize(answer, check: Checker) -> None:
    """Zero mean, unit standard deviation."""
    for scale, shift in ((1.0, 0.0), (250.0, 40.0), (0.01, -3.0)):
        x = (scale * check.normal(50) + shift).astype("float32")
        value = check.call("a vector", answer, x)
        check.close(f"a vector with mean near {shift:g} and spread {scale:g}", value,
                    (x - x.mean(dtype="float64")) / x.std(dtype="float64"),
                    "Subtract the mean, divide by the standard deviation.", 5e-3)
    for constant in (0.0, 5.0, 0.1):
        value = check.call("a constant vector", answer, np.full(9, constant, "float32"))
        check.close(f"a vector of {constant:g} gives zeros, not NaN", value, np.zeros(9),
                    "The standard deviation is 0 there: add something tiny before dividing.", 1e-2)


def _gradients(answer, check: Checker, title, logits, actions, advantages):
    """The loss, and its gradients in logits and advantages (None where there is none)."""
    loss, gradients = check.gradients(title, answer, logits, actions, advantages, wrt=(0, 2))
    return check.array("the loss is one number", loss, (), "Take the mean."), gradients


def policy_gradient_loss(answer, check: Checker) -> None:
    """mean(advantage * cross-entropy)."""
    logits, advantages = check.normal(12, 3), check.normal(12)
    actions = check.rng.integers(0, 3, 12)
    p = softmax(logits.astype("float64"))
    chosen = -np.log(p[np.arange(12), actions])
    loss, gradients = _gradients(answer, check, "12 actions", logits, actions, advantages)
    check.close("the mean of -log pi(action) times advantage", loss, (chosen * advantages).mean(),
                "Cross-entropy from logits with the actions as labels, times the advantages, then "
                "the mean.")
    wanted = (p - np.eye(3)[actions]) * advantages[:, None] / 12
    got = np.zeros_like(wanted) if gradients[0] is None else gradients[0]
    check.close("going down it raises log pi of actions with positive advantage", got, wanted,
                "No argmax, no NumPy between logits and loss; the sign: loss = +advantage * "
                "cross-entropy.")
    flows = gradients[1] is not None and np.abs(gradients[1]).max(initial=0) > 1e-9
    check.that("no gradient flows through the advantages", not flows, "none",
               "a gradient in advantages", "They are numbers that judge the actions: "
               "tf.stop_gradient(advantages).")
    large = np.zeros((4, 2), "float32")
    large[:, 0] = 1000
    loss, _ = _gradients(answer, check, "logits of 1000", large, np.array([0, 1, 0, 1]),
                         np.ones(4, "float32"))
    check.close("logits of 1000 do not overflow", loss, 500.0, "Let the library take the log of "
                "the softmax.")


def train_step(answer, check: Checker) -> None:
    """One update down the gradient of the policy-gradient loss."""
    import keras
    import tensorflow as tf

    observations, advantages = check.normal(20, 4), check.normal(20)
    actions = check.rng.integers(0, 2, 20)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    before = [check.normal(4, 2), check.normal(2)]
    model.set_weights(before)
    optimizer = keras.optimizers.SGD(0.5)
    optimizer.build(model.trainable_variables)
    p = softmax(observations @ before[0] + before[1])
    error = (p - np.eye(2)[actions]) * advantages[:, None] / 20
    wanted_loss = (-np.log(p[np.arange(20), actions]) * advantages).mean()
    loss = check.call("it runs", answer, model, optimizer, tf.constant(observations),
                      tf.constant(actions), tf.constant(advantages))
    check.close("it returns the loss before the update", check.array("the loss is one number",
                loss, ()), wanted_loss, "Return the loss that the tape recorded; is "
                "policy_gradient_loss right?")
    for old, new, gradient, name in zip(before, model.get_weights(),
                                        (observations.T @ error, error.sum(axis=0)),
                                        ("weights", "biases"), strict=True):
        check.close(f"the {name} move one step down the gradient, once", new, old - 0.5 * gradient,
                    "optimizer.apply_gradients(zip(gradients, model.trainable_variables)), of all "
                    "variables.", 1e-3)


CHECKS = {"build_policy": build_policy, "choose_action": choose_action,
          "discounted_returns": discounted_returns, "normalize": normalize,
          "policy_gradient_loss": policy_gradient_loss, "train_step": train_step, **PONG_CHECKS}
