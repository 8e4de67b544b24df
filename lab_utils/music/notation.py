"""ABC notation of one melody: read it safely, know its pitches and durations, write it one way.

``parse_tune`` accepts any text and either returns a ``Tune`` or raises ``NotATune`` with a
sentence that says why. ``Tune.abc()`` spells the same music in one canonical form, so that a
character model need not learn a dozen habits of typing. Grammar: ABC 2.1 standard
(abcnotation.com/wiki/abc:standard:v2.1), single voice, no lyrics, no chords.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from ..errors import LabError

MAX_CHARACTERS = 20_000
MAX_NOTES = 600    # the longest tune of the two books has 496; music21 takes seconds for more
LONGEST, SHORTEST = Fraction(4), Fraction(1, 256)   # of a note, in whole notes
LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SHARPS_ORDER = "FCGDAEB"
# Sharps (flats if negative) of the major key on each letter, and what each mode changes.
MAJOR_SHARPS = {"C": 0, "D": 2, "E": 4, "F": -1, "G": 1, "A": 3, "B": 5}
MODE_SHIFT = {"": 0, "m": -3, "mix": -1, "dor": -2, "phr": -4, "lyd": 1, "loc": -5}
MODE_NAMES = {"maj": "", "ion": "", "min": "m", "aeo": "m", "m": "m", "mix": "mix", "dor": "dor",
              "phr": "phr", "lyd": "lyd", "loc": "loc", "": ""}
METERS = {"C": "4/4", "C|": "2/2"}
ACCIDENTALS = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}
SIGNS = {value: sign for sign, value in ACCIDENTALS.items()}


class NotATune(LabError):
    """The text is not a playable tune; the message says why, ``kind`` in general terms."""

    def __init__(self, message: str, kind: str | None = None):
        super().__init__(message)
        self.kind = kind or message


@dataclass
class Note:
    """One note or rest (``pitch`` None), its letter, and what it lasts in whole notes."""

    spelling: str                # letter and octave marks; read with its accidental
    length: Fraction             # as written, in units of L
    pitch: int | None = None     # MIDI number
    duration: Fraction = Fraction(0)
    tied: bool = False
    alteration: int = 0          # semitones by key signature and accidentals
    key_alteration: int = 0      # by key signature alone


@dataclass
class Tuplet:
    """``p`` notes in the time of ``q``, for the next ``r`` notes."""

    p: int
    q: int
    r: int


@dataclass
class Broken:
    """Broken rhythm: ``>`` lengthens the note before and shortens the one after."""

    mark: str


@dataclass
class Barline:
    """A bar line, or the start of a first or second ending (``ending`` not 0)."""

    kind: str
    ending: int = 0


@dataclass
class Bar:
    """The notes between two bar lines. ``opens`` and ``closes``: at a boundary of a part."""

    notes: list[Note]
    opens: bool
    closes: bool

    @property
    def duration(self) -> Fraction:
        """Length in whole notes."""
        return _duration(self.notes)


@dataclass
class Tune:
    """A parsed tune."""

    meter: str
    unit: Fraction
    key: str
    tokens: list
    title: str = ""
    source: str = ""

    @property
    def bar_length(self) -> Fraction:
        """Length of a full bar in whole notes."""
        return Fraction(self.meter)

    def notes(self) -> list[Note]:
        """Notes and rests in the order written (repeats not played out)."""
        return [token for token in self.tokens if isinstance(token, Note)]

    def bars(self) -> list[Bar]:
        """Bars that hold at least one note."""
        bars, notes, opens = [], [], True
        for token in self.tokens:
            if isinstance(token, Note):
                notes.append(token)
            elif isinstance(token, Barline):
                boundary = token.kind != "|" or bool(token.ending)
                if notes:
                    bars.append(Bar(notes, opens, boundary))
                    notes, opens = [], boundary
                else:
                    opens = opens or boundary
        if notes:
            bars.append(Bar(notes, opens, True))
        return bars

    def abc(self) -> str:
        """Canonical text: M, L, K, then four bars a line, a space at each beat."""
        head = f"M:{self.meter}\nL:{self.unit.numerator}/{self.unit.denominator}\nK:{self.key}\n"
        return head + _write_body(self) + "\n"


# ---- reading -----------------------------------------------------------------------------

FIELD = re.compile(r"^([A-Za-z]):\s*(.*)$")
TOKEN = re.compile(r"""
    (?P<note>(?:\^\^|\^|__|_|=)?[A-Ga-gzx][',]*)
        (?P<num>\d{0,3})(?P<slash>/{0,4})(?P<den>\d{0,3})(?P<tie>-?)
  | (?P<tuplet>\(\d(?::\d?){0,2})
  | (?P<broken><{1,3}|>{1,3})
  | (?P<ending>\[\d|(?<=\|)\d)
  | (?P<bar>:*\|[|\]:]*|:{2}|\[\||\])
  | (?P<space>(?:[\s)`y]|\((?!\d))+)
""", re.VERBOSE)
CHORD = re.compile(r"\[((?:(?:\^\^|\^|__|_|=)?[A-Ga-g][',]*\d*/*\d*){2,6})\](\d*/*\d*)")


def clean_body(body: str) -> str:
    """Remove what carries no melody: quotes, decorations, grace notes, continuation marks."""
    body = re.sub(r'"[^"\n]*"', "", body)                # chord symbols and fingering
    body = re.sub(r"![^!\n]*!|\+[a-zA-Z0-9.]+\+", "", body)   # decorations by name
    body = re.sub(r"\{[^}\n]*\}", "", body)              # grace notes
    body = re.sub(r"\[[A-Z]:", "[!", body)               # fields in a line stay an error
    body = re.sub(r"[.~H-Wh-w*\\]", "", body)           # decorations by letter, continuations
    body = re.sub(r"([<>])-", r"\1", body)
    return CHORD.sub(_top_note, body)


def _top_note(match: re.Match) -> str:
    notes = re.findall(r"((?:\^\^|\^|__|_|=)?)([A-Ga-g])([',]*)(\d*/*\d*)", match[1])
    def height(note):
        return (LETTERS[note[1].upper()] + 12 * note[1].islower()
                + 12 * (note[2].count("'") - note[2].count(",")))
    accidental, letter, octave, length = max(notes, key=height)
    return accidental + letter + octave + (match[2] or length)


def parse_key(text: str) -> tuple[str, dict[str, int]]:
    """Canonical name of a key field and the alterations it sets, as {letter: semitones}.

    Raises:
        NotATune: if it names no key.
    """
    match = re.match(r"([A-G])([#b]?)\s*([A-Za-z]*)", text.strip())
    mode = MODE_NAMES.get(match[3].lower()[:3]) if match else None
    if match and mode is None and match[3].startswith("m"):
        mode = "m"
    if mode is None:
        raise NotATune(f"K: {text.strip()[:20]!r} is not a key.")
    if match[3] == "M":
        mode = ""
    tonic = match[1] + match[2]
    sharps = (MAJOR_SHARPS[match[1]] + 7 * {"": 0, "#": 1, "b": -1}[match[2]] + MODE_SHIFT[mode])
    if abs(sharps) > 7:
        raise NotATune(f"K:{tonic}{mode} has more than seven sharps or flats.")
    altered = ({letter: 1 for letter in SHARPS_ORDER[:sharps]} if sharps >= 0 else
               {letter: -1 for letter in SHARPS_ORDER[sharps:]})
    return tonic + mode, altered


def parse_tune(text: str) -> Tune:
    """Read the first tune in ``text``.

    Raises:
        NotATune: with the reason in one sentence.
    """
    if not isinstance(text, str):
        raise NotATune("The tune is not text.")
    if len(text) > MAX_CHARACTERS:
        raise NotATune(f"The text is longer than {MAX_CHARACTERS} characters.")
    fields, body = _split_fields(text)
    if "K" not in fields:
        raise NotATune("There is no key (K: line), which every tune needs.")
    key, altered = parse_key(fields["K"])
    meter = fields.get("M", "4/4").replace(" ", "")
    meter = METERS.get(meter, meter)
    if not re.fullmatch(r"\d{1,2}/(1|2|4|8|16)", meter) or not 0 < Fraction(meter) <= 4:
        raise NotATune(f"M: {meter[:20]!r} is not a metre such as 6/8.")
    # ABC 2.1, 3.1.7: without L the note length follows from the metre.
    unit = fields.get("L", "1/16" if Fraction(meter) < Fraction(3, 4) else "1/8").replace(" ", "")
    if unit not in ("1/4", "1/8", "1/16", "1/32", "1/2", "1/1", "1"):
        raise NotATune(f"L: {unit[:20]!r} is not a note length such as 1/8.")
    tune = Tune(meter, Fraction(unit), key, list(_tokens(clean_body(body), meter)),
                fields.get("T", ""), fields.get("B", ""))
    _finish(tune, altered)
    return tune


def _split_fields(text: str) -> tuple[dict[str, str], str]:
    """Header fields (the first of each) and the body; fields inside the body end the reading
    if they change the music."""
    fields: dict[str, str] = {}
    body: list[str] = []
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        line = re.sub(r"%.*", "", line).strip()
        match = FIELD.match(line)
        if match and not (body and match[1] in "XT" and not fields):
            name, value = match[1], match[2].strip()
            if "K" in fields and name in "KLMV" and (name == "V" or (body and
                                                     fields.get(name) != value)):
                raise NotATune(f"The tune changes its {name}: field on the way.")
            fields.setdefault(name, value)
        elif line:
            if "K" not in fields:
                raise NotATune("There is no key (K: line) before the notes.")
            body.append(line)
    return fields, "\n".join(body)


def _tokens(body: str, meter: str) -> Iterator:
    position = 0
    while position < len(body):
        match = TOKEN.match(body, position)
        if match is None:
            raise NotATune(f"{body[position]!r} in {body[max(position - 6, 0):position + 7]!r} "
                           "is not ABC notation of a melody.",
                           "something in it is not ABC notation of a melody.")
        position = match.end()
        kind = match.lastgroup
        if match["note"]:
            yield Note(match["note"], _length(match), tied=bool(match["tie"]))
        elif kind == "tuplet":
            yield _tuplet(match["tuplet"], meter)
        elif kind == "broken":
            yield Broken(match["broken"])
        elif kind == "ending":
            yield Barline("[", int(match["ending"].lstrip("[")))
        elif kind == "bar":
            yield Barline(_bar_kind(match["bar"]))


def _length(match: re.Match) -> Fraction:
    numerator = int(match["num"] or 1)
    slashes = len(match["slash"])
    if match["den"] and not slashes:
        raise NotATune("A note length has more than three digits.")
    denominator = int(match["den"]) if match["den"] else 2 ** slashes
    if numerator == 0 or denominator == 0:
        raise NotATune("A note has no length (0 in its length).")
    return Fraction(numerator, denominator)


def _tuplet(text: str, meter: str) -> Tuplet:
    numbers = [int(part) if part else 0 for part in text[1:].split(":")] + [0, 0]
    p = numbers[0]
    if p < 2:
        raise NotATune(f"({p} is not a tuplet.")
    other = 3 if meter in ("6/8", "9/8", "12/8") else 2
    q = numbers[1] or {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}.get(p, other)   # ABC 2.1, 4.13
    return Tuplet(p, q, numbers[2] or p)


def _bar_kind(text: str) -> str:
    starts, ends = text.endswith(":"), text.startswith(":")
    if starts and ends:
        return "::"
    if starts:
        return "|:"
    if ends:
        return ":|"
    return "||" if len(text) > 1 or text == "]" else "|"


def _finish(tune: Tune, altered: dict[str, int]) -> None:
    """Set pitches and durations; drop marks that sound nothing."""
    notes = tune.notes()
    if len(notes) > MAX_NOTES:
        raise NotATune(f"The tune has more than {MAX_NOTES} notes.")
    if not any(note.spelling[0] not in "zx" for note in notes):
        raise NotATune("There are no notes.")
    scale, left, in_bar, before = Fraction(1), 0, {}, None
    pending = same = None   # a broken rhythm's second factor; the length of a tuplet's notes
    for token in tune.tokens:
        if isinstance(token, Barline):
            in_bar = {}
            if pending is not None or left:
                raise NotATune("A bar line cuts through a tuplet or a broken rhythm.")
            before = None
        elif isinstance(token, Tuplet):
            if left or pending is not None:
                raise NotATune("A tuplet begins inside another or inside a broken rhythm.")
            scale, left, same = Fraction(token.q, token.p), token.r, None
        elif isinstance(token, Broken):
            if before is None or pending is not None:
                raise NotATune(f"{token.mark!r} needs a note on both sides.")
            short = Fraction(1, 2 ** len(token.mark))
            first, pending = ((2 - short, short) if token.mark[0] == ">" else (short, 2 - short))
            before.duration *= first
        else:
            token.duration = token.length * tune.unit * scale
            if pending is not None:
                token.duration *= pending
                pending = None
            if left:
                if token.length != (same := same or token.length):
                    raise NotATune("A tuplet holds notes of unequal length.")
                left -= 1
                scale = scale if left else Fraction(1)
            _set_pitch(token, altered, in_bar)
            before = token
    if pending is not None or left:
        raise NotATune("The tune ends inside a tuplet or a broken rhythm.")
    for note, following in zip(notes, notes[1:] + [None], strict=True):
        if not SHORTEST <= note.duration <= LONGEST:
            raise NotATune(f"A note lasts {note.duration} of a whole note.")
        # In the sources a hyphen between different notes is a slur.
        note.tied = note.tied and following is not None and following.pitch == note.pitch


def _set_pitch(note: Note, altered: dict[str, int], in_bar: dict[tuple[str, int], int]) -> None:
    """Set the note's pitch; ``in_bar`` holds the accidentals met since the last bar line."""
    match = re.fullmatch(r"([\^_=]*)([A-Ga-gzx])([',]*)", note.spelling)
    accidental, letter, marks = match.groups()
    if letter in "zx":
        note.spelling = "z"
        return
    octave = marks.count("'") - marks.count(",") + letter.islower()
    name = letter.upper()
    if accidental:
        in_bar[name, octave] = ACCIDENTALS[accidental]
    note.spelling = letter + marks
    note.key_alteration = altered.get(name, 0)
    note.alteration = in_bar.get((name, octave), note.key_alteration)
    note.pitch = 60 + LETTERS[name] + 12 * octave + note.alteration
    if not 21 <= note.pitch <= 108:
        raise NotATune(f"The note {note.spelling[:12]} lies outside a piano's range.")


# ---- writing -----------------------------------------------------------------------------

def beat(meter: str) -> Fraction:
    """What is beamed together: a dotted quarter in compound time, half a bar in 4/4 and 2/2."""
    top, bottom = map(int, meter.split("/"))
    if bottom >= 8 and top % 3 == 0:
        return Fraction(3, bottom)
    if Fraction(top, bottom) == 1:
        return Fraction(1, 2)
    return Fraction(1, 4) if bottom >= 4 else Fraction(1, bottom)


def _length_text(length: Fraction) -> str:
    text = "" if length.numerator == 1 else str(length.numerator)
    if length.denominator == 1:
        return text
    return text + ("/" if length.denominator == 2 else f"/{length.denominator}")


def _write_body(tune: Tune) -> str:
    """The notes, four bars a line; a line ends where a part ends."""
    lines, line, bars_in_line = [], "", 0
    for opening, held, closing in _measures(tune):
        line += (opening + " " if opening else "") + _write_notes(tune, held) + " "
        bars_in_line += _duration(held) >= tune.bar_length   # a pickup does not count
        line += closing
        if closing != "|" or bars_in_line >= 4:
            lines.append(line)
            line, bars_in_line = "", 0
        else:
            line += " "
    return "\n".join([*lines, line] if line.strip() else lines).replace(" \n", "\n").rstrip() + "\n"


def _duration(tokens: list) -> Fraction:
    return sum((t.duration for t in tokens if isinstance(t, Note)), Fraction(0))


def _measures(tune: Tune) -> Iterator[tuple[str, list, str]]:
    """(mark before, tokens, bar line after) of each bar."""
    opening, held = "", []
    tokens = list(tune.tokens)
    last = "|]"
    while not isinstance(tokens[-1], Note):   # however many bar lines end the tune, write one
        tail = tokens.pop()
        if isinstance(tail, Barline) and tail.kind in (":|", "::"):
            last = ":|"
    tokens.append(Barline(last))
    for token in tokens:
        if not isinstance(token, Barline):
            held.append(token)
        elif not held:
            if token.ending:
                opening = f"[{token.ending}"
            elif token.kind in ("|:", "::"):
                opening = "|:"
        else:
            kind = token.kind
            if token.ending:   # an ending that begins in mid-bar
                yield opening, held, "|"
                opening, held = f"[{token.ending}", []
                continue
            following = ""
            if kind == "|:":
                kind, following = "||", "|:"
            elif kind == "::":
                kind, following = ":|", "|:"
            yield opening, held, kind
            opening, held = following, []


def _write_notes(tune: Tune, tokens: list) -> str:
    length = _duration(tokens)
    # A pickup is counted from the end of its bar.
    onset = max(tune.bar_length - length, Fraction(0)) if length < tune.bar_length else Fraction(0)
    group, text, inside, glued = beat(tune.meter), "", 0, True
    last = {}   # alteration of a letter as last written in this bar
    for token in tokens:
        if isinstance(token, Broken):
            text, glued = text + token.mark, True
            continue
        if text and not glued and not inside and onset % group == 0:
            text += " "
        if isinstance(token, Tuplet):
            standard = _tuplet(f"({token.p}", tune.meter)
            text += f"({token.p}" + ("" if token == standard else f":{token.q}:{token.r}")
            inside, glued = token.r, True
            continue
        # Every altered note carries its accidental: programs differ in how far one reaches.
        name = token.spelling.rstrip("',").upper()
        if token.alteration != token.key_alteration or last.get(name, token.key_alteration) != (
                token.alteration):
            text += SIGNS[token.alteration]
        last[name] = token.alteration
        text += token.spelling + _length_text(token.length) + ("-" if token.tied else "")
        onset, glued, inside = onset + token.duration, False, max(inside - 1, 0)
    return text
