# %% [markdown]
# # Lab 1: Music generation
#
# You will build a neural network that composes Irish dance tunes, and then hear and read what it
# wrote. It learns from some 2,400 real tunes from two printed collections, one character at a
# time.
#
# - **Part A** builds up from one neuron to an LSTM cell, by hand.
# - **Part B** trains a character LSTM on the tunes, lets it compose, and judges the result beside
#   real tunes it has never seen.
#
# How to work: cells with a `YOUR CODE HERE` are yours to write. The cell below each one checks
# your answer and says what it expected, what it got, and a hint. Nothing breaks if you skip one:
# cells that need it say `[TODO]`. Where the text says **Predict**, write your guess down before
# you run the cell. The guess is the exercise; the number only tells you how good it was.

# %%
import functools
import time

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display

import lab_utils
from lab_utils import Grader, budget, quiet_start, use_style

with quiet_start():   # holds back TensorFlow's start-up notices
    import keras
    import tensorflow as tf

SEED = 1
keras.utils.set_random_seed(SEED)   # Python, NumPy and TensorFlow at once
use_style()
grader = Grader("lab1")
print(f"TensorFlow {tf.__version__}, Keras {keras.__version__}, lab_utils {lab_utils.__version__}, "
      f"{len(tf.config.list_physical_devices('GPU'))} GPU, budget: {budget()}")

# %% [markdown]
# # Part A: from a neuron to an LSTM
#
# ## A1. The perceptron
#
# A neuron weighs its inputs $x$, adds a bias $b$, and squashes the sum $z$ into $(0, 1)$:
#
# $$ z = x \cdot w + b = \sum_i x_i w_i + b, \qquad \hat y = \sigma(z) = \frac{1}{1 + e^{-z}} $$
#
# Write it for an `x` with any number of leading dimensions: `x` has shape `(..., n)`, `w` has
# shape `(n,)`, and the result has shape `(...)`.

# %% exercise="perceptron"
def perceptron(x, w, b):
    """Output sigmoid(x . w + b) of a neuron.

    x: inputs, shape (..., n).  w: weights, shape (n,).  b: bias, a number.
    Returns an array of shape (...).
    """
    ### BEGIN SOLUTION
    z = tf.tensordot(tf.convert_to_tensor(x), tf.cast(w, tf.convert_to_tensor(x).dtype), axes=1)
    return tf.sigmoid(z + b)
    ### END SOLUTION

# %% check="perceptron"
grader.check("perceptron", perceptron)

# %% [markdown]
# Take $w = (3, -2)$ and $b = 1$. The neuron is undecided, $\hat y = 0.5$, where $z = 0$, that is on
# the line $1 + 3 x_1 - 2 x_2 = 0$.
#
# **Predict**: is $\hat y$ at the point $x = (-1, 2)$ near 0, near 0.5 or near 1?

# %%
w, b = np.array([3.0, -2.0]), 1.0
x1, x2 = np.meshgrid(np.linspace(-3, 3, 121), np.linspace(-3, 3, 121))
y_hat = perceptron(np.stack([x1, x2], axis=-1), w, b)

fig, ax = plt.subplots(figsize=(5, 4))
shades = ax.contourf(x1, x2, y_hat, levels=np.linspace(0, 1, 11))
ax.contour(x1, x2, y_hat, levels=[0.5], colors="white", linestyles="--")
ax.plot(-1, 2, "o", color="white", markeredgecolor="black", markersize=9, linestyle="none")
ax.annotate(f"{float(perceptron(np.array([-1.0, 2.0]), w, b)):.4f}", (-1, 2), color="white",
            xytext=(-8, 0), textcoords="offset points", ha="right", va="center")
ax.set(xlabel="$x_1$", ylabel="$x_2$", title="One neuron splits the plane in two")
fig.colorbar(shades, label=r"output $\hat y$")
plt.show()

# %% [markdown]
# ## A2. A dense layer
#
# `units` neurons that look at the same inputs form a dense layer. Their weight vectors are the
# columns of a matrix:
#
# $$ y = \sigma(x W + b), \qquad W \in \mathbb{R}^{d \times \text{units}},\quad
#    b \in \mathbb{R}^{\text{units}} $$
#
# In Keras, a layer creates its weights in `build(input_shape)`, which runs at the first call, when
# the input width $d$ is known. Create them with `self.add_weight(shape=..., initializer=...)`, so
# that Keras finds and trains them.

# %% exercise="DenseLayer"
class DenseLayer(keras.layers.Layer):
    """sigmoid(x W + b), with W of shape (d, units) and b of shape (units,)."""

    def __init__(self, units):
        super().__init__()
        self.units = units

    def build(self, input_shape):
        ### BEGIN SOLUTION
        d = input_shape[-1]
        self.W = self.add_weight(shape=(d, self.units), initializer="glorot_uniform")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros")
        ### END SOLUTION

    def call(self, x):
        ### BEGIN SOLUTION
        return keras.ops.sigmoid(keras.ops.matmul(x, self.W) + self.b)
        ### END SOLUTION

