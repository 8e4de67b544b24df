"""Tunes: parsing, canonical form, corpus, sound, sheet music, judging."""

import io
import wave
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab_utils import LabError
from lab_utils.music import corpus as corpora
from lab_utils.music import judge, sheet, sound
from lab_utils.music.notation import NotATune, parse_tune

JIG = "X:7\nT:A Jig\nM:6/8\nK:G\nD|GAB d2e|dBG AGE|GAB dBG|A3 A2D|GAB d2e|dBG AGE|GAB AGA|G3 G2|]\n"


@pytest.fixture(scope="module")
def corpus():
    return corpora.load_corpus()


def body(text, meter="4/4", unit="1/8", key="C"):
    return parse_tune(f"M:{meter}\nL:{unit}\nK:{key}\n{text}\n")


# ---- reading ---------------------------------------------------------------------------------


def test_a_tune_keeps_its_music_and_gets_its_fields():
    tune = parse_tune(JIG)
    assert (tune.title, tune.meter, tune.unit, tune.key) == ("A Jig", "6/8", Fraction(1, 8), "G")
    assert tune.abc() == ("M:6/8\nL:1/8\nK:G\nD | GAB d2e | dBG AGE | GAB dBG | A3 A2D |\n"
                          "GAB d2e | dBG AGE | GAB AGA | G3G2 |]\n\n")


@pytest.mark.parametrize(("meter", "unit"), [("2/4", "1/16"), ("3/4", "1/8"), ("C", "1/8"),
                                             ("9/8", "1/8"), ("C|", "1/8")])
def test_a_missing_note_length_follows_from_the_metre(meter, unit):
    assert parse_tune(f"M:{meter}\nK:D\nABcd efga\n").unit == Fraction(unit)   # ABC 2.1, 3.1.7


@pytest.mark.parametrize(("key", "name", "sharps"), [
    ("G", "G", 1), ("Gmaj", "G", 1), ("GM", "G", 1), ("A minor", "Am", 0), ("Ador", "Ador", 1),
    ("EDorian", "Edor", 2), ("D Mixolydian", "Dmix", 1), ("Bb", "Bb", -2), ("F#m", "F#m", 3)])
def test_keys_have_one_name_and_the_right_signature(key, name, sharps):
    tune = body("FGAB cdef", key=key)
    altered = sum(note.alteration for note in body("CDEFGAB", key=key).notes())
    assert (tune.key, altered) == (name, sharps)


def test_lengths_broken_rhythm_and_tuplets():
    def lengths(text):
        return [note.duration * 8 for note in body(text).notes()]

    assert lengths("A A2 A/ A// A3/2 A/4") == [1, 2, Fraction(1, 2), Fraction(1, 4),
                                               Fraction(3, 2), Fraction(1, 4)]
    assert lengths("A>B c<d e>>f") == [Fraction(3, 2), Fraction(1, 2), Fraction(1, 2),
                                       Fraction(3, 2), Fraction(7, 4), Fraction(1, 4)]
    assert lengths("(3ABc d") == [Fraction(2, 3)] * 3 + [1]


def test_accidentals_last_to_the_bar_line_and_are_written_out():
    tune = body("^FGF|F=F|_B b B|^c=cc")
    assert [note.pitch for note in tune.notes()] == [66, 67, 66, 65, 65, 70, 83, 70, 73, 72, 72]
    assert tune.abc().endswith("K:C\n^FG^F | FF | _B=b_B | ^c=cc |]\n\n")


def test_marks_that_carry_no_melody_go():
    tune = body('"Am"(A{g}B) ~c.d !trill!e ud\\\nTv[ce] % a comment\nABcd')
    assert [note.spelling for note in tune.notes()] == list("ABcdede") + list("ABcd")


