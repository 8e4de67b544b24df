# %% [markdown]
# # Lab 3: Reinforcement learning
#
# Nobody tells the network the right answer here. It acts, the world answers with a reward now and
# then, and from that alone it must find out which of its actions were good.
#
# - **Part A** balances a pole on a cart, in seconds, and climbs the ladder of *credit assignment*:
#   which action earned the reward?
# - **Part B** learns Pong from the pixels of the screen, in minutes, on an ordinary processor.
#
# Cells with a `YOUR CODE HERE` are yours to write; the cell below each one checks your answer.
# Where the text says **Predict**, write your guess down before you run the cell.

# %%
import functools
import time
from collections import deque

import matplotlib.pyplot as plt
import numpy as np

import lab_utils
from lab_utils import Grader, budget, quiet_start, use_style
from lab_utils.config import MODELS, output_dir
from lab_utils.rl import cartpole, pong
from lab_utils.rl.forward import forward
from lab_utils.rl.video import beside, label, show_video, write_video

with quiet_start():   # holds back TensorFlow's start-up notices
    import keras
    import tensorflow as tf

SEED = 1
keras.utils.set_random_seed(SEED)   # Python, NumPy and TensorFlow at once
use_style()
grader = Grader("lab3")
print(f"TensorFlow {tf.__version__}, Keras {keras.__version__}, lab_utils {lab_utils.__version__}, "
      f"{len(tf.config.list_physical_devices('GPU'))} GPU, budget: {budget()}")

# %% [markdown]
# All settings stand here. `LAB_BUDGET=quick` selects the short trainings; Pong then loads the
# weights of a full run that come with the lab.

# %%
CARTPOLE = dict(
    envs=64,               # episodes played at once, between two updates
    hidden=32,             # units of the policy's hidden layer
    learning_rate=5e-2,    # of Adam
    gamma=0.99,            # discount
    max_updates=80,        # give up after so many
)
LADDER = {"full": dict(seeds=5, updates=30, episodes=1000),
          "quick": dict(seeds=1, updates=15, episodes=320)}[budget()]   # of A5 and A6
OTHER_SEEDS = {"full": 10, "quick": 2}[budget()]   # trainings from other random starts
PONG = {
    "full": dict(
        envs=64,             # games played at once
        steps=64,            # time steps between two updates
        updates=560,         # of 64 x 64 = 4,096 agent steps each
        epochs=4,            # passes over the same steps
        minibatch=512,       # agent steps in one gradient
        learning_rate=2.5e-3,  # of Adam, at the start
        halved_after=80,     # updates; a third is left after twice as many, and so on
        memories=16,         # of earlier updates, from which the critic learns too
        kept=1024,           # agent steps of each
        gamma=0.98,          # discount
        lam=0.85,            # of the generalised advantages
        clip=0.2,            # of the probability ratio
        value_weight=0.5,    # of the critic's loss
        entropy_weight=0.002,  # keeps the policy trying
        max_norm=0.5,        # longest gradient
        reinforce_updates=40,  # of the first attempt
        games=20,            # evaluation games, each to 21 points
        game_steps=pong.MAX_STEPS,   # longest of them: half an hour, the standard's limit
        use_shipped=False,   # load the weights that come with the lab after training
    ),
}
PONG["quick"] = PONG["full"] | dict(envs=16, updates=4, reinforce_updates=2, games=2,
                                     game_steps=1000, use_shipped=True)
PONG = PONG[budget()]

# %% [markdown]
# # Part A: CartPole
#
# ## A1. Agent and environment
#
# At every step $t$ the **agent** sees an **observation** $s_t$ and chooses an **action** $a_t$; the
# **environment** answers with a **reward** $r_t$ and the next observation. Here the observation is
# four numbers (the cart's position and speed, the pole's angle and its speed), the action pushes
# the cart left or right, and every step on which the pole still stands earns 1. An episode ends
# when the pole falls, the cart leaves the track, or after 500 steps.
#
# The agent's **policy** $\pi(a \mid s)$ is a network that turns an observation into one logit for
# each action.

# %% exercise="build_policy"
def build_policy(num_actions):
    """Keras model: observations (batch, 4) to logits (batch, num_actions)."""
    ### BEGIN SOLUTION
    return keras.Sequential([
        keras.Input((4,)),
        keras.layers.Dense(CARTPOLE["hidden"], activation="relu"),
        keras.layers.Dense(num_actions),
    ])
    ### END SOLUTION

# %% check="build_policy"
grader.check("build_policy", build_policy)

# %% [markdown]
# The agent *samples* its action from $\mathrm{softmax}(\text{logits})$. If it always took the
# likeliest action it would never find out whether another one is better.
#
# `tf.random.categorical(logits, 1)` draws such samples, as a column. But the agent acts some
# thousand times in a row, on a few numbers each time, and a call of TensorFlow takes many times
# longer than their arithmetic. NumPy is quicker here, by a neat fact: with independent noise
# $g_i = -\log(-\log u_i)$, each $u_i$ uniform in $(0, 1)$, the largest of
# $\text{logit}_i + g_i$ is at $i$ with just the probability that softmax gives to $i$ (the
# *Gumbel-max trick*; Maddison and others, 2014). `np.random.gumbel(size=shape)` draws the noise.

# %% exercise="choose_action"
def choose_action(model, observations):
    """Actions (batch,) sampled from softmax(model(observations))."""
    ### BEGIN SOLUTION
    logits = np.asarray(model(observations))
    return np.argmax(logits + np.random.gumbel(size=logits.shape), axis=-1)
    ### END SOLUTION