# %% check="DenseLayer"
grader.check("DenseLayer", DenseLayer)

# %% [markdown]
# Two of your layers make a network. Here is one that is to tell whether a student passes a course,
# from the lectures attended and the hours spent on the project. This student came to 4 lectures,
# worked 5 hours, and passed: the right answer is 1.
#
# **Predict**: what does the network say before any training?

# %%
passes = keras.Sequential([DenseLayer(3), DenseLayer(1)])
student = np.array([[4.0, 5.0]], dtype="float32")
print(f"The untrained network gives this student a chance of {float(passes(student)[0, 0]):.2f}.")

# %% [markdown]
# The number means nothing yet: the weights are random. To train, we need to say how wrong it is (a
# loss), and to know which way to move each weight (a gradient).
#
# ## A3. Gradient descent
#
# Let $L(\theta)$ be a loss. Its gradient points uphill, so step the other way, again and again,
# with a learning rate $\eta$:
#
# $$ \theta_{k+1} = \theta_k - \eta \, \nabla L(\theta_k) $$
#
# `tf.GradientTape` records what you compute with a `tf.Variable` and gives the gradient. Return
# all the iterates, the start included.

# %% exercise="gradient_descent"
def gradient_descent(loss_fn, theta0, learning_rate, steps):
    """Minimise loss_fn from theta0 by plain gradient descent.

    loss_fn: takes theta, returns a scalar tensor.  theta0: start, any shape.
    Returns the iterates theta_0 ... theta_steps, shape (steps + 1, ...).
    """
    ### BEGIN SOLUTION
    theta = tf.Variable(theta0)
    iterates = [theta.numpy()]
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = loss_fn(theta)
        theta.assign_sub(learning_rate * tape.gradient(loss, theta))
        iterates.append(theta.numpy())
    return np.stack(iterates)
    ### END SOLUTION

# %% check="gradient_descent"
grader.check("gradient_descent", gradient_descent)

# %% [markdown]
# Try it on $L(\theta) = (\theta - 2)^2$, from $\theta_0 = 0$.
#
# **Predict**: with $\eta = 0.01$, $0.3$ and $1.05$, which one gets to 2 in twenty steps? What do
# the other two do? (The gradient is $2(\theta - 2)$: what is the first step for each?)

# %%
fig, ax = plt.subplots()
for learning_rate in (0.01, 0.3, 1.05):
    theta = gradient_descent(lambda theta: (theta - 2.0) ** 2, np.float32(0), learning_rate, 20)
    ax.plot(theta, marker="o", markersize=4, label=rf"$\eta$ = {learning_rate}")
ax.axhline(2, color="black", linewidth=0.8, linestyle=":")
ax.set(xlabel="step", ylabel=r"$\theta$", title=r"Minimising $(\theta - 2)^2$",
       xticks=range(0, 21, 5))
ax.legend()
plt.show()

# %% [markdown]
# ### Optimisers
#
# Real losses are long narrow valleys: steep across, nearly flat along. Plain gradient descent
# (SGD) zigzags across or crawls along. *Momentum* keeps a running direction; *Adagrad* and
# *RMSProp* give each weight its own step size; *Adam* does both.
#
# The valley below is fifty times as steep in $\theta_2$ as in $\theta_1$, and curved. Each
# optimiser has the learning rate that, of 0.001, 0.003, 0.01 ... 1, brings it lowest over the last
# ten of 60 steps, so that none is judged by a bad setting.
#
# **Predict**: which of the five ends lowest? Which takes the straightest path?

# %%
def valley(theta):
    """A curved valley with its minimum, 0, at (0, 0)."""
    across = theta[..., 1] - 0.3 * tf.sin(1.5 * theta[..., 0])
    return 0.05 * theta[..., 0] ** 2 + 2.5 * across ** 2


def descend(make_optimizer, learning_rate, steps=60, start=(-3.0, 1.5)):
    """Path of a Keras optimiser through the valley, shape (steps + 1, 2)."""
    theta, optimizer = tf.Variable(start), make_optimizer(learning_rate)
    optimizer.build([theta])

    @tf.function   # compiled once, then 60 steps take no time
    def step():
        with tf.GradientTape() as tape:
            loss = valley(theta)
        optimizer.apply_gradients([(tape.gradient(loss, theta), theta)])

    path = [theta.numpy()]
    for _ in range(steps):
        step()
        path.append(theta.numpy())
    return np.stack(path)


