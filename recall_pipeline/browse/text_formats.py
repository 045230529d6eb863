"""Values as a reader sees them: durations, sizes, levels, times."""

import re
from datetime import datetime

from markupsafe import Markup, escape

NOTHING = "-"


def clock(seconds: float | None) -> str:
    """Return h:mm:ss, or m:ss below an hour."""
    if seconds is None:
        return NOTHING
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def hours(seconds: float) -> str:
    """Return hours with one decimal, or minutes below an hour."""
    return f"{seconds / 3600:,.1f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"


def file_size(count: int | None) -> str:
    """Return a size in kB or MB."""
    if count is None:
        return NOTHING
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.1f} kB"


def level(value: float | None, unit: str) -> str:
    """Return a level with its unit and one decimal."""
    return NOTHING if value is None else f"{value:.1f} {unit}"


def utc(moment: datetime | None) -> str:
    """Return a moment to the second, in UTC."""
    return NOTHING if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def machine_time(moment: datetime | None) -> str:
    """Return a moment for the attribute `datetime`."""
    return "" if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def with_code(text: str) -> Markup:
    """Return a text as HTML, with what is between backticks as code."""
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  escaped before


def words_of(code: str | None) -> str:
    """Return a code as words: `not_requested` as `not requested`."""
    return (code or NOTHING).replace("_", " ")