# %% check="choose_action"
grader.check("choose_action", choose_action)

# %% [markdown]
# `play` lets 64 environments run at once, each for one episode, and gives back all that happened:
# this is the agent's **memory** until the next update.
#
# **Predict**: how many steps does an untrained policy keep the pole up?

# %%
def actor(model):
    """The policy as it is now, for many quick calls: observations to sampled actions."""
    now = forward(model)   # the same layers in NumPy, with a copy of the weights
    return lambda observations: choose_action(now, observations)

# %%
envs = cartpole.make_vector(CARTPOLE["envs"])
policy = build_policy(2)
episodes = cartpole.play(envs, actor(policy), seed=SEED)
print(f"steps of the {CARTPOLE['envs']} episodes:", episodes.lengths)

# %% [markdown]
# ## A2. Return
#
# An action is good if much reward **follows** it, and soon. The discounted return from step $t$ is
#
# $$ G_t = \sum_{k \ge 0} \gamma^k\, r_{t+k} = r_t + \gamma\, G_{t+1} $$
#
# The right-hand form goes through the episode once, from its end.

# %% exercise="discounted_returns"
def discounted_returns(rewards, gamma):
    """G_t of one episode: floats of the same length as ``rewards``, (time,)."""
    ### BEGIN SOLUTION
    returns = np.zeros(len(rewards), dtype="float32")
    following = 0.0
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * following
        returns[t] = following
    return returns
    ### END SOLUTION

# %% check="discounted_returns"
grader.check("discounted_returns", discounted_returns)

# %% [markdown]
# All returns of CartPole are positive, so "much" has to be compared with something. Subtract the
# mean and divide by the standard deviation: half of the actions then count as better than usual,
# half as worse, and the scale is the same from update to update.

# %% exercise="normalize"
def normalize(x):
    """x (n,) with zero mean and unit standard deviation; a constant x gives zeros."""
    ### BEGIN SOLUTION
    x = np.asarray(x, dtype="float64")
    return ((x - x.mean()) / (x.std() + 1e-8)).astype("float32")
    ### END SOLUTION

# %% check="normalize"
grader.check("normalize", normalize)

# %% [markdown]
# ## A3. The policy gradient
#
# REINFORCE (Williams, 1992): make good actions likelier and bad ones less likely, in proportion to
# how good they were. With an *advantage* $A_t$ for each action, minimise
#
# $$ L = \frac{1}{N} \sum_t A_t \cdot \bigl(-\log \pi(a_t \mid s_t)\bigr) $$
#
# It is the loss of a classifier whose labels are the actions taken, each weighted by its
# advantage. The advantages are given numbers: no gradient goes through them.

# %% exercise="policy_gradient_loss"
def policy_gradient_loss(logits, actions, advantages):
    """Scalar loss; logits (batch, num_actions), actions (batch,), advantages (batch,)."""
    ### BEGIN SOLUTION
    negative_log_prob = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=actions,
                                                                       logits=logits)
    return tf.reduce_mean(negative_log_prob * tf.stop_gradient(advantages))
    ### END SOLUTION

# %% check="policy_gradient_loss"
grader.check("policy_gradient_loss", policy_gradient_loss)

# %% exercise="train_step"
@tf.function(reduce_retracing=True)   # compiled at the first call
def train_step(model, optimizer, observations, actions, advantages):
    """One update of the policy; returns the loss before it."""
    ### BEGIN SOLUTION
    with tf.GradientTape() as tape:
        loss = policy_gradient_loss(model(observations), actions, advantages)
    variables = model.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
    return loss
    ### END SOLUTION

# %% check="train_step"
grader.check("train_step", train_step)

# %% [markdown]
# ## A4. Learn to balance
#
# Play 64 episodes, compute the returns of each, normalise them all together, make one update, and
# again. The training stops when a batch has (nearly) never dropped the pole.

# %%
def discounted_credit(episodes):
    """Advantage of every action: its discounted return, normalised over the batch."""
    rewards = episodes.split(episodes.rewards)
    return normalize(np.concatenate([discounted_returns(r, CARTPOLE["gamma"]) for r in rewards]))


def train_cartpole(seed, credit=discounted_credit, envs=CARTPOLE["envs"],
                   learning_rate=CARTPOLE["learning_rate"], updates=CARTPOLE["max_updates"],
                   stop=490):
    """Train a policy; returns it, the mean episode length by update, and the seconds."""
    keras.utils.set_random_seed(seed)
    model = build_policy(2)
    optimizer = keras.optimizers.Adam(learning_rate)
    optimizer.build(model.trainable_variables)
    world = cartpole.make_vector(envs)
    started, lengths = time.perf_counter(), []
    train_step.get_concrete_function(      # compiled for batches of any length
        model, optimizer, tf.TensorSpec((None, 4)), tf.TensorSpec((None,), tf.int64),
        tf.TensorSpec((None,)))
    for update in range(updates):
        episodes = cartpole.play(world, actor(model),
                                 seed=1000 * seed if update == 0 else None)
        lengths.append(episodes.lengths.mean())
        if stop and lengths[-1] >= stop:
            break
        train_step(model, optimizer, tf.constant(episodes.observations),
                   tf.constant(episodes.actions), tf.constant(credit(episodes)))
    world.close()
    return model, lengths, time.perf_counter() - started

# %%
policy, lengths, cartpole_seconds = train_cartpole(SEED)
print(f"{len(lengths)} updates, {cartpole_seconds:.1f} s")
fig, ax = plt.subplots()
ax.plot(range(1, len(lengths) + 1), lengths, marker="o", markersize=4)
ax.set(xlabel="update", ylabel=f"mean steps of {CARTPOLE['envs']} episodes", ylim=(0, 510))
plt.show()

