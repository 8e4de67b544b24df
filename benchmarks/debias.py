"""Gap and recall of Lab 2's four detectors over several seeds, trained by the lab's own code.

Every seed draws its own biased training set. What a closed gap is worth is measured against the
oracle, which may look at the tone: the share that the DB-VAE closes of the gap that it closes.
Finished seeds are kept, so an interrupted run goes on. The default measures one seed; ``--full``
five, and writes the table that the lab shows, ``data/models/lab2_benchmark.json``.
"""

import json
from pathlib import Path

import numpy as np

from lab_utils.config import MODELS
from lab_utils.faces import TONE_GROUPS, Bias, load_faces
from lab_utils.files import write_text
from lab_utils.vision.judge import judge

from .frame import Result, Row
from .lab_code import functions
from .seeds import over_seeds

EXERCISES = ("build_classifier", "sample_latent", "kl_divergence", "vae_loss", "build_decoder",
             "resampling_probabilities", "dbvae_loss")
TRAININGS = ("train_detector", "train_dbvae", "by_tone_label", "active", "product_probabilities",
             "kl_by_latent", "scores", "make_optimizer")
SEEDS = {"tiny": 1, "default": 1, "full": 5}
PRODUCT = "DB-VAE, product"
KEPT = Path("build") / "debias_seeds.json"


def run(repeat: int, scale: str) -> Result:
    """Train and judge; the ratio compares the gaps of standard detector and DB-VAE."""
    lab = functions("lab2", *EXERCISES, also=TRAININGS)
    if scale == "tiny":
        lab["FACES"].update(pictures=320, epochs=1)
    test = load_faces("test")
    runs = over_seeds(range(SEEDS[scale]), lambda seed: one_seed(lab, test, seed), lab["FACES"],
                      None if scale == "tiny" else KEPT)
    details = summary(runs)
    if scale == "full":
        write_text(MODELS / "lab2_benchmark.json", json.dumps(details, indent=1) + "\n")
    gaps = {name: [result[name]["gap"] for result in runs] for name in runs[0]}
    rows = [Row(f"gap of the {name}, tones 1-2 minus 9-10", "recall", gaps[name],
                gaps["standard"], peer="standard detector", more_is_better=False)
            for name in ("DB-VAE", "oracle")]
    return Result(rows, details)


def one_seed(lab: dict, test, seed: int) -> dict[str, dict]:
    """Results of each detector, as ``Judgement.as_results`` gives them."""
    pictures = lab["FACES"]["pictures"]
    biased = load_faces("train", bias=Bias(), faces=pictures, nonfaces=pictures, seed=seed)
    even = load_faces("train", faces=pictures, nonfaces=pictures, seed=seed)
    train = lab["train_detector"]
    models = {
        "standard": train(biased, seed)[0],
        "DB-VAE": lab["train_dbvae"](biased, seed)[0],
        PRODUCT: lab["train_dbvae"](biased, seed, "product")[0],
        "oracle": train(biased, seed, lambda epoch: lab["by_tone_label"](biased.faces))[0],
        "balanced data": train(even, seed)[0],
    }
    groups = test.faces.tone_groups
    results = {name: judge(*lab["scores"](model, test), groups, TONE_GROUPS).as_results()
               for name, model in models.items()}
    print(f"seed {seed}: " + ", ".join(f"{name} gap {r['gap']:.3f} recall {r['overall']:.3f}"
                                       for name, r in results.items()), flush=True)
    return results


def interval(values: list[float]) -> dict:
    """Mean over seeds, its 95 % interval (Student's t), and the values."""
    from scipy import stats

    x = np.array(values, float)
    half = (stats.t.ppf(0.975, len(x) - 1) * x.std(ddof=1) / np.sqrt(len(x)) if len(x) > 1
            else float("nan"))
    return {"mean": round(float(x.mean()), 4), "seeds": x.round(4).tolist(),
            "interval_95": [round(float(x.mean() - half), 4), round(float(x.mean() + half), 4)]}


def summary(runs: list[dict]) -> dict:
    """Means and intervals over seeds of gap, overall recall, and recall by tone."""
    names = list(runs[0])
    gap = {name: interval([run[name]["gap"] for run in runs]) for name in names}
    closed = {name: gap["standard"]["mean"] - gap[name]["mean"] for name in names}
    return {"seeds": len(runs), "false_positive_rate": runs[0]["standard"]["false_positive_rate"],
            "gap": gap,
            "overall": {name: interval([run[name]["overall"] for run in runs]) for name in names},
            "groups": {name: {group: interval([run[name]["groups"][group] for run in runs])
                              for group in TONE_GROUPS} for name in names},
            "closed_of_what_the_oracle_closes": round(closed["DB-VAE"] / closed["oracle"], 3)
            if closed["oracle"] else None}
