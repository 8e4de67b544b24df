"""Training runs: resuming, interruption, damage."""

import os
import signal
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest

from lab_utils import LabError, quiet_start

with quiet_start():
    import keras
    import tensorflow as tf

from lab_utils.plotting import plot_history
from lab_utils.training import TrainingRun, load_weights


def make(folder, steps=20, **settings):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, activation="tanh"),
                              keras.layers.Dropout(0.5), keras.layers.Dense(1)])
    optimizer = keras.optimizers.Adam(0.01)
    return model, optimizer, TrainingRun(folder, model, optimizer, steps, {"a": 1}, plot=None,
                                         **settings)


def train(model, optimizer, run, until=None):
    with run:
        for step in run:
            x = run.rng(step).normal(size=(8, 3)).astype("float32")
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((model(x, training=True)[:, 0] - x.sum(axis=1)) ** 2)
            optimizer.apply(tape.gradient(loss, model.trainable_variables),
                            model.trainable_variables)
            run.log(loss=loss)
            if until == step:
                os.kill(os.getpid(), signal.SIGINT)
    return np.concatenate([w.ravel() for w in model.get_weights()])


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_an_interrupted_run_resumes_to_the_same_weights(tmp_path, capsys):
    whole = train(*make(tmp_path / "a"))
    *_, run = parts = make(tmp_path / "b")
    train(*parts, until=7)
    assert run.step == 8 and "Interrupted after step 8" in capsys.readouterr().out
    *_, run = parts = make(tmp_path / "b")
    resumed = train(*parts)
    assert run.resumed_at == 8 and len(run.history["loss"]) == 20
    np.testing.assert_allclose(resumed, whole, rtol=1e-5)


def test_damaged_checkpoints_fall_back_then_are_named(tmp_path):
    *_, run = parts = make(tmp_path, save_seconds=0)
    train(*parts)
    data = sorted(run.folder.glob("ckpt-*.data*"))
    assert len(data) == 2
    newest = max(data, key=lambda path: int(path.name.split("-")[1].split(".")[0]))
    newest.write_bytes(b"damaged")
    *_, again = make(tmp_path)
    with again:
        assert again.step == 19
    for path in data:
        path.write_bytes(b"damaged")
    *_, again = make(tmp_path)
    with pytest.raises(LabError, match="train from the start"):
        again.__enter__()
    *_, again = make(tmp_path)
    with again:
        assert again.step == 0


def test_a_nan_stops_with_the_step_and_keeps_the_checkpoint(tmp_path):
    *_, run = make(tmp_path, save_seconds=0)
    with pytest.raises(LabError, match="loss became nan at step 3"), run:
        for step in run:
            run.log(loss=float("nan") if step == 3 else 1.0)
    *_, again = make(tmp_path)
    with again:
        assert again.step == 3


def test_the_bar_shows_values_that_are_not_kept(tmp_path, capsys):
    *_, run = make(tmp_path)
    with run:
        for _ in run:
            run.log(loss=1.0)
            run.show(points_won=0.25, steps_per_s=4096.0 * (1 + run.steps_per_second()))
    assert "loss 1, points_won 0.25, steps_per_s " in capsys.readouterr().out
    assert list(run.history) == ["loss"] and run.steps_per_second() > 0


def test_patience_ends_a_run_and_the_best_weights_come_back(tmp_path, capsys):
    model, _, run = make(tmp_path, patience=2)
    with run:
        for step in run:
            model.layers[-1].bias.assign([float(step)])
            run.validate(loss=abs(step - 4) + 1.0)
    assert run.step == 7 and "Stopped early" in capsys.readouterr().out
    run.load_best()
    assert float(model.layers[-1].bias[0]) == 4


def test_missing_damaged_and_foreign_weights_are_one_sentence(tmp_path):
    model, _, _ = make(tmp_path)
    with pytest.raises(LabError, match="is missing"):
        load_weights(model, tmp_path / "none.weights.h5")
    (tmp_path / "bad.weights.h5").write_bytes(b"not hdf5")
    with pytest.raises(LabError, match="damaged"):
        load_weights(model, tmp_path / "bad.weights.h5")
    other = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)])
    other.save_weights(tmp_path / "other.weights.h5")
    with pytest.raises(LabError, match="another architecture"):
        load_weights(model, tmp_path / "other.weights.h5")


def test_other_settings_are_another_run(tmp_path):
    model, optimizer, run = make(tmp_path)
    other = TrainingRun(tmp_path, model, keras.optimizers.Adam(), 20, {"a": 2}, plot=None)
    assert run.folder != other.folder


def test_long_curves_are_thinned_to_their_very_end():
    y = np.zeros(560)
    y[-1] = 11.0
    ax = plot_history({"won": list(zip(range(560), y, strict=True))}, "update", "share").axes[0]
    drawn_x, drawn_y = ax.lines[0].get_data()
    assert len(drawn_x) == 50 and drawn_y[-1] > 0 and drawn_x[-1] > 550
    short = plot_history({"a": [[1, 2.0], [2, 3.0]]}, "step", "loss").axes[0].lines[0].get_data()
    np.testing.assert_array_equal(short, [[1, 2], [2, 3]])
    plt.close("all")
