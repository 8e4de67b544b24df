"""The exercises of each lab: their points, and where their checks are. Points add up to 100."""

import importlib
from collections.abc import Callable

from ..errors import LabError

# Exercise id -> points. An id is the name of the function or class that answers it; what begins
# with "written_" is a question answered in words and graded by hand.
POINTS: dict[str, dict[str, int]] = {
    "lab1": {
        "perceptron": 4, "DenseLayer": 6, "gradient_descent": 6, "rnn_step": 6, "lstm_step": 10,
        "vectorize": 4, "get_batch": 10, "build_model": 10, "compute_loss": 8, "train_step": 10,
        "sample_next": 8, "generate": 12,
        "written_sampling": 2, "written_temperature": 2, "written_new": 2,
    },
    "lab2": {
        "convolve2d": 8, "max_pool2d": 6, "build_digit_cnn": 8, "build_classifier": 6,
        "kl_divergence": 8, "sample_latent": 8, "vae_loss": 8, "dbvae_loss": 10,
        "build_decoder": 6, "resampling_probabilities": 12, "recall_at_fpr": 8,
        "recall_by_group": 6,
        "written_harm": 2, "written_deploy": 2, "written_limits": 2,
    },
    "lab3": {
        "build_policy": 6, "choose_action": 8, "discounted_returns": 10, "normalize": 6,
        "policy_gradient_loss": 10, "train_step": 8, "preprocess": 8, "pong_returns": 8,
        "build_pong_policy": 8, "generalized_advantages": 12, "ppo_loss": 12,
        "written_frame": 2, "written_baseline": 2,
    },
}


def exercises(lab: str) -> list[str]:
    """Ids of a lab's exercises in the order of the notebook, written questions last.

    Raises:
        LabError: if there is no such lab.
    """
    if lab not in POINTS:
        raise LabError(f"There is no lab {lab!r}: choose from {', '.join(POINTS)}.")
    return list(POINTS[lab])


def points(lab: str, exercise: str) -> int:
    """Points of an exercise.

    Raises:
        LabError: if the lab has no such exercise.
    """
    if exercise not in exercises(lab):
        raise LabError(f"{lab} has no exercise {exercise!r}: it has {', '.join(POINTS[lab])}.")
    return POINTS[lab][exercise]


def check_of(lab: str, exercise: str) -> Callable:
    """The function ``check(answer, checker)`` of an exercise that is not a written one."""
    points(lab, exercise)
    module = importlib.import_module(f"{__package__}.checks_{lab}")
    return module.CHECKS[exercise]