optimizers = {
    "SGD": keras.optimizers.SGD,
    "momentum 0.9": lambda rate: keras.optimizers.SGD(rate, momentum=0.9),
    "Adagrad": keras.optimizers.Adagrad,
    "RMSProp": keras.optimizers.RMSprop,
    "Adam": keras.optimizers.Adam,
}
learning_rates = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
t1, t2 = np.meshgrid(np.linspace(-4, 4, 161), np.linspace(-2, 2, 81))
left.contour(t1, t2, valley(tf.stack([t1, t2], axis=-1)), levels=np.geomspace(0.02, 12, 12),
             cmap="Greys", linewidths=0.8)
for (name, make_optimizer), marker in zip(optimizers.items(), "osv^D", strict=True):
    paths = {rate: descend(make_optimizer, rate) for rate in learning_rates}
    losses = {rate: valley(tf.constant(path)).numpy() for rate, path in paths.items()}
    best = min((rate for rate in paths if np.isfinite(losses[rate]).all()),
               key=lambda rate: losses[rate][-10:].mean())
    left.plot(*paths[best].T, marker=marker, markersize=3, markevery=4, linewidth=1.2)
    right.semilogy(losses[best], marker=marker, markersize=4, markevery=6,
                   label=f"{name}, rate {best:g}")
left.set(xlabel=r"$\theta_1$", ylabel=r"$\theta_2$", title="Paths through the valley",
         xlim=(-4, 4), ylim=(-2, 2))
right.set(xlabel="step", ylabel="loss", title="Loss on the way", ylim=(1e-4, 20))
right.legend(fontsize=8)
plt.show()

# %% [markdown]
# ## A4. A recurrent cell
#
# A tune is a sequence: what comes next depends on what came before. A recurrent network reads one
# element at a time and carries a memory, the hidden state $h$. The same weights are used at
# every step $t$:
#
# $$ h_t = \tanh(x_t W_{xh} + h_{t-1} W_{hh} + b), \qquad h_0 = 0 $$
#
# Write one step. The `activation` is a parameter, so that we can try a linear cell by hand.

# %% exercise="rnn_step"
def rnn_step(x, h, W_xh, W_hh, b, activation=tf.tanh):
    """Next hidden state, shape (batch, units).

    x: input, shape (batch, d).  h: hidden state, shape (batch, units).
    W_xh: (d, units).  W_hh: (units, units).  b: (units,).
    """
    ### BEGIN SOLUTION
    return activation(tf.matmul(x, W_xh) + tf.matmul(h, W_hh) + b)
    ### END SOLUTION

# %% check="rnn_step"
grader.check("rnn_step", rnn_step)

# %% [markdown]
# A linear cell with two units, all weights 1, no bias. Its output is the sum of its two hidden
# units.
#
# **Predict**, with pencil and paper: what are its three outputs for the inputs [1, 1], [1, 1],
# [2, 2]? Does it give the same numbers, in some order, for [2, 2], [1, 1], [1, 1]?

# %%
def linear_outputs(sequence):
    """Sum of the hidden units of the all-ones linear cell after each input."""
    h, ones, b = tf.zeros((1, 2)), tf.ones((2, 2)), tf.zeros(2)
    outputs = []
    for x in sequence:
        h = rnn_step(tf.constant([x], tf.float32), h, ones, ones, b, activation=tf.identity)
        outputs.append(int(tf.reduce_sum(h)))
    return outputs


print("[1,1] [1,1] [2,2] gives", linear_outputs([(1, 1), (1, 1), (2, 2)]))
print("[2,2] [1,1] [1,1] gives", linear_outputs([(2, 2), (1, 1), (1, 1)]))

# %% [markdown]
# Order matters: that is the point of a recurrent network. It is also the trouble. Whatever came
# first is multiplied by $W_{hh}$ again at every step. A factor of 1.01, a thousand times over,
# explodes; 0.99 vanishes. Gradients, which travel back through the same products, do the same.

# %%
for factor in (1.01, 0.99):
    print(f"{factor} to the power 999 is {factor ** 999:.3g}")

# %% [markdown]
# ## A5. The LSTM cell
#
# The long short-term memory (Hochreiter and Schmidhuber, 1997; with the forget gate of Gers and
# others, 2000) keeps a second state $c$ that is *added to*, not multiplied through a matrix. Gates,
# numbers between 0 and 1, decide what goes in ($i$), what is kept ($f$) and what is shown ($o$):
#
# $$ [\,z_i \;\; z_f \;\; z_g \;\; z_o\,] = x W + h U + b $$
# $$ i = \sigma(z_i), \quad f = \sigma(z_f), \quad g = \tanh(z_g), \quad o = \sigma(z_o) $$
# $$ c' = f \odot c + i \odot g, \qquad h' = o \odot \tanh(c') $$
#
# The four blocks stand side by side in `W`, `U` and `b`, in Keras's order: $i$, $f$, the
# candidate $g$ (Keras calls it c), $o$.

