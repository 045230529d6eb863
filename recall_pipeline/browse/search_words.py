"""Words of a search, and texts as the index stores them. No input makes a query that SQLite refuses."""

import re

_MAX_CHARACTERS, _MAX_WORDS = 200, 16
_PIECES = re.compile(r'"([^"]*)"|(\S+)')
# Han, kana and Thai are written without spaces: each character becomes a word.
_UNSPACED = re.compile(
    "([\u0e00-\u0e7f\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])"
)
_BREAK = "\u200b"  # a space of no width, which separates words and is not visible
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def indexed_text(text: str) -> str:
    """Return a text as it is stored in the index: without control characters, with breaks between unspaced words."""
    return _UNSPACED.sub(rf"\1{_BREAK}", _CONTROL.sub(" ", text))


def shown_text(text: str) -> str:
    """Return a text of the index without the breaks."""
    return text.replace(_BREAK, "")


def match_expression(query: str) -> str | None:
    """Return the FTS5 expression of a query: every word, as a beginning, and every phrase in quotes. None: no words."""
    pieces = _PIECES.findall(indexed_text(query[:_MAX_CHARACTERS]))
    terms = [_term(phrase or word, is_word=not phrase) for phrase, word in pieces[:_MAX_WORDS]]
    return " AND ".join(filter(None, terms)) or None


def _term(text: str, *, is_word: bool) -> str | None:
    if not any(character.isalnum() for character in text):
        return None
    quoted = '"' + text.replace('"', " ") + '"'
    return f"{quoted}*" if is_word else quoted