# %% [markdown]
# The environment counts as solved when 100 fresh episodes last 475 steps on average. Judge the
# policy apart from the training, on episodes it has never seen.

# %%
cartpole_returns = cartpole.evaluate(actor(policy))
print(f"100 evaluation episodes: mean return {cartpole_returns.mean():.1f}, "
      f"worst {cartpole_returns.min():.0f}")

# %% [markdown]
# Was that luck? Other seeds:

# %%
rows = []
for seed in range(OTHER_SEEDS):
    model, curve, seconds = train_cartpole(seed)
    rows.append((seed, len(curve), seconds, cartpole.evaluate(actor(model)).mean()))
    print("seed {}: {:2} updates, {:4.1f} s, evaluation {:.1f}".format(*rows[-1]))
print(f"median {np.median([row[2] for row in rows]):.1f} s; solved (475 or more): "
      f"{sum(row[3] >= cartpole.SOLVED for row in rows)} of {len(rows)}")

# %% [markdown]
# Before and after, side by side:

# %%
clips = [label(cartpole.film(actor(model), seed=3)[:, 100:340:1, 100:500], caption)
         for model, caption in ((build_policy(2), "untrained"), (policy, "trained"))]
cartpole_video = write_video(output_dir() / "cartpole.mp4", beside(*(c[:250] for c in clips)))
show_video(cartpole_video, width=640)

# %% [markdown]
# ## A5. The ladder of credit
#
# Which action earned the reward? Five answers, each with one idea more than the one before,
# on the same network and environment:
#
# 1. **whole return**: every action of an episode is credited with all of its reward,
#    $\sum_k r_k$, even what came before it;
# 2. **return to go**: only what followed, $\sum_{k \ge t} r_k$;
# 3. **discounted**: $G_t$, what followed soon counts more;
# 4. **baseline**: $G_t$ minus its mean over the batch, divided by its spread: what you wrote
#    above;
# 5. **critic**: $G_t - V(s_t)$, where a second network has learned what return to expect in
#    state $s_t$.
#
# To compare them, the first three are divided by their mean size, so that steps are as long.
#
# **Predict** the order in which they learn.

# %%
def scaled(x):
    """x divided by its mean size."""
    return (np.asarray(x) / (np.abs(x).mean() + 1e-8)).astype("float32")


def whole_return(episodes):
    return scaled(np.repeat([r.sum() for r in episodes.split(episodes.rewards)], episodes.lengths))


def return_to_go(episodes):
    return scaled(np.concatenate([discounted_returns(r, 1.0)
                                  for r in episodes.split(episodes.rewards)]))


def discounted(episodes):
    return scaled(np.concatenate([discounted_returns(r, CARTPOLE["gamma"])
                                  for r in episodes.split(episodes.rewards)]))


def make_critic_credit():
    """Advantages G - V(s), with a V that learns along."""
    critic = keras.Sequential([keras.Input((4,)), keras.layers.Dense(32, activation="relu"),
                               keras.layers.Dense(1)])
    critic.compile(keras.optimizers.Adam(2e-2), "mse")

    def credit(episodes):
        returns = np.concatenate([discounted_returns(r, CARTPOLE["gamma"])
                                  for r in episodes.split(episodes.rewards)]) / 100
        advantages = returns - critic(episodes.observations).numpy()[:, 0]
        critic.fit(episodes.observations, returns, batch_size=512, epochs=3, verbose=0)
        return normalize(advantages)
    return credit


ladder = {
    "1 whole return": lambda: whole_return, "2 return to go": lambda: return_to_go,
    "3 discounted": lambda: discounted, "4 baseline": lambda: discounted_credit,
    "5 critic": make_critic_credit,
}
curves = {name: np.array([train_cartpole(seed, make(), updates=LADDER["updates"], stop=None)[1]
                          for seed in range(LADDER["seeds"])]) for name, make in ladder.items()}

fig, ax = plt.subplots(figsize=(8, 4))
x = np.arange(1, LADDER["updates"] + 1)
for (name, runs), marker in zip(curves.items(), "osv^D", strict=True):
    line, = ax.plot(x, runs.mean(axis=0), marker=marker, markersize=4, markevery=4, label=name)
    ax.fill_between(x, runs.min(axis=0), runs.max(axis=0), color=line.get_color(), alpha=0.12)
ax.set(xlabel=f"update (of {CARTPOLE['envs']} episodes)", ylabel="mean steps of an episode",
       ylim=(0, 510), title=f"Mean over {LADDER['seeds']} seeds; bands from worst to best")
ax.legend()
plt.show()

# %% [markdown]
# ## A6. Settings matter
#
# A classic way to write this lab updates after each single episode, with Adam at 1e-3 and
# $\gamma = 0.95$. Here it gets as many episodes as the training of A4 took (the quick budget stops
# at 320), and so do updates of 16 episodes, with Adam at 2e-2 and $\gamma = 0.99$.
#
# **Predict** how far each comes. Which learns most from an episode, and which is there first by the
# clock?

