"""One trial: a sandbox, an archive, a Dagster home and a folder for temporary files, all below one folder."""

import os
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from recall_pipeline.days import utc_now
from recall_pipeline_tests.chaos.trials.archived import Archived, shortfalls, violations
from recall_pipeline_tests.chaos.trials.processes import Ended, Running
from recall_sandbox import ExpectedRow, Sandbox
from recall_sandbox.content import Content, digest_of

_ROOT = Path(__file__).parents[3]
_CHECK_SECONDS = 0.3
_FOREIGN = ("RECALL_", "DAGSTER_", "AWS_")


@dataclass
class ShiftedClock:
    """A clock for the sandbox that can be set ahead while it serves."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        """Return the time it shows."""
        return utc_now() + self.ahead


@dataclass
class Trial:
    """A sandbox and the archive of its syncs; `results` are the results of all processes.

    `violations`: every violation that was seen on disk. `kept`: by artifact id, SHA-256 of other bytes that may be
    stored. `replaced`: artifacts with new bytes upstream, whose rows may change from ready to another outcome.
    """

    folder: Path
    sandbox: Sandbox
    day: date
    service_clock: ShiftedClock = field(default_factory=ShiftedClock)
    settings: dict[str, str] = field(default_factory=dict)
    results: list[Ended] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    kept: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    replaced: set[str] = field(default_factory=set)
    _started: int = 0
    _seen: dict[tuple[str, str], bool] = field(default_factory=dict)
    _looking: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Make the folders."""
        for place in (self.home, self.temporary):
            place.mkdir(parents=True, mode=0o700)

    @property
    def data(self) -> Path:
        """The archive."""
        return self.folder / "data"

    def spooled(self) -> list[str]:
        """Return the names of the files in the staging folder; unlike `glob`, deletions meanwhile do no harm."""
        return [name for _, _, names in os.walk(self.data / "_spool") for name in names]

    @property
    def home(self) -> Path:
        """The Dagster home."""
        return self.folder / "home"

    @property
    def temporary(self) -> Path:
        """The folder for temporary files of its processes."""
        return self.folder / "tmp"

    def expected_rows(self) -> list[ExpectedRow]:
        """Return the expected catalog."""
        return self.sandbox.world.expected_rows()

    def may_serve(self, audio_id: str, content: Content) -> None:
        """Allow other bytes than the current ones for an artifact."""
        self.kept[audio_id].add(digest_of(content).sha256)

    def environment(self, **changes: str) -> dict[str, str]:
        """Return the environment of a command: the sandbox's, without the developer's own settings."""
        ours = {
            "RECALL_API_URL": self.sandbox.api_url,
            "RECALL_API_KEY": self.sandbox.api_key,
            "RECALL_STORAGE_URL": str(self.data),
            "RECALL_LIST_RPM": "100000",
            "RECALL_OBJECT_RPM": "100000",
            "RECALL_WORKERS": "1",
            "DAGSTER_HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "PYTHONPATH": str(_ROOT),
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        return inherited | ours | self.settings | changes

    def start(self, *arguments: str, handicap: tuple[str, ...] = (), **changes: str) -> Running:
        """Start `sync` of the day; `changes` are environment variables."""
        self._started += 1
        module = (
            ["recall_pipeline_tests.chaos.trials.handicapped", *handicap, "--"] if handicap else ["recall_pipeline"]
        )
        days = () if "--recording" in arguments else ("--from", f"{self.day}", "--to", f"{self.day}")
        program = [sys.executable, "-m", *module, "sync", *days, *arguments]
        return Running(program, self.environment(**changes), self.folder / f"sync-{self._started}")

    def end(self, running: Running, bound_seconds: float) -> Ended:
        """Check the archive until a process ends, and keep its result."""
        with self.watching():
            ended = running.wait(bound_seconds)
        self.results.append(ended)
        return ended

    def sync(self, *arguments: str, bound_seconds: float = 300) -> Ended:
        """Start a `sync`, and check the archive until it ends."""
        return self.end(self.start(*arguments), bound_seconds)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Check the archive periodically, and once more at the end."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(_CHECK_SECONDS):
                self.look()

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self.look()

    def look(self) -> list[str]:
        """Record the violations on disk now, and each row that has disappeared."""
        with self._looking:
            archived = Archived.read(self.data)
            found = violations(archived, self._ever_served())
            if not found:
                found = [*self._lost(archived)]
            self.violations += found
        return found

    def shortfalls(self) -> list[str]:
        """Return the differences between the archive and the expected rows of now."""
        return shortfalls(Archived.read(self.data), self.expected_rows(), self.kept)

    def _ever_served(self) -> dict[str, set[str]]:
        served = {audio_id: set(digests) for audio_id, digests in self.kept.items()}
        for row in self.expected_rows():
            if row.audio_id and row.is_archived:
                served.setdefault(row.audio_id, set()).add(row.digest.sha256)
        return served

    def _lost(self, archived: Archived) -> Iterator[str]:
        """Return which recordings, MP3s or ready states the catalog has lost since the last check."""
        now = {("recording", row["recording_id"]): True for row in archived.catalog}
        now |= {
            ("MP3", row["audio_id"]): row["outcome"] in ("ready", "silent")
            for row in archived.catalog
            if row["audio_id"]
        }
        for (what, its_id), was_ready in self._seen.items():
            if (what, its_id) not in now:
                yield f"{what} {its_id} was in the catalog, and has disappeared"
            elif was_ready and not now[what, its_id] and its_id not in self.replaced:
                yield f"{what} {its_id} was ready, and is not ready any more"
        self._seen = now
