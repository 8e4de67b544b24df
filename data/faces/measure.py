"""Measure the built set: skin colour, leaks, times.

    python data/faces/measure.py

Writes ``measurements.json`` beside this file. How hard the set is and how large the bias becomes
is measured by Lab 2's own code: ``python -m benchmarks debias --full``.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from lab_utils import quiet_start  # noqa: E402

with quiet_start():
    import keras

from lab_utils.faces import Bias, FaceSet, load_faces, render_faces  # noqa: E402
from lab_utils.faces.person import draw_person, person_rng  # noqa: E402
from lab_utils.faces.render import render_person  # noqa: E402
from lab_utils.faces.tones import lightness, to_linear  # noqa: E402
from lab_utils.files import write_text  # noqa: E402


def skin_colors(people: int = 40) -> dict:
    """Median colour of forehead, cheeks and nose under neutral light, for each tone."""
    medians = []
    for tone in range(1, 11):
        faces = render_faces(people, seed=9, progress=False, skin_tone=tone, light="neutral",
                             background="grey", yaw=0, pitch=0, roll=0, beard="none", age=30,
                             glasses="none", hat="none", hair="bald", scale=2.6)
        medians.append(np.median(faces.images[:, 26:44, 24:40].reshape(-1, 3), 0))
    values = lightness(to_linear(np.array(medians) / 255))
    return {"median_rgb": np.array(medians).astype(int).tolist(),
            "lightness": values.round(2).tolist(),
            "strictly_ordered": bool(np.all(np.diff(values) < 0)),
            "correlation_with_tone": round(float(np.corrcoef(values, range(1, 11))[0, 1]), 4)}


def milliseconds_a_face(count: int = 100) -> float:
    """Median processor time to render one face."""
    times = []
    for i in range(count + 1):
        start = time.process_time()
        render_person(draw_person(person_rng(1, i)))
        times.append(time.process_time() - start)
    return round(1000 * float(np.median(times[1:])), 1)


def seconds_to_load(folder: Path) -> dict[str, float]:
    """Wall-clock seconds of ``load_faces`` once TensorFlow is running (best of three)."""
    def best(**arguments) -> float:
        times = []
        for _ in range(3):
            start = time.perf_counter()
            load_faces(folder=folder, **arguments)
            times.append(time.perf_counter() - start)
        return round(min(times), 2)

    return {"default biased set": best(split="train", bias=Bias()), "test": best(split="test"),
            "validation": best(split="validation"), "whole training pool": best(split="train")}


def leak(train: FaceSet, test: FaceSet) -> dict:
    """Test accuracy of a network that sees only the mean and deviation of each channel."""
    def features(data: FaceSet) -> np.ndarray:
        x = data.images.astype(np.float32) / 255
        return np.concatenate([x.mean((1, 2)), x.std((1, 2))], 1)

    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Normalization(), keras.layers.Dense(64, "relu"),
                              keras.layers.Dense(64, "relu"), keras.layers.Dense(1)])
    x = features(train)
    model.layers[0].adapt(x)
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    model.fit(x, train.labels, epochs=30, batch_size=128, verbose=0)
    guess = model.predict(features(test), verbose=0)[:, 0] > 0
    return {"accuracy_mean_and_deviation": round(float((guess == test.labels).mean()), 4)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folder", type=Path, default=HERE)
    parser.add_argument("--out", type=Path, default=HERE / "measurements.json")
    args = parser.parse_args()
    train, test = (load_faces(split, folder=args.folder) for split in ("train", "test"))
    result = {"seconds_to_load": seconds_to_load(args.folder),
              "render_milliseconds_a_face": milliseconds_a_face(),
              "skin": skin_colors(), "leak": leak(train, test)}
    write_text(args.out, json.dumps(result, indent=1) + "\n")
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
