"""Problems, and the report of a verification."""

from dataclasses import dataclass, field
from datetime import date

from recall_pipeline.errors import StorageError, TableNewer
from recall_pipeline.verification.codes import CODES, Code, Kind


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. `subject` is the key of a file or table, or a recording or MP3; `message` completes its sentence.

    `recording_id` is None for a problem of a table.
    """

    day: date
    code: Code
    subject: str
    message: str
    recording_id: str | None = None

    @property
    def kind(self) -> Kind:
        """How the archive differs from its tables."""
        return CODES[self.code].kind

    @property
    def line(self) -> str:
        """The problem as one line of text."""
        return f"{self.day} {self.kind}: {self.subject} {self.message}"


@dataclass(slots=True)
class VerificationReport:
    """The result of a verification: counts of checked files, and all problems.

    `superseded` counts older versions; `corrupt` maps the ids of corrupt recordings to their days. `strange_names` are
    keys in the folders of tables that are not days.
    """

    days: list[date] = field(default_factory=list)
    files: int = 0
    size_bytes: int = 0
    superseded: int = 0
    corrupt: dict[str, date] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    strange_names: list[str] = field(default_factory=list)

    def count(self, kind: Kind) -> int:
        """Return the number of problems of this kind."""
        return sum(problem.kind is kind for problem in self.problems)

    @property
    def verified_files(self) -> int:
        """Number of files that match the tables."""
        kinds_of_files = (Kind.MISSING, Kind.CHANGED, Kind.UNDECODABLE, Kind.UNREADABLE)
        return self.files - sum(
            bool(problem.recording_id) and problem.kind in kinds_of_files for problem in self.problems
        )


def table_problem(day: date, key: str, error: StorageError) -> Problem:
    """Return the problem that a table cannot be read."""
    code = Code.TABLE_NEWER if isinstance(error, TableNewer) else Code.TABLE_UNREADABLE
    return Problem(day, code, key, str(error))
