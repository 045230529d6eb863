"""Soak test: many changes, faults and kills on one archive.

    python -m recall_pipeline_tests.chaos.soak [--minutes 30] [--seed N] [--json]

One archive and one sandbox. In each round meetings appear, finish late, get other audio, or are deleted upstream. The
API and the media host fail at random. One to three syncs run at once, and some are killed. The visible files must be
valid at any time. At the end one sync runs without faults. The archive must then have exactly the expected rows, and
still hold the audio that was archived before its deletion.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from recall_pipeline.days import utc_now
from recall_pipeline_tests.chaos.trials import Archived, Running, Trial, add_talk, shortfalls, small_world
from recall_sandbox import ExpectedRow, Rule, Sandbox
from recall_sandbox.content import digest_of
from recall_sandbox.effects import (
    Cut,
    Delay,
    Effect,
    Reset,
    Trickle,
    Truncate,
    error_page,
    expired_link,
    garbage_json,
    throttling,
    unavailable,
)
from recall_sandbox.speech import Speech

_BOUND_SECONDS = 300.0
_CUT_BYTES = 9_000
_API_EFFECTS: Sequence[Effect] = (
    *(unavailable(status) for status in (500, 502, 503, 504)),
    throttling("1"),
    Reset(),
    Reset(150),
    Cut(100),
    garbage_json(),
    error_page(),
)
_MEDIA_EFFECTS: Sequence[Effect] = (
    unavailable(),
    Reset(_CUT_BYTES),
    Cut(_CUT_BYTES),
    Truncate(_CUT_BYTES),
    Truncate(0),
    error_page(),
    expired_link(),
    Delay(2),
    Trickle(2_000, 0.1),
)


@dataclass
class Report:
    """Counts of events, and all errors found."""

    minutes: float = 0
    rounds: int = 0
    syncs: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    recordings: int = 0
    wrong: list[str] = field(default_factory=list)


def main() -> int:
    """Run for `--minutes`, report, and return 1 for any error."""
    parser = argparse.ArgumentParser(prog="python -m recall_pipeline_tests.chaos.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=0, help="of the dice")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="recall-soak-") as folder:
        report = run(Path(folder), options.minutes, options.seed, verbose=not options.json)
    print(json.dumps(dataclasses.asdict(report)) if options.json else _summary(report))
    return int(bool(report.wrong))


def run(folder: Path, minutes: float, seed: int, *, verbose: bool = False) -> Report:
    """Run rounds until the time is over, then compare the archive with the expected rows."""
    started = time.monotonic()
    day = utc_now().date() - timedelta(days=1)
    world = small_world(day)
    with Sandbox(world, list_per_minute=None, object_per_minute=None, page_size=7, repeat_rows=2).running() as sandbox:
        soak = Soak(Trial(folder / "trial", sandbox, day), random.Random(seed))  # noqa: S311 -- not for secrets
        while time.monotonic() - started < minutes * 60:
            soak.round()
            if verbose:
                print(_summary(soak.report), flush=True)
        soak.end()
    soak.report.minutes = round((time.monotonic() - started) / 60, 1)
    return soak.report


class Soak:
    """An archive that lives through rounds.

    `_archived`: what was deleted upstream after it was archived, by recording. `_outcomes`: of bytes, by SHA-256.
    """

    def __init__(self, trial: Trial, dice: random.Random) -> None:
        self._trial = trial
        self._world = trial.sandbox.world
        self._rng = dice
        self._archived: dict[str, ExpectedRow] = {}
        self._outcomes: dict[str, str] = {}
        self._talks = 1_000
        self.report = Report()

    def round(self) -> None:
        """Change the world, inject faults, sync, and perhaps kill a sync."""
        self.report.rounds += 1
        for _ in range(self._rng.randint(1, 3)):
            self._change()
        self._allow_all()  # before the faults: a fast sync may archive their bytes at once
        rules = [self._trial.sandbox.faults.add(self._rule()) for _ in range(self._rng.randint(0, 4))]
        running = [self._start() for _ in range(self._rng.choice([1, 1, 1, 2, 2, 3]))]
        if self._rng.random() < 0.5:
            self._kill(self._rng.choice(running))
        if self._rng.random() < 0.3:
            self._appear()
            self._allow_all()
        self._wait(running)
        for rule in rules:
            self.report.faults[type(rule.effect).__name__] += self._trial.sandbox.faults.applied(rule)
        self._trial.sandbox.faults.clear()
        self._allow_all()
        self.report.wrong += [f"round {self.report.rounds}: {violation}" for violation in self._trial.violations]
        self._trial.violations.clear()

    def end(self) -> None:
        """Sync once more without faults, and compare; corrupt recordings are synced again by id."""
        self._finish_late()
        last = self._trial.sync(bound_seconds=_BOUND_SECONDS)
        for row in self._corrupt():
            self.report.syncs["of what was corrupt"] += 1
            last = self._trial.sync("--recording", row["recording_id"], bound_seconds=_BOUND_SECONDS)
        if last.status != 0:
            self.report.wrong.append(f"the last sync ended with status {last.status}: {last.err}")
        expected = [self._archived.get(row.recording_id, row) for row in self._trial.expected_rows()]
        self.report.recordings = len(expected)
        self.report.wrong += shortfalls(Archived.read(self._trial.data), expected, self._trial.kept)
        self.report.wrong += [
            f"printed: {result.err[-2000:]}" for result in self._trial.results if result.has_traceback
        ]

    def _corrupt(self) -> list[dict[str, Any]]:
        """Return the corrupt rows that Recall still serves."""
        rows = Archived.read(self._trial.data).catalog
        return [row for row in rows if row["outcome"] == "corrupt" and row["recording_id"] not in self._archived]

    def _change(self) -> None:
        change = self._rng.choice([self._appear, self._appear, self._finish_late, self._replace, self._delete])
        change()

    def _appear(self) -> None:
        """Add a meeting with a done or processing MP3."""
        self._talks += 1
        add_talk(self._world, self._trial.day, self._talks)
        self.report.changes["new meetings"] += 1
        if self._rng.random() < 0.3:
            newest = list(self._world.artifacts)[-1]
            self._world.change_artifact(newest.id, status="processing", content=None)

    def _finish_late(self) -> None:
        """Complete the processing MP3s."""
        for artifact in self._world.artifacts:
            if artifact.status == "processing":
                self._world.finish_artifact(artifact.id, self._speech())
                self.report.changes["finished late"] += 1

    def _replace(self) -> None:
        """Replace the bytes of an MP3."""
        row = self._one_that_is_served()
        if row and row.audio_id:
            self._allow(row)
            self._trial.replaced.add(row.audio_id)
            self._world.replace_audio(row.audio_id, self._speech())
            self.report.changes["replaced MP3s"] += 1

    def _delete(self) -> None:
        """Delete an MP3 upstream; an archived one must stay in the archive."""
        row = self._one_that_is_served()
        if row and row.audio_id:
            self._allow(row)
            kept = self._kept(row)
            if kept is None and any(self._trial.data.glob(f"mixed_audio/*/*/{row.audio_id}*")):
                return  # a crash left a file without a row, which is not tested here
            if kept is not None:
                self._archived[row.recording_id] = kept
            gone = kept is not None and self._rng.random() < 0.5  # an MP3 that was never archived keeps its row
            self._world.delete_artifact(row.audio_id, "gone" if gone else "deleted")
            self.report.changes["deleted MP3s"] += 1

    def _kept(self, row: ExpectedRow) -> ExpectedRow | None:
        """Return what the archive must keep of an MP3 that is deleted now; None if it is not archived."""
        archived = Archived.read(self._trial.data)
        for found in archived.rows("mixed_audio"):
            if found["audio_id"] == row.audio_id and found["source_key"]:
                body = archived.contents[found["source_key"]]
                outcome = "corrupt" if found["fault"] else self._outcomes[found["source_sha256"]]
                return dataclasses.replace(row, content=Kept(body, outcome), outcome=outcome)
        return None

    def _one_that_is_served(self) -> ExpectedRow | None:
        """Return an MP3 that can be downloaded."""
        rows = [row for row in self._trial.expected_rows() if row.is_archived]
        return self._rng.choice(rows) if rows else None

    def _allow_all(self) -> None:
        for row in self._trial.expected_rows():
            if row.is_archived:
                self._allow(row)

    def _allow(self, row: ExpectedRow) -> None:
        """Allow the current bytes of an MP3, and what the faults make of them."""
        for content in (row.content, *(Kept(made) for made in _damaged(row.body))):
            if row.audio_id and content:
                self._trial.may_serve(row.audio_id, content)
                self._outcomes[digest_of(content).sha256] = content.outcome

    def _speech(self) -> Speech:
        self._talks += 1
        return Speech(4, title=f"talk {self._talks}")

    def _rule(self) -> Rule:
        """Return a fault of the API or of the media host for a few requests."""
        origin: Literal["api", "media"] = self._rng.choice(("api", "media"))
        return Rule(
            self._rng.choice(_API_EFFECTS if origin == "api" else _MEDIA_EFFECTS),
            origin=origin,
            times=self._rng.randint(1, 5),
            probability=self._rng.choice([0.2, 0.5, 1.0]),
        )

    def _start(self) -> Running:
        """Start a sync of the day, or of one recording of it."""
        rows = self._trial.expected_rows()
        if self._rng.random() < 0.2:
            self.report.syncs["of a recording"] += 1
            return self._trial.start("--recording", self._rng.choice(rows).recording_id)
        self.report.syncs["of the day"] += 1
        return self._trial.start()

    def _kill(self, running: Running) -> None:
        """Kill one process of a sync, or all of them, after a moment."""
        time.sleep(self._rng.uniform(0, 12))
        processes = running.processes()
        if processes:
            self.report.kills += 1
            for pid in processes if self._rng.random() < 0.5 else [self._rng.choice(processes)]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _wait(self, syncs: Sequence[Running]) -> None:
        for running in syncs:
            ended = self._trial.end(running, _BOUND_SECONDS)
            self.report.syncs[f"that ended with {ended.status}"] += 1
            if ended.status is None:
                self.report.wrong.append(f"round {self.report.rounds}: a sync hung for {_BOUND_SECONDS:.0f} s")
            elif ended.status == 2:
                self.report.wrong.append(f"round {self.report.rounds}: wrong usage: {ended.err}")


@dataclass(frozen=True)
class Kept:
    """A content with the bytes in the archive."""

    bytes_: bytes
    outcome: str = "corrupt"
    media_type: str = "audio/mpeg"

    def body(self) -> bytes:
        """Return the bytes."""
        return self.bytes_


def _damaged(body: bytes) -> list[bytes]:
    """Return all bodies that the faults may serve for this body."""
    page = error_page().body
    assert isinstance(page, bytes)
    return [page, b"", body[:_CUT_BYTES]]


def _summary(report: Report) -> str:
    def counted(counts: Counter[str]) -> str:
        return ", ".join(f"{count} {what}" for what, count in counts.most_common() if count) or "none"

    lines = [
        f"{report.rounds} rounds, {report.kills} kills, {report.recordings} recordings in the end",
        f"  syncs: {counted(report.syncs)}",
        f"  changes: {counted(report.changes)}",
        f"  requests with a fault: {counted(report.faults)}",
        *(f"  WRONG: {line}" for line in report.wrong),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
