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
from recall_pipeline_tests.chaos.trials.archived import Archived, lies, shortfalls
from recall_pipeline_tests.chaos.trials.processes import Ended, Running
from recall_sandbox import ExpectedRow, Sandbox
from recall_sandbox.content import Content, digest_of

_ROOT = Path(__file__).parents[2]
_LOOK_EVERY_SECONDS = 0.3
_FOREIGN = ("RECALL_", "DAGSTER_", "AWS_")


@dataclass
class ShiftedClock:
    """The sandbox's clock, which may be set ahead while it serves."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        """Return the time it shows."""
        return utc_now() + self.ahead


@dataclass
class Trial:
    """What is under trial; `said` is all that its processes printed, `false` each lie that was seen on disk.

    `replaced` names artifacts that got other bytes upstream: these may be ready, and then no more for a while.
    """

    folder: Path
    sandbox: Sandbox
    day: date
    service_clock: ShiftedClock = field(default_factory=ShiftedClock)
    settings: dict[str, str] = field(default_factory=dict)
    said: list[Ended] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
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
        """Return the names of what lies in the spool; unlike `glob`, whatever goes while it is looked at."""
        return [name for _, _, names in os.walk(self.data / "_spool") for name in names]

    @property
    def home(self) -> Path:
        """The Dagster home."""
        return self.folder / "home"

    @property
    def temporary(self) -> Path:
        """Where its processes put temporary files."""
        return self.folder / "tmp"

    def expected_rows(self) -> list[ExpectedRow]:
        """Return what the catalog must come to."""
        return self.sandbox.world.expected_rows()

    def may_serve(self, audio_id: str, content: Content) -> None:
        """Allow for bytes of an artifact that are not those of now."""
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
        """Watch a process until it ends, and keep what it said."""
        with self.watching():
            ended = running.wait(bound_seconds)
        self.said.append(ended)
        return ended

    def sync(self, *arguments: str, bound_seconds: float = 300) -> Ended:
        """Start a `sync`, and watch it until it ends."""
        return self.end(self.start(*arguments), bound_seconds)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look for lies on disk again and again, and once more at the end."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(_LOOK_EVERY_SECONDS):
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
        """Note each lie that is on disk now, and each row that was there before and is not."""
        with self._looking:
            archived = Archived.read(self.data)
            found = lies(archived, self._ever_served())
            if not found:
                found = [*self._lost(archived)]
            self.false += found
        return found

    def shortfalls(self) -> list[str]:
        """Say what the archive lacks, has too much of, or lies about, held against the truth of now."""
        return shortfalls(Archived.read(self.data), self.expected_rows(), self.kept)

    def _ever_served(self) -> dict[str, set[str]]:
        served = {audio_id: set(digests) for audio_id, digests in self.kept.items()}
        for row in self.expected_rows():
            if row.audio_id and row.is_archived:
                served.setdefault(row.audio_id, set()).add(row.digest.sha256)
        return served

    def _lost(self, archived: Archived) -> Iterator[str]:
        """Say which recording, MP3 or archived state the catalog has lost since the last look."""
        now = {("recording", row["recording_id"]): True for row in archived.catalog}
        now |= {
            ("MP3", row["audio_id"]): row["outcome"] in ("ready", "silent")
            for row in archived.catalog
            if row["audio_id"]
        }
        for (what, its_id), was_heard in self._seen.items():
            if (what, its_id) not in now:
                yield f"{what} {its_id} was in the catalog, and is no more"
            elif was_heard and not now[what, its_id] and its_id not in self.replaced:
                yield f"{what} {its_id} was ready, and is no more"
        self._seen = now
