"""Lab 2's DB-VAE: training steps with their input, and one resampling of 8,000 faces.

Ours is the lab's own code. The peer draws each batch as the course's helper does (a draw without
replacement by probability, indices sorted, the pictures divided by 255 in double precision), takes
one step a call, decodes every picture, as the course's step does, though only faces add to the
loss, and finds the latents of all faces by calling the model in batches of 1024 such pictures.
Network, loss, optimizer and mirroring are the same.
"""

import functools
import statistics
from collections.abc import Callable

from lab_utils.faces import FaceSet, load_faces

from .frame import Result, Row, in_turns, rate, seconds_of
from .lab_code import functions

EXERCISES = ("build_classifier", "sample_latent", "kl_divergence", "vae_loss", "build_decoder",
             "resampling_probabilities", "dbvae_loss")
PARTS = ("train_dbvae", "run_epochs", "final_probabilities", "active", "kl_by_latent", "floats")
TO_STEP, TO_RESAMPLE = 1.5, 1.0   # times the peer's images a second; seconds
RESAMPLED = 8000                  # faces


def captured(lab: dict, train: FaceSet) -> tuple[object, Callable, Callable]:
    """What ``train_dbvae`` makes, without training: the encoder, the step on one batch of images
    and labels, and the compiled one on many batches."""
    found = {}
    many, epochs = lab["many_batches"], lab["run_epochs"]

    def compiled(step):
        found.update(one=step, many=many(step))
        return found["many"]

    lab.update(many_batches=compiled, run_epochs=lambda *_: None)
    try:
        encoder, *_ = lab["train_dbvae"](train, 1)
    finally:
        lab.update(many_batches=many, run_epochs=epochs)
    return encoder, found["one"], found["many"]


def course_step(lab: dict, latents: int, kl_weight: float) -> Callable:
    """The course's training step on images (batch, 64, 64, 3), 0 to 1, and labels (batch,)."""
    tf = lab["tf"]
    encoder, decoder = lab["build_classifier"](1 + 2 * latents), lab["build_decoder"](latents)
    variables = encoder.trainable_variables + decoder.trainable_variables
    optimizer = lab["make_optimizer"]()
    optimizer.build(variables)

    @tf.function
    def step(images, labels):
        x = tf.image.random_flip_left_right(images)
        with tf.GradientTape() as tape:
            y_logit, mu, log_var = tf.split(encoder(x, training=True), [1, latents, latents], 1)
            x_reconstructed = decoder(lab["sample_latent"](mu, log_var), training=True)
            loss, _ = lab["dbvae_loss"](lab["FOCUS"] * x, lab["FOCUS"] * x_reconstructed, labels,
                                        y_logit[:, 0], mu, log_var, kl_weight)
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    return step


def course_batches(train: FaceSet, half: int, rng, p) -> Callable[[], tuple]:
    """Draw (images float32, labels) in the course's way, from arrays in memory."""
    import numpy as np

    pictures, faces = train.images, np.flatnonzero(train.labels == 1)
    others = np.flatnonzero(train.labels == 0)

    def draw():
        chosen = np.sort(np.concatenate([rng.choice(faces, half, replace=False, p=p),
                                         rng.choice(others, half, replace=False)]))
        return ((pictures[chosen] / 255.0).astype("float32"),
                train.labels[chosen].astype("float32"))

    return draw


def course_latents(encoder, images):
    """Outputs of the encoder for uint8 images, batch by batch, as floats."""
    import numpy as np

    return np.concatenate([
        encoder(np.float32(images[at:at + 1024] / 255.0)).numpy()
        for at in range(0, len(images), 1024)])


def run(repeat: int, scale: str) -> Result:
    """See the module."""
    import numpy as np

    lab = functions("lab2", *EXERCISES, also=PARTS)
    tf = lab["tf"]
    tiny = scale == "tiny"
    count = 64 if tiny else 1600                      # faces, and as many other pictures
    settings = lab["FACES"]
    settings.update(epochs=1 if tiny else 4, pictures=count)
    half, latents = settings["half_batch"], settings["latents"]
    rng = np.random.default_rng(1)
    train = load_faces("train", faces=count, nonfaces=count, seed=1)
    p = rng.random(count)
    p /= p.sum()

    lab["tqdm"] = functools.partial(lab["tqdm"], disable=True)   # no second progress bar
    encoder, _, many_steps = captured(lab, train)
    peer_step = course_step(lab, latents, settings["kl_weight"])
    draw = course_batches(train, half, rng, p)

    def peer_batch():
        images, labels = draw()
        peer_step(tf.constant(images), tf.constant(labels))

    one_batch = tf.constant(np.concatenate([train.faces.images[:half],
                                            train.nonfaces.images[:half]]))
    again = tf.constant(np.tile(np.arange(2 * half), (settings["steps_per_execution"], 1)))
    seconds = 0.0 if tiny else 3.0
    values = in_turns(repeat, {
        "ours": rate(lambda: lab["run_epochs"](train, many_steps, 1, lambda epoch: p),
                     settings["epochs"] * (count // half) * 2 * half, seconds, least=1),
        "course": rate(peer_batch, 2 * half, seconds),
        "step alone": rate(lambda: many_steps(one_batch, again), again.shape.num_elements(),
                           seconds, least=1),
    })

    many = load_faces("train", faces=count if tiny else None, nonfaces=0, seed=1).faces
    many = many[rng.integers(0, len(many), 64 if tiny else RESAMPLED)]

    def course_resampling():
        _, mu, log_var = np.split(course_latents(encoder, many.images), [1, 1 + latents], 1)
        lab["resampling_probabilities"](mu, settings["bins"], settings["smoothing"])

    passes = in_turns(repeat, {
        "ours": seconds_of(lambda: lab["final_probabilities"](encoder, many)),
        "course": seconds_of(course_resampling),
    })
    course = "the course's way"
    share = max(0.0, 1 - statistics.median(values["ours"]) / statistics.median(
        values["step alone"]))
    return Result([
        Row(f"training, batch {2 * half}", "images/s", values["ours"], values["course"], course,
            TO_STEP, note=f"its input takes {share:.0%} of our time"),
        Row("training with its input, beside the step alone", "images/s", values["ours"],
            values["step alone"], "the step on one batch that stays"),
        Row(f"resampling {len(many):,} faces", "s", passes["ours"], passes["course"],
            "latents in the course's way", more_is_better=False),
        Row(f"resampling {len(many):,} faces, limit", "s", passes["ours"], target=TO_RESAMPLE,
            more_is_better=False),
    ], {"training": values, "resampling": passes})
