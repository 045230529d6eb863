"""Addresses of the archive page: the same below every root."""

from datetime import date


def day_link(root: str, day: date) -> str:
    """Return the address of a day; `root` is that of the page, without a trailing slash."""
    return f"{root}/days/{day.isoformat()}"


def recording_link(root: str, day: date, recording_id: str) -> str:
    """Return the address of a recording; its id is a UUID."""
    return f"{day_link(root, day)}/{recording_id}"