@pytest.mark.parametrize(("text", "reason"), [
    ("", "no key"), ("hello", "no key"), ("K:G\n", "no notes"), ("M:6/8\nL:1/8\nABc\n", "no key"),
    ("M:6/8\nK:H\nABc", "not a key"), ("M:six\nK:G\nABc", "not a metre"),
    ("M:1/0\nK:G\nABc", "not a metre"), ("L:1/0\nK:G\nABc", "not a note length"),
    ("K:G\nA99999999", "three digits|not ABC"), ("K:G\nA/0", "no length"),
    ("K:G\nA0", "no length"), ("K:G\nA999", "of a whole note"), ("K:G\nA,,,,,,,,", "piano"),
    ("K:G\n(3AB", "ends inside"), ("K:G\nA>", "ends inside"), ("K:G\n>A", "both sides"),
    ("K:G\n(3A|Bc", "cuts through"), ("K:G\n(3A(3Bcd", "inside another"),
    ("K:G\n(3AB2c", "unequal"), ("K:G\n(1A", "not a tuplet"), ("K:G\nAB[V:2]c", "not ABC"),
    ("K:G\nABc\nK:D\nABc", "changes its K"), ("K:G\n\x00\x07", "not ABC"),
    ("K:G\n" + "A" * 4000, "more than 600 notes"), ("K:G\n" + "A " * 20_000, "longer than"),
    (None, "not text")])
def test_what_is_no_tune_is_told_why(text, reason):
    with pytest.raises(NotATune, match=reason):
        parse_tune(text)


PIECES = st.sampled_from(["A", "b'", "C,", "^f", "=B", "_e", "z", "2", "/", "3/2", ">", "<", "(3",
                          "|", ":|", "|:", "||", "[1", "[2", "-", " ", "\n", "(", ")", "[ce]", "x",
                          "{a}", '"', "!", "K:D", "M:3/4", "%", "\\", "(9:2:3", "99", "é", "\t"])


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=60), st.sampled_from(["G", "Ador", "Bb", "F#m"]))
def test_any_text_is_a_tune_or_a_reason_and_the_canonical_form_is_stable(pieces, key):
    try:
        tune = parse_tune(f"M:6/8\nL:1/8\nK:{key}\n" + "".join(pieces))
    except NotATune:
        return
    again = parse_tune(tune.abc())
    assert again.abc() == tune.abc()
    assert ([(n.pitch, n.duration) for n in again.notes()]
            == [(n.pitch, n.duration) for n in tune.notes()])


# ---- the corpus --------------------------------------------------------------------------------


def test_the_corpus_is_whole_and_split_by_tune(corpus):
    kept = [corpus.train, corpus.validation, corpus.test]
    assert corpus.found == 3068 and sum(map(len, kept)) + corpus.dropped.total() == corpus.found
    assert sum(map(len, kept)) > 2900
    assert 0.75 < len(corpus.train) / sum(map(len, kept)) < 0.85
    assert "tunes found" in corpus.report()


def test_versions_of_a_tune_stay_on_one_side(corpus):
    groups = corpora.versions(corpus.train + corpus.validation + corpus.test)
    sides = np.repeat([0, 1, 2], [len(corpus.train), len(corpus.validation), len(corpus.test)])
    for name in np.unique(groups):
        assert len(set(sides[groups == name])) == 1
    assert len(np.unique(groups)) < len(groups) - 100   # there are such versions


def test_versions_are_found_in_another_key():
    low = [body("CDEF GABc dcBA GFED EFGA Bcde", key="C")]
    high = [body("DEFG ABcd edcB AGFE FGAB cdef", key="D")]
    other = [body("cGEC cGEC dBGD dBGD eGcE AFDB", key="C")]
    groups = corpora.versions(low + high + other)
    assert groups[0] == groups[1] != groups[2]


def test_canonical_text_has_one_form(corpus):
    for tune in corpus.test[::20]:
        assert parse_tune(tune.abc()).abc() == tune.abc()


@pytest.mark.slow
def test_music21_reads_the_canonical_form_as_we_do(corpus):
    import music21

    differing = 0
    tunes = corpus.train[::60]
    for tune in tunes:
        score = music21.converter.parse(f"X:1\n{tune.abc().strip()}\n", format="abc")
        theirs = [(None if n.isRest else n.pitch.midi,
                   Fraction(n.quarterLength).limit_denominator(1000) / 4)
                  for n in score.flatten().notesAndRests]
        differing += theirs != [(n.pitch, n.duration) for n in tune.notes()]
    assert differing <= len(tunes) // 20, "more than the odd tuplet differs"


