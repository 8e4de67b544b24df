"""Videos that browsers play (H.264 in MP4), written without a display by PyAV."""

import base64
import os
from pathlib import Path

import numpy as np

from ..errors import LabError
from ..files import written_whole


def write_video(path: str | os.PathLike, frames: np.ndarray, fps: int = 30) -> Path:
    """Write frames (time, height, width, 3) uint8 as an MP4 file.

    Raises:
        LabError: if the frames have another shape or type, or no encoder is installed.
    """
    frames = np.asarray(frames)
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8 or not len(frames):
        raise LabError(f"A video needs frames of shape (time, height, width, 3), uint8; these "
                       f"have shape {frames.shape}, {frames.dtype}.")
    try:
        import av
        av.codec.Codec("libx264", "w")
    except Exception as error:
        raise LabError("No video encoder: run 'python -m pip install av'.") from error
    height, width = (size // 2 * 2 for size in frames.shape[1:3])   # H.264 wants even sizes
    path = Path(path)
    with written_whole(path) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "26", "preset": "veryfast", "movflags": "faststart"}
        for frame in frames:
            image = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(frame[:height, :width]), format="rgb24")
            container.mux(stream.encode(image))
        container.mux(stream.encode())
    return path


def show_video(path: str | os.PathLike, width: int = 480):
    """A player for a notebook cell (IPython ``HTML``); the video travels with the notebook."""
    from IPython.display import HTML

    data = base64.b64encode(Path(path).read_bytes()).decode("ascii")
    return HTML(f'<video controls loop muted autoplay width="{width}" '
                f'src="data:video/mp4;base64,{data}">Your browser plays no video.</video>')


def beside(*clips: np.ndarray, gap: int = 8) -> np.ndarray:
    """Clips of one height side by side; the shorter ones wait on their last frame."""
    length = max(len(clip) for clip in clips)
    padded = [np.concatenate([clip, np.repeat(clip[-1:], length - len(clip), axis=0)])
              for clip in clips]
    wall = np.full((length, padded[0].shape[1], gap, 3), 255, np.uint8)
    return np.concatenate([part for clip in padded for part in (clip, wall)][:-1], axis=2)


def label(clip: np.ndarray, text: str, height: int = 24) -> np.ndarray:
    """The clip with a caption above it."""
    from PIL import Image, ImageDraw

    strip = Image.new("RGB", (clip.shape[2], height), "white")
    ImageDraw.Draw(strip).text((6, 5), text, fill="black")
    strips = np.broadcast_to(np.asarray(strip), (len(clip), height, clip.shape[2], 3))
    return np.concatenate([strips, clip], axis=1)
