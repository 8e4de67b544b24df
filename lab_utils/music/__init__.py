"""Irish tunes in ABC notation: corpus, parsing, sound, sheet music, judging."""
