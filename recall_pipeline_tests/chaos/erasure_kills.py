"""Kill erasures at random moments: `python -m recall_pipeline_tests.chaos.erasure_kills [--times 50] [--seed N]`.

The demo's days are synced once. Then, in many copies of the archive, a process erases all but the newest day and gets
SIGKILL at a random moment. A second try must give the same archive as an uninterrupted erasure. Of the erased
recordings only the audit may remain: in no file, no other table row and no later sync.
"""

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from recall_pipeline.audit import AUDIT
from recall_pipeline.catalog import CATALOG
from recall_pipeline.days import utc_now
from recall_pipeline.discovery import BOTS, RECORDINGS
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, open_archive
from recall_sandbox import Sandbox, demo_world

_FORGET = """
import sys, time
from datetime import date
from recall_pipeline.erasure import forget, plan_for_request
from recall_pipeline.settings import Settings
from recall_pipeline.storage import open_archive
import pyarrow.parquet
archive = open_archive(Settings(storage_url=sys.argv[1]))
plan = plan_for_request(archive, before=date.fromisoformat(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
began = time.monotonic()
forget(archive, plan, "the trial", lambda *_: None)
print(time.monotonic() - began, flush=True)
"""
_TABLES: tuple[Any, ...] = (BOTS, RECORDINGS, MIXED_AUDIO, CATALOG, AUDIT)
_SYNC_EVERY = 10


def main() -> int:
    """Run the trial and print its result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="recall-forgetting-") as folder:
        faults = _Trial(Path(folder), random.Random(arguments.seed)).run(arguments.times)  # noqa: S311 -- not for secrets
    for fault in faults:
        print(fault)
    return 1 if faults else 0


class _Trial:
    def __init__(self, folder: Path, dice: random.Random) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir()
        self.dice = dice
        self.before = utc_now().date() - timedelta(days=1)

    def run(self, times: int) -> list[str]:
        with Sandbox(demo_world(utc_now().date()), list_per_minute=None, object_per_minute=None).running() as sandbox:
            self.sandbox = sandbox
            self._sync(self.folder / "synced")
            words = _personal(open_archive(Settings(storage_url=str(self.folder / "synced"))), self.before)
            whole = self._copy("whole")
            lasts_seconds = self._forget(whole, None)
            assert lasts_seconds is not None
            expected, faults, moments = _state(whole), _left(whole, words), Counter[str]()
            print(f"{len(words)} words and hashes to search for; erasure takes {lasts_seconds:.2f} s")
            for number in range(times):
                faults += [
                    f"kill {number}: {fault}" for fault in self._kill(number, lasts_seconds, expected, words, moments)
                ]
            faults += [f"Dagster's home: {fault}" for fault in _in_bytes(self.home, words)]
            print(f"{times} kills: {dict(moments)}; {len(faults)} faults")
        return faults

    def _kill(
        self, number: int, lasts_seconds: float, expected: object, words: set[str], moments: Counter[str]
    ) -> Iterator[str]:
        folder = self._copy(f"killed {number}")
        self._forget(folder, self.dice.uniform(0, lasts_seconds))
        audit = [row for day in open_(folder).days("audit") for row in AUDIT.read(open_(folder), day) or []]
        unfinished = sum(row.finished_at is None for row in audit)
        moments["before, between or after days" if not unfinished else "within a day"] += 1
        self._forget(folder, None)
        if _state(folder) != expected:
            yield "the second try ended in another state"
        yield from _left(folder, words)
        if number % _SYNC_EVERY == 0:
            self._sync(folder)
            yield from (f"after a full sync: {fault}" for fault in _left(folder, words))
        shutil.rmtree(folder)

    def _copy(self, name: str) -> Path:
        return Path(shutil.copytree(self.folder / "synced", self.folder / name))

    def _sync(self, storage: Path) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RECALL_")} | {
            "RECALL_API_URL": self.sandbox.api_url,
            "RECALL_API_KEY": self.sandbox.api_key,
            "RECALL_STORAGE_URL": str(storage),
            "RECALL_LIST_RPM": "100000",
            "RECALL_OBJECT_RPM": "100000",
            "DAGSTER_HOME": str(self.home),
        }
        first = (utc_now() - timedelta(days=5)).date()
        program = [sys.executable, "-m", "recall_pipeline", "sync", "--from", f"{first}"]
        subprocess.run(program, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603

    def _forget(self, storage: Path, killed_after_seconds: float | None) -> float | None:
        """Erase, and return the duration in seconds; or kill the process after a while."""
        with _process(storage, self.before) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.stdin.write("\n")
            process.stdin.flush()
            if killed_after_seconds is None:
                return float(process.stdout.readline())
            time.sleep(killed_after_seconds)
            process.send_signal(signal.SIGKILL)
        return None


@contextmanager
def _process(storage: Path, before: date) -> Iterator["subprocess.Popen[str]"]:
    program = [sys.executable, "-c", _FORGET, str(storage), before.isoformat()]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        yield process


def open_(folder: Path) -> Archive:
    """Open the archive in a folder."""
    return open_archive(Settings(storage_url=str(folder)))


def _personal(archive: Archive, before: date) -> set[str]:
    """Return personal data and file hashes in tables, that only days before `before` have."""
    words: dict[bool, set[str]] = {True: set(), False: set()}
    for table in (BOTS, RECORDINGS, MIXED_AUDIO, CATALOG):
        for day in archive.days(table.name):
            for row in table.read(archive, day) or []:
                of_people = ("bot_name", "meeting_id", "metadata", "other_fields", "source_sha256", "audio_sha256")
                found = {str(getattr(row, name)) for name in of_people if getattr(row, name, None)}
                words[day < before] |= found - {"{}"}
    return words[True] - words[False]


def _left(folder: Path, words: set[str]) -> list[str]:
    """Return where one of the words is still stored."""
    archive, faults = open_(folder), []
    for table in _TABLES:
        for day in archive.days(table.name):
            rows = [repr(row) for row in table.read(archive, day) or []]
            hashes = {word for word in words if re.fullmatch("[0-9a-f]{64}", word)}
            looked_for = words - hashes if table is AUDIT else words
            faults += [
                f"{table.name} of {day} holds {word!r}" for word in looked_for if any(word in row for row in rows)
            ]
    return faults + _in_bytes(folder, words)


def _in_bytes(folder: Path, words: set[str]) -> list[str]:
    """Return which files, other than tables, contain one of the words."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".parquet"]
    contents = ((path, path.read_bytes()) for path in files)
    return [f"{path.name} holds {word!r}" for path, content in contents for word in words if word.encode() in content]


def _state(folder: Path) -> object:
    archive = open_(folder)
    files = sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".parquet" and "_spool" not in path.parts
    )
    rows = [
        re.sub(r"datetime\.datetime\([^)]*\)", "a moment", repr(row))
        for table in _TABLES
        for day in archive.days(table.name)
        for row in table.read(archive, day) or []
    ]
    return files, rows


if __name__ == "__main__":
    raise SystemExit(main())