# %%
episodes = min(CARTPOLE["envs"] * len(lengths), LADDER["episodes"])
_, sixteen, sixteen_seconds = train_cartpole(SEED, envs=16, learning_rate=2e-2,
                                             updates=episodes // 16)
CARTPOLE["gamma"] = 0.95
_, classic, classic_seconds = train_cartpole(SEED, envs=1, learning_rate=1e-3, updates=episodes,
                                             stop=None)
CARTPOLE["gamma"] = 0.99
fig, ax = plt.subplots()
ax.plot(np.arange(16, episodes + 1), np.convolve(classic, np.ones(16) / 16, mode="valid"),
        label="1 episode, Adam 0.001, gamma 0.95 (mean of 16)")
ax.plot(16 * np.arange(1, len(sixteen) + 1), sixteen, marker="s", markersize=4,
        label="16 episodes, Adam 0.02, gamma 0.99")
ax.plot(CARTPOLE["envs"] * np.arange(1, len(lengths) + 1), lengths, marker="o", markersize=4,
        label="{envs} episodes, Adam {learning_rate}, gamma {gamma}".format(**CARTPOLE))
ax.set(xlabel="episodes played", ylabel="mean steps of an episode", ylim=(0, 510))
ax.legend(loc="lower left", bbox_to_anchor=(0, 1))
plt.show()
for name, curve, seconds in (("1 episode", [np.mean(classic[-50:])], classic_seconds),
                             ("16 episodes", sixteen, sixteen_seconds),
                             (f"{CARTPOLE['envs']} episodes", lengths, cartpole_seconds)):
    print(f"{name:11} an update: at the end {curve[-1]:.0f} steps, after {seconds:.1f} s")

# %% [markdown]
# Single episodes with small steps learn least. Updates of 16 episodes learn more from each of
# them than updates of 64. But a step of 64 environments takes far less time than 64 steps of one,
# so the 64 are there first by the clock.

# %% [markdown] written="written_baseline"
# **Question 1.** In CartPole every reward is positive. What goes wrong when REINFORCE is run on the
# returns as they are, without a baseline? What does subtracting one change, and what not?
#
# ### BEGIN SOLUTION
# Every action taken is then pushed up, good ones only a little more than bad ones; which wins is
# left to which was sampled how often, so the gradient is noisy and learning slow. A baseline makes
# worse-than-usual actions negative. It lowers the variance of the gradient; its expectation stays
# the same, because the gradients of the log-probabilities have mean zero.
# ### END SOLUTION

# %% [markdown]
# # Part B: Pong from pixels
#
# ## B1. What the agent sees
#
# A frame has 210 x 160 pixels, most of them background. Write `preprocess`: raw frames to images
# that keep what matters, small enough for a processor. A good recipe: cut out the field between the
# paddles (rows 34 to 193, columns 16 to 143), mark what is not background (the colour of the pixel
# in row 34, column 0), and count the marks in blocks of 4 x 4 pixels: 40 x 32 counts $c$. Taking
# only every fourth pixel would lose the ball, which is 2 wide and 4 high. $c / 8$ keeps it, and
# more: wherever the ball falls, its blocks sum to 1, and their shares tell its place to the pixel.
# Frames may be grey `(batch, 210, 160)` or in colour `(batch, 210, 160, 3)`.

# %% exercise="preprocess"
def preprocess(frames):
    """Raw uint8 frames to images (batch, 40, 32), 0 where there is only background."""
    ### BEGIN SOLUTION
    frames = np.asarray(frames)
    if frames.ndim == 4:
        frames = frames[..., 0]          # red tells all that matters from the background
    field, background = frames[:, 34:194, 16:144], frames[:, 34:35, :1]
    objects = (field != background).view(np.uint8)
    rows = sum(objects[:, i::4] for i in range(4))       # uint8 sums, at most 4
    counts = sum(rows[:, :, j::4] for j in range(4))     # at most 16
    return counts.astype(np.float32) / 8
    ### END SOLUTION

# %% check="preprocess"
grader.check("preprocess", preprocess)

# %% [markdown]
# One image does not tell where the ball is going. So the agent gets two channels: the image, and
# its difference from the one before. `PongGames` runs many games at once and shows exactly that;
# evaluation and video use the same function.

# %%
games = pong.PongGames(4, preprocess, seed=SEED)
for _ in range(25):
    observations, rewards, dones = games.step(np.random.default_rng(SEED).integers(0, 3, 4))
fig, axes = plt.subplots(1, 2, figsize=(7, 3.4))
for ax, channel, title in zip(axes, range(2), ("image", "difference from the one before"),
                              strict=True):
    shown = ax.imshow(observations[0, ..., channel], cmap="cividis")
    ax.set(title=title, xlabel="column (4 pixels)", ylabel="row (4 pixels)")
    ax.grid(False)
    fig.colorbar(shown, ax=ax)
plt.show()
games.close()

# %% [markdown] written="written_frame"
# **Question 2.** What can the agent not know from one image, and why does the difference help? Name
# something that it still cannot see.
#
# ### BEGIN SOLUTION
# One image shows where things are, not where they go: the ball's direction and speed, and the
# paddle's. The difference marks where each was a step ago. Hidden still: whether the emulator will
# repeat the last action, and the opponent's plan.
# ### END SOLUTION

# %% [markdown]
# ## B2. Returns that restart at each point
#
# The reward is 1 for a point won, -1 for a point lost, and 0 otherwise. What happens after a point
# has nothing to do with the actions before it. So the discounted sum starts afresh where the reward
# is not 0.

# %% exercise="pong_returns"
def pong_returns(rewards, gamma):
    """Discounted returns (time,) that restart at every point."""
    ### BEGIN SOLUTION
    returns = np.zeros(len(rewards), dtype="float32")
    following = 0.0
    for t in reversed(range(len(rewards))):
        if rewards[t] != 0:
            following = 0.0              # a point ends here
        following = rewards[t] + gamma * following
        returns[t] = following
    return returns
    ### END SOLUTION

# %% check="pong_returns"
grader.check("pong_returns", pong_returns)

# %% [markdown]
# ## B3. Policy and value
#
# Two networks look at the image. The policy, or *actor*, answers with logits for the actions (stay,
# up, down), the *critic* with the value $V(s)$, the return to expect from here.
#
# Of the 2,560 numbers that they see a handful matters: where the ball and the paddles are, and how
# they move. Convolutions learn to find that out, but only from many points lost. Yet where a thing
# is needs no learning: it is its **centre of mass**. With $b_{ij}$ for how much of the ball is in
# row $i$ and column $j$,
#
# $$ \text{row} = \frac{\sum_{ij} i\, b_{ij}}{\sum_{ij} b_{ij}}, \qquad
#    \text{column} = \frac{\sum_{ij} j\, b_{ij}}{\sum_{ij} b_{ij}} $$
#
# Nor does it need learning that a ball flies straight and that walls throw it back. If it is
# $d$ columns from the agent's paddle and moves $v_c$ columns and $v_r$ rows a step, it arrives in
# $d / v_c$ steps in row
#
# $$ \text{row} + v_r\, d / v_c \quad \text{folded back at the walls.} $$
#
# The layer below computes the places of the ball and of both paddles, how they moved, and where and
# when the ball arrives. That much we know about Pong and put in. What to do about it the agent has
# to find out: a ball met with the middle of the paddle flies back flat and comes back, one met with
# the very edge flies off steeply and often wins the point, and one a few pixels further is lost.
# (So the distance of the arrival from the paddle is also given enlarged, by $\tanh$, for the middle
# and both edges.)
#
# Last, Pong is the same upside down, only that up is down. So `Places()` gives two views, of the
# image as it is and upside down, and each network looks at both: the policy adds up its two
# answers, the second with the logits of up and down swapped; the critic takes the mean of its two.
# What they learn at the top of the field then holds at the bottom.
#
# Take for each network a tower of two dense layers with 128 units each and one for its outputs, the
# actor's with small starting weights, so that it begins by trying everything. (Convolutions instead
# of `Places` work too, in much more time.)

# %%
class Places(keras.layers.Layer):
    """Images (batch, 40, 32, 2) to where ball and paddles are and will be, (batch, 16), twice:

    as it is, and as it would be with the image upside down.
    """

    def call(self, images):
        now, before = (self.masses(image) for image in (
            images[..., 0], images[..., 0] - images[..., 1]))
        return [self.view(self.places(*now), self.places(*before)),
                self.view(self.places(*now, upside_down=True),
                          self.places(*before, upside_down=True))]

    def masses(self, image):
        """Ball, agent and opponent by row, (batch, 40, 3), and the ball by column, (batch, 30)."""
        ball = image[:, :, 1:-1]                 # the paddles are in the outermost columns
        rows = [keras.ops.sum(ball, axis=2), image[:, :, -1], image[:, :, 0]]
        return keras.ops.stack(rows, axis=2), keras.ops.sum(ball, axis=1)

    def places(self, rows, columns, upside_down=False):
        """Whether there is a ball, its row and column, the row of the agent, of the opponent."""
        rows = keras.ops.flip(rows, axis=1) if upside_down else rows
        seen = keras.ops.cast(keras.ops.sum(rows[:, :, :1], axis=1) > 0.2, "float32")
        row = self.centre(rows)
        return keras.ops.concatenate([seen, seen * row[:, :1],
                                      seen * self.centre(columns[..., None]), row[:, 1:]], axis=1)

    def centre(self, mass):
        """Centres of masses (batch, n, things) along n, 0 to 1; 0 where there is none."""
        where = np.arange(mass.shape[1], dtype="float32") / mass.shape[1]
        return keras.ops.tensordot(mass, where, [1, 0]) / (keras.ops.sum(mass, axis=1) + 1e-6)

    def arrival(self, place, motion):
        """Row where the ball reaches the agent's column, and in how many steps, (n, 1) each."""
        steps = (1 - place[:, 1:]) / keras.ops.maximum(motion[:, 1:], 0.01)
        top, field = -3 / 160, 161 / 160         # where the ball turns: measured, in pixels
        row = place[:, :1] + steps * motion[:, :1] - top
        return top + field - keras.ops.abs(keras.ops.mod(row, 2 * field) - field), steps

    def view(self, now, before):
        """The numbers that the towers get, all of about one size."""
        moved = now[:, 1:] - before[:, 1:]
        ball = moved[:, :2] * now[:, :1] * before[:, :1]       # it was there, and still is
        aim = (now[:, 1:2] - now[:, 3:]) * now[:, :1]          # the ball, seen from each paddle
        row, steps = self.arrival(now[:, 1:3], ball)
        coming = keras.ops.cast(ball[:, 1:] > 0.01, "float32")
        ahead = coming * (row - now[:, 3:4])                   # its arrival, seen from the agent's
        edges = ahead + coming * np.array([[-0.04, 0, 0.04]], "float32")
        return keras.ops.concatenate([now, 8 * ball, 8 * moved[:, 2:], 3 * aim, 3 * ahead,
                                      keras.ops.tanh(20 * edges),
                                      coming * keras.ops.minimum(steps / 20, 1)], axis=1)

# %% exercise="build_pong_policy"
def build_pong_policy(num_actions):
    """Keras model: images (batch, 40, 32, 2) to [logits (batch, num_actions), value (batch, 1)]."""
    ### BEGIN SOLUTION
    def tower(outputs, gain):
        start = keras.initializers.Orthogonal    # keeps signals of one size
        return keras.Sequential([
            keras.layers.Dense(128, activation="relu", kernel_initializer=start(2 ** 0.5)),
            keras.layers.Dense(128, activation="relu", kernel_initializer=start(2 ** 0.5)),
            keras.layers.Dense(outputs, kernel_initializer=start(gain))])

    images = keras.Input((40, 32, 2))
    as_it_is, upside_down = Places()(images)
    actor, critic = tower(num_actions, 0.01), tower(1, 1.0)
    swap = [0, 2, 1, *range(3, num_actions)]     # upside down, up is down
    logits = actor(as_it_is) + keras.ops.take(actor(upside_down), swap, axis=1)
    value = (critic(as_it_is) + critic(upside_down)) / 2
    return keras.Model(images, [logits, value])
    ### END SOLUTION

# %% check="build_pong_policy"
grader.check("build_pong_policy", build_pong_policy)

# %% [markdown]
# ## B4. First attempt: REINFORCE
#
# What worked on CartPole, on Pong: play, compute the returns of each point, normalise, one update.
#
# **Predict**: an untrained agent loses about 21 to 0 or 1. Where is it after 40 updates of 4,096
# steps each?

# %%
from lab_utils.rl.rollout import Past, collect


@functools.cache   # compiled once for each model
def actor_critic(model):
    """Observations to sampled actions, their log-probabilities, values, and likeliest actions."""
    @tf.function(jit_compile=True, reduce_retracing=True)   # many calls on few numbers
    def act(observations, noise):
        logits, value = model(observations)
        log_pi = tf.nn.log_softmax(logits)
        actions = tf.argmax(logits + noise, axis=-1)        # the Gumbel-max trick, as in A1
        return (actions, tf.gather(log_pi, actions, batch_dims=1), value[:, 0],
                tf.argmax(logits, axis=-1))

    def run(observations):
        noise = np.random.gumbel(size=(len(observations), len(pong.ACTIONS)))
        return act(tf.constant(observations, tf.float32), tf.constant(noise, tf.float32))
    return run


def descend(loss, tape, model, optimizer):
    """One step down the gradient, not longer than allowed; what ``loss`` does not touch stays."""
    variables = model.trainable_variables
    gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), PONG["max_norm"])
    optimizer.apply_gradients((g, v) for g, v in zip(gradients, variables, strict=True)
                              if g is not None)


