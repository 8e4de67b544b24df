"""Checks of Lab 3, Part B: Pong from pixels and PPO."""

import numpy as np

from .checker import Checker, Stop
from .checks_lab1_model import not_probabilities

BACKGROUND, BALL, PADDLE = (144, 72, 17), (236, 236, 236), (92, 186, 92)   # Pong's own colours


def _grey(color) -> int:
    return int(round(0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]))


def pong_frame(ball=(100, 80), paddle=100, score=0, color=True) -> np.ndarray:
    """A frame as the emulator draws it: walls, score, paddles, ball at (row, column)."""
    frame = np.zeros((210, 160, 3), np.uint8)
    frame[34:194] = BACKGROUND
    frame[24:34] = frame[194:] = BALL
    frame[2:22, 36:36 + 12 * (score % 5 + 1)] = PADDLE     # the score, above the field
    frame[paddle:paddle + 16, 140:144] = PADDLE
    frame[90:106, 16:20] = (213, 130, 74)
    if ball is not None:
        frame[ball[0]:ball[0] + 4, ball[1]:ball[1] + 2] = BALL
    if color:
        return frame
    weights = np.array([0.299, 0.587, 0.114])
    return np.uint8(np.round(frame @ weights))


def preprocess(answer, check: Checker) -> None:
    """Raw frames to small images."""
    for color in (False, True):
        kind = "colour" if color else "grey"
        rows = check.rng.integers(60, 160, 5)
        frames = np.stack([pong_frame((row, 80), color=color) for row in rows])
        kept = frames.copy()
        images = check.array(f"{kind} frames", check.call(f"{kind} frames of shape "
                             f"{frames.shape}", answer, frames))
        if not check.that(f"5 {kind} frames give 5 small images, (batch, height, width)",
                          images.ndim in (3, 4) and len(images) == 5
                          and images[0].size <= 84 * 84 and images[0].size >= 300,
                          "shape (5, height, width), at most 84 x 84", images,
                          "Crop to the field, take every second or fourth pixel, or means."):
            return
        check.that(f"the {kind} frames given are not changed", np.array_equal(frames, kept),
                   "the same frames", "changed frames", "Work on a copy.")
        def one(title="a frame", color=color, **what):
            return check.array(title, check.call(title, answer, pong_frame(
                color=color, **what)[None])).astype("float64")[0]
        base = one(ball=(100, 80), paddle=80)
        check.that(f"{kind}: the ball can be seen, wherever it is",
                   all(np.abs(one(ball=(row, column), paddle=80) - one(ball=None, paddle=80)).max()
                       > 1e-3 for row in range(60, 160, 7) for column in (40, 61, 83, 102, 121)),
                   "another image with a ball", "the same image", "Subsampling by 4 can miss a "
                   "ball of 2 x 4 pixels: take block means or maxima.")
        check.that(f"{kind}: the ball's movement can be seen",
                   np.abs(one(ball=(112, 80), paddle=80) - base).max() > 1e-3, "another image",
                   "the same image", "Keep enough resolution.")
        check.that(f"{kind}: the agent's paddle can be seen",
                   np.abs(one(ball=(100, 80), paddle=120) - base).max() > 1e-3, "another image",
                   "the same image", "The right paddle is at columns 140 to 143.")
        check.that(f"{kind}: the score is cut off",
                   np.abs(one(ball=(100, 80), paddle=80, score=3) - base).max() < 1e-6,
                   "the same image at another score", "another image",
                   "The field is rows 34 to 193.")
        flat = images.reshape(5, -1).astype("float64")
        check.that(f"{kind}: most of the image, the background, is 0",
                   (np.abs(flat) < 1e-6).mean() > 0.7, "zeros", float((flat == 0).mean()),
                   "Mark what differs from the background colour.")
        check.that(f"{kind}: numbers are between -2 and 2", np.abs(flat).max() <= 2.001,
                   "at most 2", float(np.abs(flat).max()), "Networks like numbers of size 1.")


