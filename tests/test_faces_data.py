"""The built set, the biased selection, real data, and the command line."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lab_utils.__main__ import main
from lab_utils.errors import LabError
from lab_utils.faces import (
    Bias,
    FaceSet,
    load_celeba,
    load_course_faces,
    load_faces,
    load_fairface,
    load_utkface,
)
from lab_utils.faces.build import build, verify
from lab_utils.files import sha256


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A complete set with 1/400 of the pictures."""
    folder = tmp_path_factory.mktemp("faces")
    build(folder, scale=0.0025, progress=False)
    return folder


@pytest.fixture(scope="module")
def held_out():
    return load_faces("test")


def pool(n=6000, seed=0):
    rng = np.random.default_rng(seed)
    return {"skin_tone": rng.integers(1, 11, n), "yaw": rng.normal(0, 24, n)}


@settings(max_examples=40, deadline=None)
@given(dark=st.floats(0, 1), frontal=st.floats(0, 1), count=st.integers(1, 400),
       seed=st.integers(0, 99))
def test_bias_gives_the_shares_asked_for(dark, frontal, count, seed):
    attributes = pool()
    chosen = Bias(dark, frontal).select(attributes, count, np.random.default_rng(seed))
    assert len(chosen) == len(set(chosen)) == count
    tones, yaw = attributes["skin_tone"][chosen], np.abs(attributes["yaw"][chosen])
    assert abs((tones > 5).mean() - dark) * count <= 10.001
    assert abs((yaw <= 20).mean() - frontal) * count <= 10.001


def test_bias_by_single_tones():
    attributes = pool()
    chosen = Bias(tones={1: 0.5, 10: 0.5}).select(attributes, 100, np.random.default_rng(0))
    assert np.bincount(attributes["skin_tone"][chosen])[[1, 10]].tolist() == [50, 50]


@pytest.mark.parametrize("bias", [Bias(dark_share=1.2), Bias(frontal_share=-0.1),
                                  Bias(frontal_yaw=0), Bias(tones={1: 0.5}),
                                  Bias(tones={11: 1.0})])
def test_bad_bias_is_explained(bias):
    with pytest.raises(LabError):
        bias.select(pool(), 10, np.random.default_rng(0))


def test_too_few_faces_for_a_bias_says_how_many_there_are():
    with pytest.raises(LabError, match="at most [0-9]+"):
        Bias(dark_share=1.0).select(pool(), 5900, np.random.default_rng(0))


def test_the_test_split_is_large_and_balanced(held_out):
    faces = held_out.faces
    assert len(faces) >= 4000 and len(held_out.nonfaces) >= 4000
    cells = {(t, g) for t, g in zip(faces.attributes["skin_tone"], faces.attributes["gender"],
                                    strict=True)}
    assert len(cells) == 20
    tones = faces.attributes["skin_tone"]
    assert np.bincount(tones)[1:].min() >= 400
    for name in ("yaw", "age", "light_key", "light_azimuth"):
        assert abs(np.corrcoef(tones, faces.attributes[name])[0, 1]) < 0.06, name
    for name in ("hair", "hair_color", "beard", "glasses", "hat"):
        for value in np.unique(faces.attributes[name]):
            has = faces.attributes[name] == value
            assert abs(np.corrcoef(tones, has)[0, 1]) < 0.06, (name, value)


def test_tone_groups_and_subsets(held_out):
    assert set(held_out.faces.tone_groups) == {f"tones {t}-{t + 1}" for t in range(1, 10, 2)}
    assert set(held_out.nonfaces.tone_groups) == {""}
    dark = held_out[held_out.attributes["skin_tone"] >= 9]
    assert set(dark.tone_groups) == {"tones 9-10"}


def test_default_biased_split():
    train = load_faces("train", bias=Bias(), seed=1)
    faces = train.faces
    assert len(faces) == len(train.nonfaces) == 4000
    assert (faces.attributes["skin_tone"] > 5).mean() == pytest.approx(0.05, abs=0.003)
    assert (np.abs(faces.attributes["yaw"]) <= 20).mean() == pytest.approx(0.95, abs=0.003)
    again = load_faces("train", bias=Bias(), seed=1)
    assert np.array_equal(train.images, again.images)
    images, labels = next(iter(train.to_dataset(batch_size=8, seed=0)))
    assert images.shape == (8, 64, 64, 3) and 0 <= float(images.numpy().min())
    assert float(images.numpy().max()) <= 1 and labels.shape == (8,)


def test_shipped_set_is_verified(capsys):
    assert main(["data", "verify"]) == 0
    assert "checksum" in capsys.readouterr().out


def test_build_verify_and_load(small):
    assert any("faces" in line for line in verify(small))
    data = load_faces("train", folder=small)
    assert len(data.faces) == 30 and len(data.nonfaces) == 25
    assert set(data.attributes["kind"][data.labels == 1]) == {"face"}
    some = load_faces("train", faces=5, nonfaces=3, folder=small)
    assert len(some.faces) == 5 and len(some.nonfaces) == 3


def test_an_interrupted_build_goes_on(tmp_path, monkeypatch):
    from lab_utils.faces import produce

    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    build(whole, scale=0.0005, progress=False)
    with monkeypatch.context() as patch:
        def stop(*args, **kwargs):
            raise KeyboardInterrupt
        patch.setattr(produce, "render_nonfaces", stop)
        with pytest.raises(KeyboardInterrupt):
            build(stopped, scale=0.0005, progress=False)
    with monkeypatch.context() as patch:      # the finished faces are not rendered again
        real = produce.render_faces
        patch.setattr(produce, "render_faces", lambda n, *args, stream, **kwargs: (
            pytest.fail("rendered again") if stream == 10 else real(n, *args, stream=stream,
                                                                    **kwargs)))
        build(stopped, scale=0.0005, progress=False)
    assert sorted(path.name for path in stopped.iterdir()) == sorted(
        path.name for path in whole.iterdir())
    assert (stopped / "SHA256SUMS").read_text() == (whole / "SHA256SUMS").read_text()