@tf.function(reduce_retracing=True)
def reinforce_step(model, optimizer, observations, actions, advantages):
    with tf.GradientTape() as tape:
        logits, _ = model(observations)       # the critic is not used yet
        loss = policy_gradient_loss(logits, actions, advantages)
    descend(loss, tape, model, optimizer)
    return loss

# %%
keras.utils.set_random_seed(SEED)
first_try = build_pong_policy(3)
optimizer = keras.optimizers.Adam(PONG["learning_rate"])
optimizer.build(first_try.trainable_variables)
games = pong.PongGames(PONG["envs"], preprocess, seed=SEED)
won = []
for _ in range(PONG["reinforce_updates"]):
    memory = collect(games, actor_critic(first_try), PONG["steps"])
    returns = np.stack([pong_returns(r, PONG["gamma"]) for r in memory.rewards.T], axis=1)
    reinforce_step(first_try, optimizer, tf.constant(memory.flat("observations")),
                   tf.constant(memory.flat("actions")), tf.constant(normalize(returns.ravel())))
    won.append(memory.points_won())
games.close()
print(f"Points won: {np.mean(won[:10]):.1%} in the first 10 updates, "
      f"{np.mean(won[-10:]):.1%} in the last 10 of {len(won)}.")

# %% [markdown]
# Each batch took 4,096 steps to play and was used for a single step of the optimizer. Taking more
# of them on the same batch would help, but not blindly: after the first of them the policy is no
# longer the one that played. **PPO** (Schulman and others, 2017) makes many steps on one batch
# safe. It needs two ingredients.
#
# ## B5. Generalised advantages
#
# With a critic $V$, the surprise of one step is
# $\delta_t = r_t + \gamma V(s_{t+1}) (1 - d_t) - V(s_t)$, where $d_t = 1$ if step $t$ ended the
# episode. One surprise is low in noise and trusts the critic much; the sum of all is the other way
# round. $\lambda$ chooses between them (Schulman and others, 2016):
#
# $$ A_t = \delta_t + \gamma \lambda\, (1 - d_t)\, A_{t+1} $$
#
# In Pong the choice matters much. From the agent's hit the ball flies some 30 steps to the other
# side; only then is the point won, or not. With $\lambda$ near 1 that news is credited to all the
# actions of the flight as well, which had no part in it: noise. With a smaller $\lambda$ the credit
# comes earlier, from a critic that sees in the hit itself how the point will end, *if* it can.

