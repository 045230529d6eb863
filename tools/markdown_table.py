"""Rows of Markdown tables."""

from collections.abc import Sequence


def header(*names: str) -> Sequence[str]:
    """Return the two lines that begin a table."""
    return row(*names), row(*("---" for _ in names))


def row(*cells: str) -> str:
    """Return one row; a `|` within a cell is escaped."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
