"""Hear a tune: ABC to MIDI by music21, MIDI to sound by midirenderer and pretty_midi's SoundFont.

Where midirenderer has no wheel (Linux on ARM), pretty_midi plays plain tones instead.
"""

import base64
import dataclasses
import importlib.util
import io
import os
import struct
import wave
from pathlib import Path

from ..errors import LabError
from ..files import written_whole
from .notation import Barline, Tune, parse_tune

TONES_RATE = 22_050   # Hz, of the plain tones
# Beats a minute and the beat in quarter notes, as these dances are commonly played.
TEMPO = {"6/8": (112, 1.5), "9/8": (112, 1.5), "12/8": (112, 1.5), "2/2": (96, 2.0),
         "4/4": (96, 2.0), "2/4": (100, 1.0), "3/4": (132, 1.0)}


def to_score(tune: Tune | str):
    """A ``music21.stream.Score`` of a tune, with tempo and a flute.

    Only text that our own parser has read and written anew reaches music21.

    Raises:
        NotATune: if the text is no tune.
        LabError: if music21 cannot read it.
    """
    import music21

    tune = parse_tune(tune) if isinstance(tune, str) else tune
    title = "".join(c for c in tune.title if c.isprintable() and c not in "%\\")[:80] or "Tune"
    try:
        score = music21.converter.parse(f"X:1\nT:{title}\n{tune.abc().strip()}\n", format="abc")
    except Exception as error:   # music21 raises many kinds
        raise LabError(f"music21 could not read this tune ({type(error).__name__}): "
                       "try another one.") from error
    beats, quarters = TEMPO.get(tune.meter, (120, 1.0))
    part = score.parts[0]
    for bar in list(part.getElementsByClass("Measure"))[1:]:
        bar.removeByClass("TimeSignature")   # music21 adds some, one object twice, at odd bars
    part.insert(0, music21.instrument.Flute())
    part.insert(0, music21.tempo.MetronomeMark(
        number=beats, referent=music21.duration.Duration(quarters)))
    return score


def to_midi(tune: Tune | str) -> bytes:
    """A MIDI file of the tune; repeats are played where they pair up.

    Raises:
        LabError: as ``to_score``.
    """
    import music21

    tune = parse_tune(tune) if isinstance(tune, str) else tune
    tune, straight = _with_repeats_paired(tune), _without_repeats(tune)   # for bad endings
    for version, expand in ((tune, True), (straight, True), (straight, False)):
        try:
            score = to_score(version)
            score = score.expandRepeats() if expand else score
            for note in score.recurse().notes:
                note.volume.velocity = 120   # of 127; the default is hard to hear
            return music21.midi.translate.streamToMidiFile(score).writestr()
        except music21.exceptions21.Music21Exception:
            continue
    raise LabError("music21 could not turn this tune into sound: try another one.")


def _with_repeats_paired(tune: Tune) -> Tune:
    """The tune with a start for every repeat: where there is none, the double bar or repeat before.

    music21 goes back to the start of the tune instead (and doubles its length each time).
    """
    tokens = list(tune.tokens)
    opened, boundary = False, -1     # -1: the start of the tune; None: there is none
    for i, token in enumerate(tokens):
        if not isinstance(token, Barline):
            continue
        if token.ending:
            boundary = None if token.ending > 1 else boundary
        elif token.kind == "|:":
            opened = True
        elif token.kind == "||" and not opened:
            boundary = i
        elif token.kind in (":|", "::"):
            if not opened and boundary is None:
                tokens[i] = Barline("|:" if token.kind == "::" else "|")
            elif not opened and boundary >= 0:
                tokens[boundary] = Barline("::" if tokens[boundary].kind == ":|" else "|:")
            opened, boundary = token.kind == "::", i
    return dataclasses.replace(tune, tokens=tokens)


def _without_repeats(tune: Tune) -> Tune:
    """The tune played straight through."""
    tokens = [Barline("|") if isinstance(token, Barline) else token for token in tune.tokens]
    return dataclasses.replace(tune, tokens=tokens)


def soundfont() -> Path | None:
    """The General MIDI SoundFont that pretty_midi carries."""
    spec = importlib.util.find_spec("pretty_midi")   # found without importing it
    path = Path(spec.origin).parent / "TimGM6mb.sf2" if spec else None
    return path if path and path.exists() else None


def to_wav(tune: Tune | str, path: str | os.PathLike) -> Path:
    """Write the tune as a 16-bit WAV file (48 kHz, stereo).

    Raises:
        LabError: if it is no tune, or no sound part is installed.
    """
    midi, font = to_midi(tune), soundfont()
    if font is None:
        raise LabError("pretty_midi, which brings the sounds, is not installed: "
                       "run 'pip install -r requirements.txt'.")
    try:
        from midirenderer import render_wave_from
        sound = render_wave_from(font.read_bytes(), midi)
    except ImportError:   # no wheel here
        sound = _plain_tones(midi)
    path = Path(path)
    with written_whole(path) as temporary:
        temporary.write_bytes(sound)
    return path


def _plain_tones(midi: bytes) -> bytes:
    import numpy as np
    import pretty_midi

    samples = pretty_midi.PrettyMIDI(io.BytesIO(midi)).synthesize(fs=TONES_RATE)
    samples = np.int16(samples / max(1e-9, np.abs(samples).max()) * 20_000)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(TONES_RATE)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples.tolist()))
    return buffer.getvalue()


def player(tune: Tune | str):
    """An audio player for a notebook cell (IPython ``HTML``), as MP3 of some 8 KB a second.

    Raises:
        LabError: as ``to_wav``.
    """
    import tempfile

    from IPython.display import HTML

    with tempfile.TemporaryDirectory() as folder:
        wav = to_wav(tune, Path(folder) / "tune.wav")
        data = base64.b64encode(_mp3(wav)).decode("ascii")
    return HTML(f'<audio controls src="data:audio/mpeg;base64,{data}">Your browser plays no sound.'
                "</audio>")


def _mp3(wav: Path, bits_per_second: int = 64_000) -> bytes:
    import av

    buffer = io.BytesIO()
    with av.open(str(wav)) as source, av.open(buffer, "w", format="mp3") as target:
        stream = target.add_stream("libmp3lame", rate=44_100, layout="mono")
        stream.bit_rate = bits_per_second
        for frame in source.decode(audio=0):
            target.mux(stream.encode(frame))
        target.mux(stream.encode())
    return buffer.getvalue()