# %% exercise="generalized_advantages"
def generalized_advantages(rewards, values, dones, gamma, lam):
    """Advantages (time, envs).

    rewards, dones: (time, envs), done 1 where a step ended the episode.
    values: (time + 1, envs), one more: the value of the state after the last step.
    """
    ### BEGIN SOLUTION
    going = 1.0 - np.asarray(dones, dtype="float32")
    advantages = np.zeros(np.shape(rewards), dtype="float32")
    following = np.zeros(advantages.shape[1:], dtype="float32")
    for t in reversed(range(len(advantages))):
        delta = rewards[t] + gamma * values[t + 1] * going[t] - values[t]
        following = delta + gamma * lam * going[t] * following
        advantages[t] = following
    return advantages
    ### END SOLUTION

# %% check="generalized_advantages"
grader.check("generalized_advantages", generalized_advantages)

# %% [markdown]
# ## B6. The clipped loss
#
# How much likelier is an action now than when it was played? $\rho_t = \pi(a_t|s_t) /
# \pi_\text{old}(a_t|s_t)$. PPO maximises $\rho_t A_t$, but takes away the reward for pushing
# $\rho_t$ out of $[1 - \epsilon, 1 + \epsilon]$:
#
# $$ L = -\frac{1}{N} \sum_t \min\bigl(\rho_t A_t,\;
#        \mathrm{clip}(\rho_t, 1 - \epsilon, 1 + \epsilon)\, A_t\bigr) $$