# %% exercise="lstm_step"
def lstm_step(x, h, c, W, U, b):
    """One LSTM step; returns the new (h, c), each of shape (batch, units).

    x: (batch, d).  h, c: (batch, units).
    W: (d, 4 units).  U: (units, 4 units).  b: (4 units,).  Gate order i, f, g, o.
    """
    ### BEGIN SOLUTION
    z_i, z_f, z_g, z_o = tf.split(tf.matmul(x, W) + tf.matmul(h, U) + b, 4, axis=-1)
    i, f, g, o = tf.sigmoid(z_i), tf.sigmoid(z_f), tf.tanh(z_g), tf.sigmoid(z_o)
    c = f * c + i * g
    h = o * tf.tanh(c)
    return h, c
    ### END SOLUTION

# %% check="lstm_step"
grader.check("lstm_step", lstm_step)

# %% [markdown]
# Is your cell the one in Keras? Give both the same weights and the same ten inputs, and compare.

# %%
layer = keras.layers.LSTM(8, return_sequences=True)
sequence = tf.random.stateless_normal((2, 10, 3), seed=(SEED, 0))
from_keras = layer(sequence)
h = c = tf.zeros((2, 8))
ours = []
for t in range(sequence.shape[1]):
    h, c = lstm_step(sequence[:, t], h, c, *layer.weights)
    ours.append(h)
difference = float(tf.reduce_max(tf.abs(tf.stack(ours, axis=1) - from_keras)))
print(f"Largest difference from keras.layers.LSTM: {difference:.1e} (rounding is about 1e-7)")
print(f"Parameters: {layer.count_params()}, and 4((3 + 8) 8 + 8) = {4 * ((3 + 8) * 8 + 8)}")

# %% [markdown]
# What do the gates buy? Below, an input of 1 comes at the first step and nothing after it. A plain
# cell with recurrent weight 0.9 and an LSTM cell with its forget gate open are to remember it.
#
# **Predict**: how much of the memory is left in each after 100 steps?

# %%
steps = 100
inputs = [tf.fill((1, 1), float(t == 0)) for t in range(steps)]
plain, h = [], tf.zeros((1, 1))
for x in inputs:
    h = rnn_step(x, h, tf.ones((1, 1)), tf.fill((1, 1), 0.9), tf.zeros(1))
    plain.append(float(h[0, 0]))

# Gates by their biases: the input gate opens only when x = 1; the forget gate keeps all.
W = tf.constant([[20.0, 0.0, 1.0, 0.0]])
gate_biases = tf.constant([-10.0, 10.0, 0.0, 10.0])
lstm, h, c = [], tf.zeros((1, 1)), tf.zeros((1, 1))
for x in inputs:
    h, c = lstm_step(x, h, c, W, tf.zeros((1, 4)), gate_biases)
    lstm.append(float(h[0, 0]))

fig, ax = plt.subplots()
ax.plot(plain, label="plain cell, recurrent weight 0.9")
ax.plot(lstm, label="LSTM cell, forget gate open")
ax.set(xlabel="step", ylabel="hidden state $h$", title="Remembering one input", ylim=(0, 0.85))
ax.legend()
plt.show()

# %% [markdown]
# # Part B: a network that composes
#
# ## B1. The tunes
#
# The data are two printed collections of dance tunes: *O'Neill's Music of Ireland* (1903) and
# *Ryan's Mammoth Collection* (1883), typed in by volunteers in
# [ABC notation](https://abcnotation.com). They come with the `music21` package that is installed
# here. Typists have habits: some write a note length in every tune and some leave it out, some mark
# fingerings, ornaments and slurs. All of that is removed, and the same music is always spelled the
# same way, because a character model would otherwise spend its effort on the typists.
#
# The split is by tune, and versions of one tune, which the two books share, stay on one side.
# **Why does that matter?** What would the validation loss tell you otherwise?

# %%
from lab_utils.music.corpus import load_corpus

corpus = load_corpus()   # or load_corpus("my_tunes.abc"), a file or a folder of your own
print(corpus.report())

# %% [markdown]
# One of them, as text, as sheet music and as sound. `M:` is the metre, `L:` the length of a plain
# note, `K:` the key. Letters are notes, numbers lengthen them, `/` halves them, `|` ends a bar.

# %%
from lab_utils.music.sheet import show_score
from lab_utils.music.sound import player

example = next(tune for tune in corpus.test if tune.meter == "6/8")
print(example.title, "\n")
print(example.abc())
display(show_score(example), player(example))

# %% [markdown]
# ## B2. Characters to numbers
#
# The vocabulary is the set of characters in the training tunes. Write the function that turns a
# text into an array of ids.

# %%
from lab_utils.music.composing import vocabulary