def test_own_files_and_folders(tmp_path):
    tunes = "".join(JIG.replace("X:7", f"X:{i}").replace("GAB", letters + "B")
                    for i, letters in enumerate(["GA", "cA", "EF", "dc", "Bc", "FA"]))
    (tmp_path / "a.abc").write_bytes(tunes.replace("A Jig", "Caf\xe9").encode("latin-1"))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.abc").write_text(tunes, encoding="utf-8-sig")
    found, dropped = corpora.load_tunes(tmp_path)
    assert len(found) == 12 and not dropped
    assert {tune.title for tune in found} == {"Café", "A Jig"}
    with pytest.raises(LabError, match="at least 10"):
        corpora.load_corpus(tmp_path / "a.abc")


def test_unreadable_paths_are_one_sentence(tmp_path):
    with pytest.raises(LabError, match="does not exist"):
        corpora.load_tunes(tmp_path / "none.abc")
    with pytest.raises(LabError, match="no .abc files"):
        corpora.load_tunes(tmp_path)
    (tmp_path / "empty.abc").write_text("")
    with pytest.raises(LabError, match="no tunes"):
        corpora.load_tunes(tmp_path / "empty.abc")
    (tmp_path / "binary.abc").write_bytes(bytes(range(256)) * 10)
    with pytest.raises(LabError, match="no tunes"):
        corpora.load_tunes(tmp_path / "binary.abc")
    (tmp_path / "keyless.abc").write_text("X:1\nT:a\nABc|\n")
    with pytest.raises(LabError, match="There is no key"):
        corpora.load_tunes(tmp_path / "keyless.abc")


# ---- sound and sheet music ---------------------------------------------------------------------


def test_a_tune_becomes_sound(tmp_path):
    path = sound.to_wav(JIG, tmp_path / "a.wav")
    with wave.open(str(path)) as file:
        seconds = file.getnframes() / file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    played = sum(n.duration for n in parse_tune(JIG).notes()) * 4 / 1.5 / 112 * 60
    assert played <= seconds < played + 10
    assert np.abs(samples).max() > 3000 and samples.std() > 300


def test_without_midirenderer_plain_tones_are_played(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "midirenderer", None)
    path = sound.to_wav(JIG, tmp_path / "a.wav")
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    assert np.abs(samples).max() > 10_000
    assert "audio/mpeg" in sound.player(JIG).data


def test_the_player_is_small_and_repeats_are_played(tmp_path):
    assert 50_000 < len(sound.player(JIG).data) < 400_000
    once, twice = (len(sound.to_midi(JIG.replace("|]", end))) for end in ("|]", ":|"))
    assert twice > 1.5 * once


@pytest.mark.parametrize("end", [":|", "|| :|", ":|||", "|| :| |]", "[|]:|", ":|]"])
def test_however_many_bar_lines_end_a_tune_one_is_written(end):
    tune = parse_tune("M:4/4\nL:1/8\nK:C\nc8|e8" + end)
    assert tune.abc().rstrip().endswith("c8 | e8 :|")
    assert parse_tune(tune.abc()).abc() == tune.abc()


@pytest.mark.parametrize("written, heard", [
    ("c8|d8:|e8|f8:|", "cdcdefef"), ("|:c8|d8::e8|f8:|", "cdcdefef"),
    ("c8|d8||e8|f8:|", "cdefef"), ("|:c8|e8||d8|f8:|", "cedfcedf"),
    ("|:c8|[1d8:|[2e8||f8|g8:|", "cdcefgfg"), ("|:c8|[1d8:|[2e8:|f8|g8:|", "cdcefgfg"),
    ("c8|e8:|" * 12, "ce" * 24)])
def test_a_repeat_without_a_start_goes_back_to_the_part_before(written, heard):
    """music21 would go back to the start of the tune, so that ten repeats never end."""
    import pretty_midi

    midi = sound.to_midi("M:4/4\nL:1/8\nK:C\n" + written)
    notes = pretty_midi.PrettyMIDI(io.BytesIO(midi)).instruments[0].notes
    names = {72: "c", 74: "d", 76: "e", 77: "f", 79: "g"}
    assert "".join(names[n.pitch] for n in sorted(notes, key=lambda n: n.start)) == heard