# %% exercise="ppo_loss"
def ppo_loss(log_probs, old_log_probs, advantages, clip):
    """Minus the clipped surrogate, a scalar to be minimised; all arguments but clip: (batch,)."""
    ### BEGIN SOLUTION
    ratio = tf.exp(log_probs - old_log_probs)
    clipped = tf.clip_by_value(ratio, 1 - clip, 1 + clip)
    return -tf.reduce_mean(tf.minimum(ratio * advantages, clipped * advantages))
    ### END SOLUTION

# %% check="ppo_loss"
grader.check("ppo_loss", ppo_loss)

# %% [markdown]
# **Predict**, for one action with $A > 0$: how does $-L$ depend on $\rho$? And for $A < 0$?

# %%
ratios = np.linspace(0.4, 1.8, 57)
fig, ax = plt.subplots()
for advantage, marker in ((1.0, "o"), (-1.0, "s")):
    gain = [-float(ppo_loss(tf.constant([np.log(r)], tf.float32), tf.zeros(1),
                            tf.constant([advantage]), PONG["clip"])) for r in ratios]
    ax.plot(ratios, gain, marker=marker, markevery=8, label=f"A = {advantage:+.0f}")
ax.set(xlabel=r"ratio $\rho$", ylabel="what is maximised, $-L$")
ax.legend()
plt.show()

# %% [markdown]
# ## B7. Train
#
# The whole algorithm: play 64 steps in 64 games; advantages; then a few passes over the 4,096
# steps in random minibatches, each minimising the clipped loss plus the critic's squared error
# minus a little entropy. A point counts as an episode: the advantage does not look past it.
#
# The better the agent, the longer a point lasts: a batch then holds some 10 points and says little.
# So the learning rate falls, as $\alpha_0 / (1 + u / 80)$ after $u$ updates; and so the critic
# **rereads**. The policy may learn only from what it has just played, but what follows a position
# changes slowly: with every minibatch the critic gets another one from the last 16 updates.
#
# You can stop it at any time (the square button) and run the cell again to go on.

# %%
@tf.function(reduce_retracing=True)
def ppo_step(model, optimizer, observations, actions, old_log_probs, advantages, returns,
             past_observations, past_returns):
    with tf.GradientTape() as tape:
        logits, value = model(observations)
        _, past_value = model(past_observations)
        log_pi = tf.nn.log_softmax(logits)
        log_probs = tf.gather(log_pi, actions, batch_dims=1)
        entropy = -tf.reduce_mean(tf.reduce_sum(tf.exp(log_pi) * log_pi, axis=-1))
        value_loss = (tf.reduce_mean((value[:, 0] - returns) ** 2)
                      + tf.reduce_mean((past_value[:, 0] - past_returns) ** 2))
        loss = (ppo_loss(log_probs, old_log_probs, advantages, PONG["clip"])
                + PONG["value_weight"] * value_loss - PONG["entropy_weight"] * entropy)
    descend(loss, tape, model, optimizer)
    return loss


def ppo_update(model, optimizer, memory, past, rng):
    """The passes over one memory, with the critic's over the past; returns the last loss."""
    dones = memory.dones | (memory.rewards != 0)
    advantages = generalized_advantages(memory.rewards, memory.values, dones, PONG["gamma"],
                                        PONG["lam"])
    returns = advantages + memory.values[:-1]
    past.add(memory, returns, rng)
    data = [tf.constant(part) for part in (
        memory.flat("observations"), memory.flat("actions"), memory.flat("log_probs"),
        normalize(advantages.ravel()), returns.ravel())]
    for _ in range(PONG["epochs"]):
        order = rng.permutation(returns.size)
        for rows in np.split(order, range(PONG["minibatch"], len(order), PONG["minibatch"])):
            loss = ppo_step(model, optimizer, *(tf.gather(part, rows) for part in data),
                            *past.draw(len(rows), rng))
    return loss

# %%
from lab_utils.training import TrainingRun, load_weights


def train_pong(seed, folder=None, plot="points won, share of the last 10 updates"):
    """Train by PPO; returns the policy and the run, whose history holds the curves."""
    keras.utils.set_random_seed(seed)
    model = build_pong_policy(3)
    steps_an_update = PONG["epochs"] * (PONG["envs"] * PONG["steps"] // PONG["minibatch"])
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.InverseTimeDecay(
        PONG["learning_rate"], PONG["halved_after"] * steps_an_update, 1.0), epsilon=1e-5)
    folder = output_dir() / "checkpoints" if folder is None else folder
    with TrainingRun(folder, model, optimizer, PONG["updates"], PONG, seed, plot=plot) as run:
        games = pong.PongGames(PONG["envs"], preprocess, seed=1000 * seed + run.step + 1)
        past, won = Past(PONG["memories"], PONG["kept"]), deque(maxlen=10)
        for update in run:
            memory = collect(games, actor_critic(model), PONG["steps"])
            loss = ppo_update(model, optimizer, memory, past, run.rng(update))
            run.check_finite(loss=loss)
            if memory.rewards.any():         # a point was played
                won.append(memory.points_won())
                run.log(points_won=np.mean(won))
            run.show(mean_return=np.mean(games.returns[-20:] or [np.nan]),
                     steps_per_s=memory.actions.size * run.steps_per_second())
            if update == PONG["updates"] // 2:
                run.keep("halfway")
            if won and run.due(10):
                run.keep_if_best(-np.mean(won))
        games.close()
    return model, run