train_text = corpus.text("train")
characters, char_to_id = vocabulary(train_text)
print(f"{len(characters)} characters:", " ".join(map(repr, characters)))

# %% exercise="vectorize"
def vectorize(text, char_to_id):
    """Ids of the characters of ``text``: an integer array of shape (len(text),)."""
    ### BEGIN SOLUTION
    return np.array([char_to_id[character] for character in text])
    ### END SOLUTION

# %% check="vectorize"
grader.check("vectorize", vectorize)

# %%
train_ids = vectorize(train_text, char_to_id)
print(repr(train_text[:12]), "becomes", train_ids[:12])

# %% [markdown]
# ## B3. What is the network asked?
#
# At every character: which one comes next? If `x` holds the characters `s, s+1, ..., s+T-1` of the
# text, then the targets `y` are the characters `s+1, ..., s+T`. Draw the start $s$ of each row at
# random from *all* possible starts, with the generator `rng` that is passed in
# (`rng.integers(low, high)` excludes `high`).

# %% exercise="get_batch"
def get_batch(ids, seq_length, batch_size, rng):
    """Inputs x and targets y, integers of shape (batch_size, seq_length) each.

    ids: the text, shape (n,).  rng: a numpy.random.Generator.
    """
    ### BEGIN SOLUTION
    starts = rng.integers(0, len(ids) - seq_length, size=batch_size)
    windows = ids[starts[:, None] + np.arange(seq_length + 1)]
    return windows[:, :-1], windows[:, 1:]
    ### END SOLUTION

# %% check="get_batch"
grader.check("get_batch", get_batch)

# %%
x, y = get_batch(train_ids, 24, 2, np.random.default_rng(SEED))
for row in range(2):
    print("x", repr("".join(characters[i] for i in x[row])))
    print("y", repr("".join(characters[i] for i in y[row])))

# %% [markdown]
# ## B4. The model
#
# Three layers: an embedding that gives each character a vector, an LSTM that reads the vectors in
# order, and a dense layer that turns the hidden state of **every** step into one score (logit) for
# each character of the vocabulary. No softmax: the loss and the sampling take logits.
#
# Use `FastLSTM` for the LSTM: it has the weights and results of `keras.layers.LSTM`, and trains
# faster on a processor without a GPU (`lab_utils/lstm.py` says how). A little dropout before the
# dense layer keeps the model from learning 2,400 tunes by heart.

# %% exercise="build_model"
from lab_utils.lstm import FastLSTM


def build_model(vocab_size, embedding_dim, rnn_units):
    """Keras model from ids (batch, time) to logits (batch, time, vocab_size)."""
    ### BEGIN SOLUTION
    return keras.Sequential([
        keras.Input((None,), dtype="int32"),
        keras.layers.Embedding(vocab_size, embedding_dim),
        FastLSTM(rnn_units, return_sequences=True),
        keras.layers.Dropout(0.25),
        keras.layers.Dense(vocab_size),
    ])
    ### END SOLUTION

# %% check="build_model"
grader.check("build_model", build_model)

# %% [markdown]
# All settings of the training stand in one place. `LAB_BUDGET=quick` in the environment selects the
# short one, which trains for some seconds and then loads the weights of a full run that come with
# the lab; set `use_shipped` to do the same when you cannot wait.

# %%
CONFIG = {
    "full": dict(
        embedding_dim=64,      # length of a character's vector
        rnn_units=512,         # of the LSTM
        seq_length=256,        # characters in a row of a batch, at most
        batch_size=24,         # rows in a batch
        steps=1100,            # training steps
        learning_rate=4e-3,    # highest; rises over the first 30 steps, then falls as a cosine
        clip_norm=1.0,         # longest gradient
        validate_every=100,    # steps
        temperature=0.5,       # of the samples that are judged
        samples=200,           # tunes that are judged
        use_shipped=False,     # load the weights that come with the lab after training
    ),
}
CONFIG["quick"] = CONFIG["full"] | dict(steps=15, validate_every=15, samples=100, use_shipped=True)
CONFIG = CONFIG[budget()]

model = build_model(len(characters), CONFIG["embedding_dim"], CONFIG["rnn_units"])
model.summary()

# %% [markdown]
# ## B5. The loss
#
# The network gives a distribution over the next character; the loss is the mean of
# $-\log P(\text{the character that came})$, the cross-entropy, over all positions:
#
# $$ L = -\frac{1}{B\,T} \sum_{b, t} \log \mathrm{softmax}(\text{logits}_{b,t})_{y_{b,t}} $$

# %% exercise="compute_loss"
def compute_loss(labels, logits):
    """Mean cross-entropy in nats, a scalar.

    labels: (batch, time) ids.  logits: (batch, time, vocab_size).
    """
    ### BEGIN SOLUTION
    losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    return keras.ops.mean(losses)
    ### END SOLUTION