def test_damage_is_found_and_named(small, tmp_path, capsys):
    for path in small.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    victim = tmp_path / "test.tfrecord.gz"
    whole = victim.read_bytes()
    victim.write_bytes(whole[:len(whole) // 2])
    assert main(["data", "verify", "--folder", str(tmp_path)]) == 2
    assert "test.tfrecord.gz is damaged" in capsys.readouterr().err
    with pytest.raises(LabError, match="damaged"):
        load_faces("test", folder=tmp_path)
    victim.unlink()
    with pytest.raises(LabError, match="missing"):
        load_faces("test", folder=tmp_path)
    with pytest.raises(LabError, match="missing"):
        verify(tmp_path)
    (tmp_path / "SHA256SUMS").write_text("nonsense")
    with pytest.raises(LabError, match="SHA256SUMS"):
        verify(tmp_path)
    assert len(load_faces("train", folder=tmp_path)) == 55     # other data untouched


def test_bad_requests_are_explained(small):
    with pytest.raises(LabError, match="choose one of"):
        load_faces("holdout", folder=small)
    with pytest.raises(LabError, match="has 30"):
        load_faces("train", faces=31, folder=small)
    with pytest.raises(LabError, match="needs --folder"):
        from argparse import Namespace

        from lab_utils.faces.cli import main as data_main
        data_main(Namespace(action="build", scale=0.5, folder=None))
    with pytest.raises(LabError, match="differ in length"):
        FaceSet(np.zeros((2, 8, 8, 3), np.uint8), np.zeros(3, np.uint8))


def test_import_loads_neither_numba_nor_tensorflow():
    code = ("import sys; from lab_utils.faces import Bias, load_faces; "
            "print([m for m in ('numba', 'tensorflow') if m in sys.modules])")
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def photo(path, seed=0, size=(40, 50)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (*size, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return pixels


def test_course_file(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "train_face.h5"
    images = np.random.default_rng(0).integers(0, 255, (6, 64, 64, 3), np.uint8)
    with h5py.File(path, "w") as file:
        file["images"], file["labels"] = images, np.array([[1], [0], [1], [0], [1], [0]])
    data = load_course_faces(path, checksum=sha256(path))
    assert np.array_equal(data.images, images[..., ::-1])     # the file is BGR
    assert data.labels.tolist() == [1, 0, 1, 0, 1, 0]
    assert len(load_course_faces(path, limit=2)) == 2
    with pytest.raises(LabError, match="another SHA-256"):
        load_course_faces(path, checksum="0" * 64)
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(LabError, match="download it again"):
        load_course_faces(path)
    with pytest.raises(LabError, match="does not exist"):
        load_course_faces(tmp_path / "none.h5")
    with h5py.File(path, "w") as file:
        file["images"], file["labels"] = images[..., 0], np.zeros(6)
    with pytest.raises(LabError, match="shape"):
        load_course_faces(path)


def test_celeba(tmp_path):
    for i in (1, 2):
        photo(tmp_path / "img_align_celeba" / f"{i:06}.jpg", i)
    table = tmp_path / "list_attr_celeba.txt"
    table.write_text("2\nEyeglasses Male\n000001.jpg  1 -1\n000002.jpg -1  1\n")
    data = load_celeba(tmp_path, size=32)
    assert data.images.shape == (2, 32, 32, 3) and data.labels.tolist() == [1, 1]
    assert data.attributes["gender"].tolist() == ["female", "male"]
    assert data.attributes["eyeglasses"].tolist() == [1, 0]
    table.write_text("2\nEyeglasses Male\n000001.jpg  1\n")
    with pytest.raises(LabError, match="damaged"):
        load_celeba(tmp_path)
    table.write_text("1\nMale\n000009.jpg  1\n")
    with pytest.raises(LabError, match="000009.jpg"):
        load_celeba(tmp_path)


def test_fairface(tmp_path):
    photo(tmp_path / "val" / "1.jpg")
    photo(tmp_path / "val" / "2.jpg")
    table = tmp_path / "fairface_label_val.csv"
    table.write_text("file,age,gender,race,service_test\nval/1.jpg,20-29,Male,Black,True\n"
                     "val/2.jpg,more than 70,Female,White,False\n")
    data = load_fairface(table)
    assert data.attributes["age"].tolist() == [24.5, 75.0]
    assert data.attributes["gender"].tolist() == ["male", "female"]
    assert data.attributes["race"].tolist() == ["Black", "White"]
    table.write_text("file,age,gender\nval/1.jpg,20-29,Male\n")
    with pytest.raises(LabError, match="'race'"):
        load_fairface(table)
    table.write_text("file,age,gender,race\nval/1.jpg,young,Male,Black\n")
    with pytest.raises(LabError, match="'young'"):
        load_fairface(table)


def test_utkface(tmp_path):
    for name in ("25_0_1_20170116.jpg", "7_1_2_20170116.jpg", "39_1_20170116.jpg"):
        photo(tmp_path / name)
    data = load_utkface(tmp_path)
    assert data.attributes["age"].tolist() == [25, 7]
    assert data.attributes["gender"].tolist() == ["male", "female"]
    assert data.attributes["race"].tolist() == ["black", "asian"]
    (tmp_path / "30_0_0_1.jpg").write_bytes(b"no image")
    with pytest.raises(LabError, match="30_0_0_1.jpg"):
        load_utkface(tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(LabError, match="no images"):
        load_utkface(empty)