# %%
pong_policy, pong_run = train_pong(SEED)
steps = pong_run.step * PONG["envs"] * PONG["steps"]
print(f"{steps:,} agent steps in {pong_run.seconds:.0f} s: "
      f"{steps / max(pong_run.seconds, 1e-9):,.0f} a second")

# %%
halfway_policy = build_pong_policy(3)
if PONG["use_shipped"]:
    load_weights(pong_policy, MODELS / "lab3_pong.weights.h5")
    load_weights(halfway_policy, MODELS / "lab3_pong_halfway.weights.h5")
    print("Now with the weights of a full run that come with the lab.")
else:
    pong_run.load_best()   # the learning wavers: the weights after the 10 updates that won most
    load_weights(halfway_policy, pong_run.folder / "halfway.weights.h5")
pong_source = "shipped" if PONG["use_shipped"] else "trained"

# %% [markdown]
# ## B8. Judge
#
# Games to 21 points, with sticky actions (with probability 0.25 the emulator repeats the last
# action: the standard protocol, under which one cannot learn a game by heart). The return is the
# points won minus the points lost. (The quick budget stops a game after 1,000 steps, long before
# its end, and counts it as it stands.) Expect more than the mean return in the progress bar of a
# training: between near equals a game lasts thousands of steps, so those that ended last began
# dozens of updates before. The curve, the share of points won, does not lag so.
#
# **Predict**: will the greedy policy, which always takes the likeliest action, do better than the
# sampled one it was trained as?

# %%
def sampled(model):
    return lambda observations: actor_critic(model)(observations)[0].numpy()


def greedy(model):
    return lambda observations: actor_critic(model)(observations)[3].numpy()


scores = pong.evaluate({"untrained": sampled(build_pong_policy(3)),
                        "halfway, sampled": sampled(halfway_policy),
                        "trained, sampled": sampled(pong_policy),
                        "trained, greedy": greedy(pong_policy)}, preprocess, PONG["games"],
                       max_steps=PONG["game_steps"])
for name, returns in scores.items():
    half = 1.96 * returns.std(ddof=1) / np.sqrt(len(returns))
    print(f"{name:18} mean return {returns.mean():6.2f} +- {half:.2f} over "
          f"{len(returns)} games, worst {returns.min():.0f}")

# %% [markdown]
# Was that luck? `python -m benchmarks pong_seeds --full` trains from seeds 1, 2 and 3 and judges
# each over 20 games. Seed 1 is the very training shown here. Over those other 20 games it came to
# +15.8 sampled and +14.8 greedy: greedy it lost two of them, one by 11 points. Seeds 2 and 3 came
# to +17.9 and +15.8 sampled, +7.3 and +11.3 greedy, with games lost by up to 20. Sampled, none
# lost a game.
#
# A greedy game lost badly, of another training, looked at step by step: the paddle stood still
# just below the path of the ball and lost point after point to the same serve. Sticky actions
# repeat the last action, so they do not disturb a player that always stays; the sampled policy
# soon moves, and is out of it.
#
# ## B9. Watch
#
# The same agent at three times. Right of each game is what the agent sees.

# %%
players = {"untrained": sampled(build_pong_policy(3)), "halfway": sampled(halfway_policy),
           "trained": sampled(pong_policy)}
clips = []
for name, player in players.items():
    clip, total = pong.film(player, preprocess, seed=SEED, max_steps=300, scale=1)
    clips.append(label(clip, f"{name}: {total:+.0f} after {len(clip)} steps"))
pong_video = write_video(output_dir() / "pong_beside.mp4", beside(*clips), fps=15)
show_video(pong_video, width=720)

# %% [markdown]
# And one of them for longer, in full size: choose.

# %%
WATCH = "trained"     # or "halfway", or "untrained"
clip, total = pong.film(players[WATCH], preprocess, seed=SEED + 1, max_steps=600)
print(f"{WATCH}: {total:+.0f} after {len(clip)} steps")
watched_video = write_video(output_dir() / f"pong_{WATCH}.mp4", clip, fps=15)
show_video(watched_video, width=520)

# %% [markdown]
# ## B10. Results, and the competition

# %%
from lab_utils.competition import pack
from lab_utils.results import record

results = record(
    "lab3", source=pong_source, cartpole_return_mean=round(float(cartpole_returns.mean()), 2),
    cartpole_train_seconds=round(cartpole_seconds, 2),
    pong_return_mean=round(float(scores["trained, sampled"].mean()), 2),
    pong_return_mean_greedy=round(float(scores["trained, greedy"].mean()), 2),
    pong_train_seconds=round(pong_run.seconds, 1), pong_agent_steps=steps,
    pong_sticky=pong.STICKY, pong_games=PONG["games"], pong_game_steps=PONG["game_steps"])
pong_policy.save_weights(output_dir() / "lab3_pong.weights.h5")
halfway_policy.save_weights(output_dir() / "lab3_pong_halfway.weights.h5")
entry = pack(output_dir() / "lab3_entry.zip", [output_dir() / "lab3_pong.weights.h5",
     pong_video, output_dir() / "cartpole.mp4"], results,
     {"cartpole": CARTPOLE, "pong": PONG}, "lab3_reinforcement_learning.ipynb")

# %%
grader.report()
