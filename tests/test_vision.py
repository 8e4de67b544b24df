"""Lab 2's helpers: digits, photographs, outputs of networks, judging by group, grids."""

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab_utils.errors import LabError
from lab_utils.vision.digits import load_digits
from lab_utils.vision.judge import judge, plot_judgements, table
from lab_utils.vision.photos import load_photos
from lab_utils.vision.scores import as_images, outputs
from lab_utils.vision.show import grid


def test_digits_hold_out_a_hundred_of_each():
    digits = load_digits("5000", seed=3)
    assert digits.train_images.shape == (4000, 28, 28, 1)
    assert np.bincount(digits.test_labels).tolist() == [100] * 10
    assert digits.train_images.min() == 0 and digits.train_images.max() == 1
    seen = {image.tobytes() for image in digits.train_images}
    assert sum(image.tobytes() in seen for image in digits.test_images) < 5


def test_digits_of_another_size_are_refused():
    with pytest.raises(LabError, match="5000"):
        load_digits("60000")


def test_a_failed_download_leads_back_to_the_digits_that_are_here(monkeypatch):
    def fail():
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", fail)
    with pytest.raises(LabError, match="5000"):
        load_digits("70000")


def test_photos_are_grey_pictures_of_both_kinds():
    images, labels = load_photos()
    assert images.shape == (200, 64, 64, 3) and images.dtype == np.float32
    assert labels.tolist() == [1] * 100 + [0] * 100
    assert 0 <= images.min() and images.max() <= 1
    assert np.array_equal(images[..., 0], images[..., 2])


@pytest.mark.parametrize("images, part", [
    (np.zeros((2, 32, 32, 3)), "resized"),
    (np.zeros((64, 64, 3)), "resized"),
    (np.full((2, 64, 64, 3), 200.0), "divide by 255"),
    (np.full((2, 64, 64, 3), -1.0), "between 0 and 1"),
    (np.full((2, 64, 64, 3), np.nan), "NaN"),
])
def test_unfit_images_are_refused_with_a_sentence(images, part):
    with pytest.raises(LabError, match=part):
        as_images(images)


def small_model(width: int) -> keras.Model:
    return keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(),
                             keras.layers.Dense(width)])


def test_outputs_take_bytes_and_floats_alike():
    model, rng = small_model(3), np.random.default_rng(0)
    images = rng.integers(0, 256, (7, 8, 8, 3), np.uint8)
    whole = outputs(model, images, batch_size=3)
    assert whole.shape == (7, 3)
    np.testing.assert_allclose(outputs(model, images / 255), whole, atol=1e-5)
    assert outputs(model, images[:0]).shape == (0, 3)


def test_outputs_of_many_networks_give_no_warning_of_tracing(caplog):
    for _ in range(7):
        model = small_model(3)
        for count in (2, 5, 3):
            images = np.full((count, 8, 8, 3), 99, np.uint8)
            expected = model(images.astype("float32") / 255)
            np.testing.assert_allclose(outputs(model, images, batch_size=3), expected, atol=1e-5)
    assert "retracing" not in caplog.text


def test_a_model_of_another_width_is_refused():
    with pytest.raises(LabError, match="last layer"):
        outputs(small_model(2), np.zeros((1, 8, 8, 3), np.uint8), width=1)


def scores(seed=0, n=600):
    rng = np.random.default_rng(seed)
    groups = np.repeat(["easy", "hard"], n // 2)
    return rng.normal(size=n) + np.where(groups == "easy", 3, 1.5), rng.normal(size=n), groups


def test_judge_agrees_with_the_definition():
    faces, others, groups = scores()
    result = judge(faces, others, groups, ["easy", "hard"], 0.05)
    assert np.isclose((others > result.threshold).mean(), 0.05, atol=1 / 600)
    for group in ("easy", "hard"):
        assert result.recall[group] == (faces[groups == group] > result.threshold).mean()
        low, high = result.interval[group]
        assert low <= result.recall[group] <= high and high - low < 0.2
    assert result.gap == result.recall["easy"] - result.recall["hard"]
    assert result.gap_interval[0] > 0
    assert result.as_results()["gap"] == round(result.gap, 4)
    assert result.overall == (faces > result.threshold).mean()


def test_intervals_cover_as_often_as_they_say():
    inside, runs = 0, 200
    for seed in range(runs):   # true recall at the true threshold: P(N(1, 1) > q95 of N(0, 1))
        rng = np.random.default_rng(seed)
        result = judge(rng.normal(1, 1, 300), rng.normal(size=2000), np.repeat("all", 300),
                       false_positive_rate=0.05, resamples=200, seed=seed)
        low, high = result.interval["all"]
        inside += low <= 0.2595 <= high
    assert 0.88 <= inside / runs <= 0.99


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e3))
@settings(max_examples=25, deadline=None)
def test_judging_does_not_depend_on_the_scale_of_scores(shift, scale):
    faces, others, groups = (x.astype("float64") if x.dtype.kind == "f" else x for x in scores())
    a = judge(faces, others, groups, resamples=20)
    b = judge(shift + scale * faces, shift + scale * others, groups, resamples=20)
    assert np.allclose(list(a.recall.values()), list(b.recall.values()), atol=0.01)


@pytest.mark.parametrize("change, part", [
    (dict(order=["easy", "nobody"]), "nobody"),
    (dict(groups=np.repeat("", 600)), "No face"),
    (dict(groups=np.repeat("a", 5)), "one\\s+group a face"),
    (dict(scores_faces=np.full(600, np.nan)), "NaN"),
    (dict(scores_faces=np.zeros((600, 2))), "one number a picture"),
    (dict(scores_nonfaces=np.zeros(0)), "one number a picture"),
    (dict(false_positive_rate=2), "share between"),
])
def test_what_cannot_be_judged_is_refused_with_a_sentence(change, part):
    faces, others, groups = scores()
    with pytest.raises(LabError, match=part):
        judge(**dict(scores_faces=faces, scores_nonfaces=others, groups=groups) | change)


def test_table_and_plot_show_every_group_and_detector():
    faces, others, groups = scores()
    both = {"one": judge(faces, others, groups), "two": judge(faces + 1, others, groups)}
    text = table(both)
    for word in ("easy", "hard", "one", "two", "gap", "all faces"):
        assert word in text
    assert len({len(line) for line in text.splitlines()}) == 1
    plot_judgements(both)
    ax = plt.gca()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["easy", "hard"]
    assert "2%" in ax.get_xlabel()
    plt.close("all")


def test_grid_shows_every_picture_with_its_caption():
    fig = grid(np.zeros((5, 8, 8, 1)), columns=3, captions=list("abcde"), title="t")
    assert [ax.get_title() for ax in fig.axes] == ["a", "b", "c", "d", "e", ""]
    assert sum(bool(ax.images) for ax in fig.axes) == 5
    plt.close(fig)
    with pytest.raises(LabError, match="empty"):
        grid(np.zeros((0, 8, 8, 3)))
    with pytest.raises(LabError, match="captions"):
        grid(np.zeros((2, 8, 8, 3)), captions=["a"])