@pytest.mark.parametrize("tune", [
    "|: D|GAB d2e|[1 dBG AGE|GAB dBG|A3 A2D|GAB d2e|dBG AGE|GAB AGA|G3 G2:|",
    "GAB d2e :| [2 GAB dBG | [1 A3 A2D :: GAB :|", "|: |: GAB :| :| GAB |:", "[1 GAB :| [1 d3 :|"])
def test_badly_formed_repeats_are_played_straight_through(tune):
    assert sound.to_midi("M:6/8\nL:1/8\nK:G\n" + tune)[:4] == b"MThd"


@pytest.mark.parametrize("tune", [
    "|: ABcd efga | ABcd efg || a | ABcd efga :|", "A | ABcd efga || ABc | d | efg | ABcd efga |]"])
def test_odd_bars_sound_and_change_no_metre(tune):
    text = "M:4/4\nL:1/8\nK:G\n" + tune
    assert sound.to_midi(text)[:4] == b"MThd"
    svg = sheet.to_svg(text)
    assert svg.count('class="meterSig"') == 1
    assert svg.count('class="notehead"') == len(parse_tune(text).notes())


def test_a_tune_becomes_sheet_music(tmp_path):
    svg = sheet.to_svg(JIG, tmp_path / "a.svg")
    notes = sum(n.pitch is not None for n in parse_tune(JIG).notes())
    assert svg.count('class="notehead"') == notes
    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == svg


@pytest.mark.parametrize("make", [sound.to_midi, sheet.to_svg, sound.player])
def test_what_is_no_tune_makes_no_sound_but_a_sentence(make, tmp_path):
    with pytest.raises(LabError, match="not ABC"):
        make("K:G\n$$$")


def test_odd_titles_do_no_harm():
    assert sound.to_midi(JIG.replace("A Jig", "%%abc \\ \x1b[31m" + "x" * 500))


# ---- judging -----------------------------------------------------------------------------------


def test_pickups_count_as_right_with_their_last_bar_and_wrong_without():
    assert judge.bars_right(parse_tune(JIG)) == (9, 9)
    assert judge.bars_right(body("ABcd efga|ABcd efg|ABcd efga|]")) == (2, 3)
    assert judge.bars_right(body("A|ABcd efga|ABcd efga|]")) == (2, 3)


def test_the_longest_copied_run_is_found():
    copies = judge.CopyDetector([parse_tune(JIG)])
    assert copies.longest(parse_tune(JIG)) == len(parse_tune(JIG).notes())
    assert copies.longest(body("ccc GAB d2 ccc", meter="6/8", key="G")) == 4
    assert copies.longest(body("^c2^d2B5", meter="6/8", key="G")) == 0


def test_judging_counts_reasons_and_prints_a_table(corpus):
    copies = judge.CopyDetector(corpus.train)
    real = judge.judge("real", corpus.test[:40], copies)
    made = judge.judge("made", ["nonsense", "K:G\nABc|\n", corpus.train[0].abc()], copies)
    assert (real.valid, made.sampled, len(made.tunes)) == (1.0, 3, 1)
    assert real.bars_correct > 0.95 and made.reasons.total() == 2
    assert made.copied[0] == len(corpus.train[0].notes())
    assert "There is no key" in judge.table(real, made)
    assert judge.best_tune(made).abc() == corpus.train[0].abc()
    with pytest.raises(LabError, match="None of the samples"):
        judge.best_tune(judge.judge("none", ["x"], copies))


def test_the_comparison_plot_has_labelled_axes(corpus):
    from lab_utils.music.plots import plot_comparison

    copies = judge.CopyDetector(corpus.train)
    sets = [judge.judge(name, corpus.test[:5], copies) for name in "ab"]
    figure = plot_comparison(*sets, judge.judge("empty", [], copies))
    assert all(ax.get_xlabel() and ax.get_ylabel() for ax in figure.axes)