# %% check="compute_loss"
grader.check("compute_loss", compute_loss)

# %% [markdown]
# **Predict**: the untrained model knows nothing. What is its loss, roughly? (A uniform guess over
# $V$ characters has probability $1/V$.)

# %%
x, y = get_batch(train_ids, 100, 8, np.random.default_rng(SEED))
print(f"untrained: {float(compute_loss(y, model(x))):.3f} nats;  "
      f"ln {len(characters)} = {np.log(len(characters)):.3f}")

# %% [markdown]
# ## B6. A training step
#
# Compute the loss under a `GradientTape`, take the gradient of all weights, clip it, apply it.
# Clipping: when the gradients of *all* weights together are longer than `clip_norm`, scale
# them all by the same factor, so that one bad batch cannot throw the model far off, and the
# direction stays.

# %% exercise="train_step"
@tf.function(reduce_retracing=True)   # compiled at the first call
def train_step(model, optimizer, x, y, clip_norm):
    """One update by the gradient, clipped to global norm ``clip_norm``.

    Returns the loss before the update.
    """
    ### BEGIN SOLUTION
    with tf.GradientTape() as tape:
        loss = compute_loss(y, model(x, training=True))
    variables = model.trainable_variables
    # The embedding's gradient comes as separate rows; added up, its norm is the right one.
    gradients = [tf.convert_to_tensor(g) for g in tape.gradient(loss, variables)]

    @tf.function(jit_compile=True)   # by XLA, into one pass over the weights
    def update(gradients):
        gradients, _ = tf.clip_by_global_norm(gradients, clip_norm)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))

    update(gradients)
    return loss
    ### END SOLUTION

# %% check="train_step"
grader.check("train_step", train_step)

# %% [markdown]
# ## B7. Train
#
# A full training reads some four million characters, the training tunes more than seven times
# over. The plot shows the loss in bits per character (nats divided by $\ln 2$), on the training
# batches, with dropout, and on the validation tunes, without. You can stop it (the square
# button): the next run of the cell goes on where it stopped.
#
# Rows are short at first and grow to `seq_length` in four stages. A network that knows no letters
# yet needs no long memory, and four batches of rows of 64 cost what one of rows of 256 costs: the
# same reading gives four times as many updates. (Large language models have been trained so:
# [Li, Zhang and He, 2022](https://arxiv.org/abs/2108.06084).)
#
# **Predict**: how many bits does a character cost after training? (A uniform guess costs
# $\log_2 V$, nearly 6.) Which of the two curves will be lower?

# %%
from lab_utils.config import MODELS, output_dir
from lab_utils.music.composing import bits_per_character
from lab_utils.training import TrainingRun, load_weights


