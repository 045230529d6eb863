"""Where the pages of a list go: into memory (here), or into a file (listing_spool.py)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


class ListedPages(Protocol):
    """Takes the pages of lists. A position is the URL of the next page: None before the first, empty after the last."""

    def position(self, kind: str) -> str | None:
        """Return the position in a list."""
        ...

    def begin(self, kind: str) -> None:
        """Note when the walk of a list begins."""
        ...

    def add_page(self, kind: str, items: Sequence[tuple[Any, frozenset[str]]], next_url: str | None) -> int:
        """Take the records of a page, each with what is unknown in it; return how many were not there before."""
        ...

    def drop(self, kind: str) -> None:
        """Remove the pages of a list."""
        ...


@dataclass
class CollectedPages:
    """The records of one list in memory, by id."""

    records: dict[str, Any] = field(default_factory=dict)
    _position: str | None = None

    def position(self, kind: str) -> str | None:  # noqa: ARG002
        """Return the position."""
        return self._position

    def begin(self, kind: str) -> None:
        """Do nothing."""

    def add_page(self, kind: str, items: Sequence[tuple[Any, frozenset[str]]], next_url: str | None) -> int:  # noqa: ARG002
        """Add the records of a page; rows move between pages, so the latest one counts."""
        before = len(self.records)
        self.records |= {item.id: item for item, _ in items}
        self._position = next_url or ""
        return len(self.records) - before

    def drop(self, kind: str) -> None:  # noqa: ARG002
        """Remove all records."""
        self.records.clear()
        self._position = None
