"""The built set on disk: TFRecord files of ``tf.train.Example``, one picture each as WebP.

Any TensorFlow program can read them: ``tf.data.TFRecordDataset(path, "GZIP")``,
``tf.io.parse_example(record, features())`` and ``tf.io.decode_webp``. What has its default value
(0, NaN or empty) is not stored.
"""

import contextlib
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..errors import LabError
from ..files import written_whole

QUALITY = 90
COMPRESSION = "GZIP"     # the names of the features, repeated in every record, cost a quarter
WHOLE = ("label", "skin_tone", "stream", "index")
NUMBERS = ("age", "yaw", "pitch", "roll", "scale", "light_azimuth", "light_elevation",
           "light_key", "light_ambient")
TEXTS = ("kind", "gender", "hair", "hair_color", "beard", "glasses", "hat", "expression",
         "background")


def encode(image: np.ndarray) -> bytes:
    """A picture uint8 ``(h, w, 3)`` as WebP."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "WEBP", quality=QUALITY, method=6)
    return buffer.getvalue()


def decode(data: np.ndarray | list[bytes]) -> np.ndarray:
    """Pictures of one size from their bytes: uint8 ``(n, h, w, 3)``, on all cores.

    Raises:
        LabError: if one cannot be decoded or differs in size.
    """
    import tensorflow as tf

    if len(data) == 0:
        return np.zeros((0, 64, 64, 3), np.uint8)
    encoded = np.asarray(data, object)
    try:
        shape = tf.io.decode_image(encoded[0], 3, expand_animations=False).shape
        out = np.empty((len(encoded), *shape), np.uint8)
        # Pillow would hold the interpreter's lock for most of the time.
        pictures = tf.data.Dataset.from_tensor_slices(encoded).map(
            lambda picture: tf.reshape(tf.io.decode_image(picture, 3, expand_animations=False),
                                       shape), num_parallel_calls=tf.data.AUTOTUNE)
        done = 0
        for batch in pictures.batch(1000).as_numpy_iterator():
            out[done:done + len(batch)] = batch
            done += len(batch)
    except tf.errors.InvalidArgumentError as error:
        raise LabError("A picture of the face data cannot be decoded: run 'python -m lab_utils "
                       "data verify'.") from error
    return out


def write_records(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows (``image`` bytes and attributes) to a TFRecord file."""
    import tensorflow as tf

    Feature = tf.train.Feature
    with _writer(path) as write:
        for row in rows:
            feature = {"image": Feature(bytes_list=tf.train.BytesList(value=[row["image"]]))}
            for name in WHOLE:
                if row.get(name, 0) != 0:
                    feature[name] = Feature(
                        int64_list=tf.train.Int64List(value=[int(row[name])]))
            for name in NUMBERS:
                if not np.isnan(row.get(name, np.nan)):
                    feature[name] = Feature(
                        float_list=tf.train.FloatList(value=[float(row[name])]))
            for name in TEXTS:
                if row.get(name, ""):
                    feature[name] = Feature(
                        bytes_list=tf.train.BytesList(value=[str(row[name]).encode()]))
            write(tf.train.Example(features=tf.train.Features(
                feature=feature)).SerializeToString(deterministic=True))


def join_records(path: Path, parts: list[Path]) -> None:
    """Write the records of several TFRecord files to one."""
    import tensorflow as tf

    with _writer(path) as write:
        for record in tf.data.TFRecordDataset([str(part) for part in parts], COMPRESSION):
            write(record.numpy())


@contextlib.contextmanager
def _writer(path: Path) -> Iterator[Callable[[bytes], None]]:
    import tensorflow as tf

    try:
        with written_whole(path) as temporary, tf.io.TFRecordWriter(str(temporary),
                                                                    COMPRESSION) as writer:
            yield writer.write
    except tf.errors.OpError as error:
        raise LabError(f"{path} could not be written ({error.message[-80:]}): free some space "
                       "there or choose another folder.") from error


def features() -> dict[str, Any]:
    """The features of a record, for ``tf.io.parse_example``."""
    import tensorflow as tf

    columns = {"image": tf.io.FixedLenFeature([], tf.string)}
    for names, kind, default in ((WHOLE, tf.int64, 0), (NUMBERS, tf.float32, np.nan),
                                 (TEXTS, tf.string, "")):
        columns |= {name: tf.io.FixedLenFeature([], kind, default) for name in names}
    return columns


def read_records(paths: list[Path]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Encoded pictures (object array of bytes, ``(n,)``) and attributes of TFRecord files.

    Raises:
        LabError: if a file is missing, cut short or damaged.
    """
    import tensorflow as tf

    for path in paths:
        if not path.is_file():
            raise LabError(f"{path} is missing: restore it with git, or make it with "
                           "'python -m lab_utils data build'.")
    records = tf.data.TFRecordDataset([str(path) for path in paths], COMPRESSION).batch(2048)
    try:
        parts = [tf.io.parse_example(batch, features()) for batch in records]
    except (tf.errors.DataLossError, tf.errors.InvalidArgumentError,
            tf.errors.OutOfRangeError) as error:
        raise LabError(f"The face data in {paths[0].parent} are damaged ({error.message[:80]}): "
                       "restore them with git.") from error
    columns = {name: np.concatenate([part[name].numpy() for part in parts]) for name in parts[0]}
    for name in TEXTS:
        columns[name] = np.char.decode(columns[name].astype(bytes), "utf-8")
    return columns.pop("image"), columns
