"""The renderer: deterministic, every attribute on its own, clear words for bad input."""

import numpy as np
import pytest

from lab_utils.errors import LabError
from lab_utils.faces import render_faces, render_nonfaces
from lab_utils.faces.nonfaces import KINDS
from lab_utils.faces.person import ATTRIBUTES, CHOICES, RANGES, draw_person, person_rng
from lab_utils.faces.render import render_person
from lab_utils.faces.tones import MONK_TONES, lightness, skin_albedo, to_linear, to_srgb

QUIET = dict(progress=False)


def test_same_seed_same_pictures():
    once, again = render_faces(3, seed=4, **QUIET), render_faces(3, seed=4, **QUIET)
    assert np.array_equal(once.images, again.images)
    assert once.images.shape == (3, 64, 64, 3) and once.images.dtype == np.uint8
    other = render_faces(3, seed=5, **QUIET)
    assert not np.array_equal(once.images, other.images)


def test_a_picture_does_not_depend_on_how_many_are_drawn():
    assert np.array_equal(render_faces(4, seed=4, **QUIET).images[3],
                          render_faces(1, seed=4, first=3, **QUIET).images[0])


@pytest.mark.parametrize("name, value", [("skin_tone", 9), ("yaw", 40.0), ("glasses", "sun"),
                                         ("light_key", 1.2), ("expression", "laugh"),
                                         ("hair_color", "red"), ("hat", "cap")])
def test_fixing_one_attribute_changes_no_other(name, value):
    before = draw_person(person_rng(1, 2))
    after = draw_person(person_rng(1, 2), **{name: value})
    assert getattr(after, name) == value
    for key, old in vars(before).items():
        if key != name:
            assert np.array_equal(old, getattr(after, key)), key


def test_gender_changes_only_what_follows_from_it():
    before = draw_person(person_rng(1, 2), gender="female")
    after = draw_person(person_rng(1, 2), gender="male")
    for key in ("skin_tone", "age", "yaw", "light_key", "background_seed", "shape", "details"):
        assert np.array_equal(getattr(before, key), getattr(after, key)), key


def test_tone_changes_the_skin_and_not_the_background():
    row = render_faces(2, seed=3, same_person=True, skin_tone=[1, 10], hair="bald", hat="none",
                       beard="none", yaw=0, **QUIET)
    light, dark = row.images.astype(int)
    corner = np.s_[:8, :8]
    assert np.array_equal(light[corner], dark[corner])
    assert light[28:40, 28:38].mean() > dark[28:40, 28:38].mean() + 50
    assert row.attributes["skin_tone"].tolist() == [1, 10]


def test_tones_are_ordered_under_neutral_light():
    row = render_faces(10, seed=9, same_person=True, skin_tone=range(1, 11), light="neutral",
                       yaw=0, pitch=0, roll=0, beard="none", glasses="none", hat="none",
                       hair="bald", age=30, background="grey", scale=2.6, **QUIET)
    medians = np.median(row.images[:, 26:44, 24:40].reshape(10, -1, 3), 1) / 255
    values = lightness(to_linear(medians))
    assert np.all(np.diff(values) < 0)
    assert np.corrcoef(values, range(1, 11))[0, 1] < -0.98


def test_albedo_keeps_order_and_range():
    albedo = np.array([skin_albedo(tone) for tone in range(1, 11)])
    assert np.all((albedo > 0) & (albedo < 1)) and np.all(np.diff(lightness(albedo)) < 0)
    assert len(MONK_TONES) == 10
    x = np.linspace(0, 1, 50)
    assert np.allclose(to_srgb(to_linear(x)), x, atol=1e-6)


def test_every_choice_renders():
    for name, values in CHOICES.items():
        for value in values:
            person = draw_person(person_rng(2, 5), **{name: value})
            assert render_person(person, size=16).std() > 0, (name, value)
    for name, ends in RANGES.items():
        for value in ends:
            assert render_person(draw_person(person_rng(2, 5), **{name: value}), 16).std() > 0


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_nonface_renders(kind):
    data = render_nonfaces(2, seed=1, kind=kind, **QUIET)
    assert data.images.shape == (2, 64, 64, 3) and set(data.attributes["kind"]) == {kind}
    assert data.labels.tolist() == [0, 0]
    assert not np.array_equal(data.images[0], data.images[1])


@pytest.mark.parametrize("wrong, message", [
    (dict(skin_tone=11), "from 1 to 10"), (dict(skin_tone=2.5), "whole number"),
    (dict(yaw=90), "from -65 to 65"), (dict(yaw=float("nan")), "out of range"),
    (dict(glasses="round"), "choose one of"), (dict(nose=1), "no attribute"),
    (dict(age="old"), "out of range"), (dict(skin_tone=[1, 2]), "2 values for 3"),
    (dict(size=4), "16 to 512")])
def test_bad_attributes_are_explained(wrong, message):
    with pytest.raises(LabError, match=message):
        render_faces(3, **QUIET, **wrong)


def test_bad_counts_and_kinds_are_explained():
    with pytest.raises(LabError, match="0 pictures or more"):
        render_faces(-1)
    with pytest.raises(LabError, match="choose one of"):
        render_nonfaces(1, kind="cat")
    assert len(render_faces(0, **QUIET)) == 0


def test_attribute_names_are_fields_of_a_person():
    person = draw_person(person_rng(0, 0))
    assert all(hasattr(person, name) for name in ATTRIBUTES if name != "light")
