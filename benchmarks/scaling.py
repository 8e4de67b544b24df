"""How time and peak memory grow with vocabulary, length, batch, faces and environments.

Each size, 1, 2, 4 and 8 times the first, runs in a fresh process, so that its peak memory is its
own. One figure for each, ``scaling_NAME.png``, states the slope of time in logarithms (1: twice the
size takes twice the time; 0: the size costs nothing) and the memory that one more costs.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from lab_utils.config import ROOT
from lab_utils.errors import LabError

from .frame import Result, Row, in_turns, number

REPEAT = 1
FACTORS = (1, 2, 4, 8)
# Name -> (first size, what is counted, what is timed).
AXES = {
    "vocabulary": (64, "different characters", "training step of Lab 1, 256 units, 16 x 64"),
    "length": (32, "characters in a row", "training step of Lab 1, 256 units, batch 16"),
    "batch": (8, "rows in a batch", "training step of Lab 1, 256 units, length 64"),
    "faces": (500, "faces", "one resampling pass of Lab 2"),
    "environments": (8, "environments", "100 steps of CartPole with Lab 3's policy"),
}


def work(axis: str, size: int):
    """The function that is timed."""
    import numpy as np

    from .lab_code import functions

    rng = np.random.default_rng(1)
    if axis == "faces":
        from lab_utils.faces import load_faces

        lab = functions("lab2", "build_classifier", "resampling_probabilities", "kl_divergence",
                        also=("final_probabilities", "active", "kl_by_latent"))
        faces = load_faces("train", faces=500, nonfaces=0, seed=1)
        faces = faces[rng.integers(0, len(faces), size)]
        encoder = lab["build_classifier"](1 + 2 * lab["FACES"]["latents"])
        return lambda: lab["final_probabilities"](encoder, faces)
    if axis == "environments":
        from lab_utils.rl.cartpole import make_vector

        lab = functions("lab3", "build_policy", also=("actor",))
        act, envs = lab["actor"](lab["build_policy"](2)), make_vector(size)

        def steps():
            observations, _ = envs.reset(seed=1)
            for _ in range(100):
                observations = envs.step(act(observations))[0]

        return steps
    from .music_peers import CLIP, EMBEDDING, LEARNING_RATE

    lab = functions("lab1", "build_model", "compute_loss", "train_step")
    vocabulary, length, batch = (size if axis == name else usual for name, usual in
                                 (("vocabulary", 64), ("length", 64), ("batch", 16)))
    keras, tf = lab["keras"], lab["tf"]
    keras.utils.set_random_seed(1)
    model = lab["build_model"](vocabulary, EMBEDDING, 256)
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    optimizer.build(model.trainable_variables)
    x, y = tf.constant(rng.integers(0, vocabulary, (2, batch, length)), tf.int32)
    return lambda: float(lab["train_step"](model, optimizer, x, y, CLIP))


def measure(axis: str, size: int, calls: int) -> None:
    """Print, as JSON, the least seconds of a call and the process's peak memory in MB."""
    from .frame import seconds_of

    run = work(axis, size)
    run()   # compiles
    print(json.dumps([min(seconds_of(run)() for _ in range(calls)), peak_memory()]))


def peak_memory() -> float:
    """The largest memory that this process has held, in MB."""
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset / 1e6
    status = Path("/proc/self/status")
    if status.exists():   # ru_maxrss would hold what the process that started this one had
        return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) / 1e6
    import resource

    unit = 1 if sys.platform == "darwin" else 1024   # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def in_a_process(axis: str, size: int, calls: int) -> list[float]:
    """``measure`` in a fresh process: [seconds, MB]."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.scaling", axis, str(size),
                           str(calls)], cwd=ROOT, capture_output=True, text=True,
                          env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"})
    if done.returncode:
        raise LabError(f"Measuring {axis} {size} fails: {done.stderr.strip().splitlines()[-1]}.")
    return json.loads(done.stdout.strip().splitlines()[-1])


def plot(axis: str, sizes: list[int], seconds: list[float], memory: list[float]):
    """Draw one axis; returns the figure, the slope of time, the memory in MB of one more."""
    import numpy as np
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator

    from lab_utils.plotting import use_style

    _, counted, timed = AXES[axis]
    slope, at_one = np.polyfit(np.log(sizes), np.log(seconds), 1)
    each, base = np.polyfit(sizes, memory, 1)
    use_style()
    fig = Figure(figsize=(8, 3.1))
    left, right = fig.subplots(1, 2)
    x = np.array(sizes, float)
    left.loglog(x, 1000 * np.array(seconds), "o", color="black", label="measured")
    left.loglog(x, 1000 * np.exp(at_one) * x ** slope, "--", label=f"slope {slope:.2f}")
    left.set(xlabel=counted, ylabel="time (ms)")
    left.set_ylim(500 * min(seconds), 2000 * max(seconds))   # a flat line looks flat
    left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    left.yaxis.set_major_formatter("{x:g}")
    left.minorticks_off()
    grows = each * (sizes[-1] - sizes[0]) > 0.02 * base      # less is chance
    right.plot(x, memory, "s", color="black", label="measured")
    right.plot(x, base + each * x, "--",
               label=f"{number(1000 * each)} kB each" if grows else "no growth seen")
    right.set(xlabel=counted, ylabel="peak memory (MB)", ylim=(0, 1.4 * max(memory)))
    for ax in (left, right):
        ax.set_xticks(x, [f"{size:,}" for size in sizes])
        ax.legend(loc="upper left")
    fig.suptitle(timed, fontsize=10)
    return fig, float(slope), float(each)


def run(repeat: int, scale: str) -> Result:
    """See the module."""
    tiny = scale == "tiny"
    rows, details, figures = [], {}, {}
    for axis in list(AXES)[:1] if tiny else AXES:
        sizes = [AXES[axis][0] * factor for factor in (FACTORS[:2] if tiny else FACTORS)]
        found = {size: [] for size in sizes}

        def turn(size, axis=axis, found=found):
            found[size].append(in_a_process(axis, size, 1 if tiny else 5))
            return found[size][-1][0]

        in_turns(repeat, {str(size): lambda size=size: turn(size) for size in sizes}, warm=False)
        seconds = [min(pair[0] for pair in found[size]) for size in sizes]
        memory = [max(pair[1] for pair in found[size]) for size in sizes]
        figures[f"scaling_{axis}.png"], slope, each = plot(axis, sizes, seconds, memory)
        rows += [Row(f"{AXES[axis][2]}: time against {axis}", "slope", [slope],
                     more_is_better=False),
                 Row(f"{AXES[axis][2]}: memory against {axis}", "kB each", [max(0.0, 1000 * each)],
                     more_is_better=False)]
        details[axis] = {"sizes": sizes, "seconds": seconds, "peak_mb": memory}
    return Result(rows, details, figures)


if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
