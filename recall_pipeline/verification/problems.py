"""What verification can find wrong, and what it found."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Kind(StrEnum):
    """In which way something is not as the tables say."""

    MISSING = "missing"  # a file that a table names is not there
    CHANGED = "changed"  # it has another size or SHA-256
    UNDECODABLE = "undecodable"  # its bytes are those stated, but no whole sound comes out of them
    ORPHANED = "orphaned"  # no row names it
    UNREADABLE = "unreadable"  # a table or a file
    DISAGREEING = "disagreeing"  # the tables of a day contradict one another
    ERASED = "erased"  # something is stored of a recording or bot that was erased


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the key of a file or table, or an id, and what is the matter with it."""

    day: date
    kind: Kind
    what: str
    says: str
    recording_id: str | None = None

    @property
    def line(self) -> str:
        """The problem for a person."""
        return f"{self.day} {self.kind}: {self.what} {self.says}"


@dataclass(slots=True)
class VerificationReport:
    """What a verification came to: how much was read back, and everything that is wrong."""

    days: list[date] = field(default_factory=list)
    files: int = 0
    size_bytes: int = 0
    superseded: int = 0
    corrupt: dict[str, date] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def count(self, kind: Kind) -> int:
        """Return how many problems are of this kind."""
        return sum(problem.kind is kind for problem in self.problems)

    @property
    def proven(self) -> int:
        """How many of the files are what the tables say."""
        of_files = (Kind.MISSING, Kind.CHANGED, Kind.UNDECODABLE, Kind.UNREADABLE)
        return self.files - sum(bool(p.recording_id) and p.kind in of_files for p in self.problems)