def row_length(step, config):
    """Characters in a row: a quarter of the most in the first quarter of the steps, and so on."""
    return config["seq_length"] * (1 + 4 * step // config["steps"]) // 4


def learning_rates(config):
    """A schedule that rises for some steps and then falls along a cosine."""
    return keras.optimizers.schedules.CosineDecay(
        1e-4, config["steps"], alpha=0.01, warmup_target=config["learning_rate"],
        warmup_steps=min(30, config["steps"] // 4))

# %%
optimizer = keras.optimizers.Adam(learning_rates(CONFIG))

with TrainingRun(output_dir() / "checkpoints", model, optimizer, CONFIG["steps"], CONFIG, SEED,
                 patience=4, plot="cross-entropy (bits per character)") as run:
    for step in run:
        length = row_length(step, CONFIG)
        x, y = get_batch(train_ids, length, CONFIG["batch_size"], run.rng(step))
        loss = train_step(model, optimizer, tf.constant(x), tf.constant(y), CONFIG["clip_norm"])
        run.log(training=loss / np.log(2))
        if run.due(CONFIG["validate_every"]):
            run.validate(validation=bits_per_character(model, corpus.validation, char_to_id))

# %%
read = CONFIG["batch_size"] * sum(row_length(n, CONFIG) for n in range(run.step))
print(f"{run.step} steps, {read:,} characters in {run.seconds:.0f} s with validation: "
      f"{read / run.seconds:,.0f} a second")
if CONFIG["use_shipped"]:
    load_weights(model, MODELS / "lab1_music.weights.h5")
    print("Now with the weights of a full run that come with the lab.")
elif run.history:
    run.load_best()
source = "shipped" if CONFIG["use_shipped"] else "trained"
val_bits_per_char = bits_per_character(model, corpus.validation, char_to_id)
print(f"Validation: {val_bits_per_char:.3f} bits per character, weights: {source}")

# %% [markdown]
# ## B8. Sampling
#
# The model gives a distribution. To write, draw the next character from it, not the likeliest one.
# A temperature $T$ sharpens or flattens the distribution first:
#
# $$ P(i) = \mathrm{softmax}(\text{logits} / T)_i $$

# %% exercise="sample_next"
def sample_next(logits, temperature):
    """Ids (batch,) drawn from softmax(logits / temperature); logits: (batch, vocab_size)."""
    ### BEGIN SOLUTION
    return tf.random.categorical(tf.convert_to_tensor(logits) / temperature, num_samples=1)[:, 0]
    ### END SOLUTION

# %% check="sample_next"
grader.check("sample_next", sample_next)

# %% [markdown]
# **Predict**: below is the model's distribution after the beginning of a jig, at three
# temperatures. Which panel is which?

# %%
context = tf.constant(vectorize("\n\nM:6/8\nL:1/8\nK:G\nD | G2G GAB | ", char_to_id)[None])
logits = model(context)[0, -1]
top = np.argsort(logits)[::-1][:10]
fig, axes = plt.subplots(1, 3, figsize=(10, 2.8), sharey=True)
for ax, temperature in zip(axes, (0.3, 1.0, 3.0), strict=True):
    ax.bar(range(10), tf.nn.softmax(logits / temperature).numpy()[top])
    ax.set(title=f"T = {temperature}", xlabel="next character", xticks=range(10))
    ax.set_xticklabels([repr(characters[i])[1:-1] for i in top])
axes[0].set_ylabel("probability")
plt.show()

# %% [markdown]
# ## B9. Generate
#
# Now the loop: read the start, then again and again draw a character from the logits and feed it
# back. Calling the whole model on the growing text works, but costs more with every character. The
# LSTM's memory is there for this: keep its state $(h, c)$ and feed one character at a time through
# the layers. `layer.cell(inputs, [h, c])` does one step of a Keras LSTM and returns
# `(h, [h, c])`. Under `tf.function`, a Python `for` over `tf.range` becomes a compiled loop, and a
# `tf.TensorArray` collects what it makes.

# %% exercise="generate"
def generate(model, start_ids, length, temperature):
    """Continue each row of start_ids by ``length`` sampled ids.

    model: Embedding, LSTM, perhaps others, Dense.  start_ids: integers (batch, start).
    Returns integers (batch, start + length); each row begins with its start.
    """
    ### BEGIN SOLUTION
    return compiled_writer(model)(tf.cast(start_ids, tf.int64), length, temperature)
    ### END SOLUTION


@functools.cache   # compiled once for each model
def compiled_writer(model):
    """The loop of ``generate`` for any batch, start, length and temperature."""
    ### BEGIN SOLUTION
    embedding, lstm, *_, dense = model.layers

    @tf.function(input_signature=[tf.TensorSpec((None, None), tf.int64),
                                  tf.TensorSpec((), tf.int32), tf.TensorSpec((), tf.float32)])
    def write(start_ids, length, temperature):
        h = c = tf.zeros((tf.shape(start_ids)[0], lstm.units))
        for t in tf.range(tf.shape(start_ids)[1]):       # read the start
            _, (h, c) = lstm.cell(embedding(start_ids[:, t]), [h, c])

        new = tf.TensorArray(tf.int64, size=length)
        for t in tf.range(length):                       # write on
            ids = sample_next(dense(h), temperature)
            new = new.write(t, tf.cast(ids, tf.int64))
            _, (h, c) = lstm.cell(embedding(ids), [h, c])
        return tf.concat([start_ids, tf.transpose(new.stack())], axis=1)

    return write
    ### END SOLUTION

# %% check="generate"
grader.check("generate", generate)

# %% [markdown]
# `compose` starts every tune with `M:` (or with a start of yours, such as a metre and a key), lets
# all of them be written at once, and cuts each at its first blank line, which is how a tune ends.

# %%
from lab_utils.music.composing import check_temperature, finished_tunes, start_ids


def compose(count, temperature=CONFIG["temperature"], start="M:", length=700):
    """``count`` new tunes as ABC text."""
    first = start_ids(start, count, char_to_id)
    return finished_tunes(generate(model, first, length, check_temperature(temperature)),
                          characters)


compose(1), compose(100)   # compiles
speed = {}
for count in (1, 100):
    started = time.perf_counter()
    compose(count)
    speed[count] = 700 * count / (time.perf_counter() - started)
    print(f"{count:3} at once: {speed[count]:8,.0f} characters a second")

print(compose(1, start="M:6/8\nL:1/8\nK:D\n")[0])

# %% [markdown]
# ## B10. Judge the music
#
# One good tune proves little: we may have been lucky, or it may be a copy. So measure many, beside
# held-out tunes that people wrote and the model has never seen. For each set: the share that are
# valid tunes of eight bars or more; the share of bars with the right length (a pickup bar counts
# as right if the last bar makes it full); notes in the key; and the longest run of notes, in pitch
# and length, that stands somewhere in the training tunes.
#
# **Predict**: will the model's tunes share longer runs with the training tunes than real tunes do?

# %%
from lab_utils.music.judge import CopyDetector, best_tune, judge, table
from lab_utils.music.plots import plot_comparison

tf.random.set_seed(SEED)
copies = CopyDetector(corpus.train)
held_out = judge("held-out", corpus.test, copies)
generated = judge("generated", compose(CONFIG["samples"]), copies)
print(table(held_out, generated))

# %%
plot_comparison(held_out, generated)
plt.show()

# %% [markdown]
# What does the temperature do to these measures? **Predict** the shape of both curves.

# %%
temperatures = (0.3, 0.5, 0.7, 0.9, 1.1)
by_temperature = [judge(f"T = {t}", compose(CONFIG["samples"] // 2, t), copies)
                  for t in temperatures]
fig, ax = plt.subplots()
ax.plot(temperatures, [100 * j.valid for j in by_temperature], marker="o",
        label="texts that are tunes of 8 bars or more")
ax.plot(temperatures, [100 * j.bars_correct for j in by_temperature], marker="s",
        label="bars of the right length")
ax.axhline(100 * held_out.bars_correct, color="black", linewidth=0.8, linestyle=":",
           label="bars of held-out tunes")
ax.set(xlabel="temperature", ylabel="share (%)", ylim=(0, 103))
ax.legend(loc="lower left")
plt.show()

# %% [markdown] written="written_sampling"
# **Question 1.** Why sample, and not always take the likeliest character? Try
# `print(compose(1, temperature=0.01)[0])` before you answer.
#
# ### BEGIN SOLUTION
# The likeliest continuation of a phrase is often the phrase itself, so the greedy tune falls into a
# loop, and there is only one greedy tune for each start. Sampling follows the distribution that the
# model learned, in which surprises have their share, and gives a new tune each time.
# ### END SOLUTION

# %% [markdown] written="written_temperature"
# **Question 2.** What does the temperature do to the distribution, and what happened to valid tunes
# and right bars as it rose? Which one would you choose, for what purpose?
#
# ### BEGIN SOLUTION
# Dividing the logits by T below 1 raises the likely characters and starves the rest; above 1
# flattens the distribution towards uniform. With rising T, rare characters come up at places where
# they break a bar or the notation, so both shares fall. A low T for safe, plain tunes; nearer 1 for
# variety, if one is ready to throw some away.
# ### END SOLUTION

# %% [markdown] written="written_new"
# **Question 3.** Is the music new? Argue with the figures above, not with your ear.
#
# ### BEGIN SOLUTION
# The longest runs that generated tunes share with the training tunes are about as long as those
# that real, held-out tunes share with them: phrases of the tradition recur, whole tunes do not.
# So by this measure it is as new as a real tune is. The measure sees only exact runs: a copy with a
# changed note every few beats would pass.
# ### END SOLUTION

# %% [markdown]
# ## B11. Hear and see the best one
#
# "Best" is simple here: the most bars of the right length, and among those the shortest copied run.
# Run the cells again for another tune, or choose your own from `generated.tunes`.

# %%
from lab_utils.files import write_text
from lab_utils.music.sheet import save_svg
from lab_utils.music.sound import to_wav

tune = best_tune(generated)
print(tune.abc())
write_text(output_dir() / "tune.abc", "X:1\nT:A new tune\n" + tune.abc())
to_wav(tune, output_dir() / "tune.wav")
save_svg(tune, output_dir() / "tune.svg")
display(show_score(tune), player(tune))

# %% [markdown]
# ## B12. Results, and the competition
#
# The numbers go to `results.json`; the zip file is your entry: the tune, how it scored, and how it
# was made. Can you beat the validation loss with another size, length or dropout? Can you make the
# network write a tune that its friends would dance to?

# %%
from lab_utils.competition import pack
from lab_utils.results import record

results = record(
    "lab1", source=source, val_bits_per_char=round(val_bits_per_char, 4),
    tunes_sampled=generated.sampled, tunes_valid=len(generated.tunes),
    bars_correct=round(generated.bars_correct, 4),
    bars_correct_held_out=round(held_out.bars_correct, 4),
    longest_copied_notes=int(generated.copied.max(initial=0)),
    longest_copied_notes_held_out=int(held_out.copied.max()),
    train_seconds=round(run.seconds, 1), train_steps=run.step,
    generate_chars_per_second=round(speed[1]), generate_chars_per_second_100=round(speed[100]))
model.save(output_dir() / "lab1_music.keras")
model.save_weights(output_dir() / "lab1_music.weights.h5")
entry = pack(output_dir() / "lab1_entry.zip", [output_dir() / f"tune.{kind}" for kind in
     ("abc", "wav", "svg")], results, CONFIG, "lab1_music_generation.ipynb")

# %%
grader.report()
