"""Lab 2's DB-VAE: training steps with their input, and one resampling of 8,000 faces.

Ours is the lab's own code. The peer draws each batch as the course's helper does (a draw without
replacement by probability, indices sorted, the pictures divided by 255 in double precision),
decodes every picture of it, as the course's step does, though only faces add to the loss, and
finds the latents of all faces by calling the model in batches of 1024 such pictures. Network, loss
and optimizer are the same.
"""

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


def captured(lab: dict, train: FaceSet) -> tuple[object, Callable]:
    """The encoder and the compiled training step that ``train_dbvae`` makes, without training."""
    found = {}
    epochs, lab["run_epochs"] = lab["run_epochs"], lambda train, step, *_: found.update(step=step)
    try:
        encoder, *_ = lab["train_dbvae"](train, 1)
    finally:
        lab["run_epochs"] = epochs
    return encoder, found["step"]


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

    ours, peer = (functions("lab2", *EXERCISES, also=PARTS) for _ in range(2))
    tf = ours["tf"]
    tiny = scale == "tiny"
    count = 64 if tiny else 1280                      # faces, and as many other pictures
    settings = ours["FACES"]
    settings.update(epochs=1, pictures=count)
    half = settings["half_batch"]
    rng = np.random.default_rng(1)
    train = load_faces("train", faces=count, nonfaces=count, seed=1)
    p = rng.random(count)
    p /= p.sum()

    ours["tqdm"] = lambda batches, **_: batches        # no second progress bar
    encoder, step = captured(ours, train)
    peer["FACES"].update(settings, half_batch=2 * half)   # it decodes as many: every picture
    peer["floats"] = lambda images: images             # the peer's are floats already
    _, peer_step = captured(peer, train)
    draw = course_batches(train, half, rng, p)

    def peer_batch():
        images, labels = draw()
        peer_step(tf.constant(images), tf.constant(labels))

    fixed = tf.constant(np.concatenate([train.faces.images[:half], train.nonfaces.images[:half]]))
    labels = tf.constant(np.repeat([1.0, 0.0], half), tf.float32)
    seconds = 0.0 if tiny else 3.0
    values = in_turns(repeat, {
        # One epoch: as many batches as fit.
        "ours": rate(lambda: ours["run_epochs"](train, step, 1, lambda epoch: p),
                     count // half * 2 * half, seconds, least=1),
        "course": rate(peer_batch, 2 * half, seconds),
        "step alone": rate(lambda: step(fixed, labels), 2 * half, seconds),
    })

    many = load_faces("train", faces=count if tiny else None, nonfaces=0, seed=1).faces
    many = many[rng.integers(0, len(many), 64 if tiny else RESAMPLED)]
    latents = settings["latents"]

    def course_resampling():
        _, mu, log_var = np.split(course_latents(encoder, many.images), [1, 1 + latents], 1)
        peer["resampling_probabilities"](mu, settings["bins"], settings["smoothing"])

    passes = in_turns(repeat, {
        "ours": seconds_of(lambda: ours["final_probabilities"](encoder, many)),
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