def _returns_by_point(rewards, gamma):
    returns, following = np.zeros(len(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        following = rewards[t] + (0.0 if rewards[t] != 0 else gamma * following)
        returns[t] = following
    return returns


def pong_returns(answer, check: Checker) -> None:
    """Discounted returns that start afresh at every point."""
    rewards = np.array([0, 0, 1, 0, -1], "float32")
    value = check.call("two points", answer, rewards, 0.5)
    check.close("rewards 0, 0, 1, 0, -1 and gamma 0.5 give 0.25, 0.5, 1, -0.5, -1", value,
                [0.25, 0.5, 1, -0.5, -1], "Where the reward is not 0 a point ends: what comes "
                "after it does not count.")
    for gamma in (0.0, 0.9, 1.0):
        rewards = check.rng.choice([0, 0, 0, 0, 1, -1], 60).astype("float32")
        value = check.call(f"gamma {gamma}", answer, rewards, gamma)
        check.close(f"60 steps with gamma = {gamma:g}", value, _returns_by_point(rewards, gamma),
                    "Go from the end; at a point forget what you have summed.")
    rewards = check.rng.choice([0, 0, 0, 1, -1], 30).astype("int32")
    value = check.call("whole-number rewards", answer, rewards, 0.9)
    check.close("the emulator's whole-number rewards are not rounded", value,
                _returns_by_point(rewards, 0.9), "Ask for an array of floats.")


def build_pong_policy(answer, check: Checker) -> None:
    """Small images to (logits, value)."""
    for actions in (3, 6):
        model = check.call(f"it builds for {actions} actions", answer, actions)
        if not check.that("it returns a Keras model", check.is_a(model, "model"),
                          "a keras.Model", type(model).__name__, "Return keras.Model(inputs, "
                          "[logits, value])."):
            return
        shape = tuple(model.input_shape[1:])
        if not check.that("its input is an image of fixed size", len(shape) >= 2 and all(shape),
                          "(height, width, 2)", str(shape), "keras.Input((height, width, 2))."):
            return
        x = check.normal(4, *shape)
        outputs = check.call("it takes 4 images", model, x)
        if not check.that("it gives two outputs, logits and value",
                          isinstance(outputs, (list, tuple)) and len(outputs) == 2,
                          "[logits, value]", type(outputs).__name__, "keras.Model(inputs, [logits, "
                          "value])."):
            return
        logits = check.array("logits", outputs[0], (4, actions), "Dense(num_actions) on top.")
        value = check.array("value", outputs[1], hint="Dense(1) on top.")
        check.that(f"4 images give logits (4, {actions}) and values (4, 1)",
                   value.shape in ((4, 1), (4,)), "(4, 1)", value, "One value an image.")
    check.that("the logits are no probabilities",
               not_probabilities(model, x, check, lambda output: output[0]), "any real numbers",
               "rows that sum to 1", "No softmax at the end.")
    check.that("at most 1,000,000 parameters", model.count_params() <= 1_000_000, "1,000,000",
               model.count_params(), "A small network learns sooner on two cores.")
    check.that("the image matters", np.abs(np.asarray(logits)[0] - np.asarray(logits)[1]).max()
               > 1e-9, "other logits for another image", "the same", "Connect the input.")


def reference_advantages(rewards, values, dones, gamma, lam):
    """Generalised advantage estimation (Schulman and others, 2016)."""
    advantages, following = np.zeros(rewards.shape), np.zeros(rewards.shape[1])
    for t in reversed(range(len(rewards))):
        going = 1.0 - dones[t]
        delta = rewards[t] + gamma * values[t + 1] * going - values[t]
        advantages[t] = following = delta + gamma * lam * going * following
    return advantages


def generalized_advantages(answer, check: Checker) -> None:
    """A_t = delta_t + gamma lam (1 - done_t) A_(t+1)."""
    rewards, values = check.normal(12, 3), check.normal(13, 3)
    dones = (check.rng.random((12, 3)) < 0.2)
    dones[4, 1] = dones[11, 2] = True
    never = np.zeros((12, 3), bool)
    cases = [("lam = 0 gives r + gamma V(next) - V", never, 0.9, 0.0),
             ("gamma = lam = 1 gives the sum of rewards plus the last value, minus V", never, 1, 1),
             ("without an end, gamma 0.99 and lam 0.95", never, 0.99, 0.95),
             ("an end cuts off what follows", dones, 0.99, 0.95)]
    for title, ends, gamma, lam in cases:
        value = check.call(title, answer, rewards, values, ends.astype("float32"), gamma, lam)
        check.close(title, value, reference_advantages(rewards, values, ends, gamma, lam),
                    "delta_t = r_t + gamma V_(t+1) (1 - done_t) - V_t, then from the end "
                    "A_t = delta_t + gamma lam (1 - done_t) A_(t+1).")
    value = check.call("dones as booleans", answer, rewards, values, dones, 0.99, 0.95)
    check.close("dones may be booleans", value,
                reference_advantages(rewards, values, dones, 0.99, 0.95),
                "Turn them into numbers first: 1 - dones fails on booleans.")


def ppo_loss(answer, check: Checker) -> None:
    """Minus the clipped surrogate (Schulman and others, 2017)."""
    def run(title, log_probs, old, advantages, clip):
        loss, (gradient,) = check.gradients(title, answer, np.float32(log_probs), np.float32(old),
                                            np.float32(advantages), clip, wrt=(0,))
        loss = check.array("the loss is one number", loss, (), "Take the mean.")
        return loss, np.zeros(len(log_probs)) if gradient is None else gradient

    old = -np.abs(check.normal(40)) - 0.1
    new, advantages = old + 0.4 * check.normal(40), check.normal(40)
    for clip in (0.2, 0.05):
        ratio = np.exp(new - old)
        wanted = -np.minimum(ratio * advantages,
                             np.clip(ratio, 1 - clip, 1 + clip) * advantages).mean()
        try:
            loss, _ = run(f"clip {clip}", new, old, advantages, clip)
        except Stop:
            return
        check.close(f"with clip = {clip:g} it is minus the mean of min(r A, clip(r) A)", loss,
                    wanted, "r = exp(log_prob - old_log_prob); the minimum; the mean; a minus, as "
                    "it is minimised.")
    _, gradient = run("no change yet", old, old, advantages, 0.2)
    check.close("where nothing has changed the gradient is that of the policy gradient", gradient,
                -advantages / 40, "At r = 1 nothing is clipped.")
    cases = np.log([1.5, 1.5, 0.5, 0.5])
    _, gradient = run("four ratios", cases, np.zeros(4), [1.0, -1.0, 1.0, -1.0], 0.2)
    check.close("it stops pushing where the ratio left the range in the good direction, only there",
                gradient, np.array([0, 1.5, -0.5, 0]) / 4, "Take the minimum of both terms: a "
                "clipped ratio alone forgets to pull back.")


PONG_CHECKS = {"preprocess": preprocess, "pong_returns": pong_returns,
               "build_pong_policy": build_pong_policy,
               "generalized_advantages": generalized_advantages, "ppo_loss": ppo_loss}
