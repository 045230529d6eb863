"""Live through bad days in a short time.

    python -m recall_pipeline_tests.chaos.soak [--minutes 30] [--seed N] [--json]

One archive and one Recall.ai on loopback. Round after round, meetings appear, finish late, get other audio, and are
deleted upstream; the API and the media host fail at random; one to three syncs run at once, and some are killed. At
every moment what is visible on disk has to be true. In the end everything is let alone, one sync runs, and the archive
has to be exactly what the sandbox's truth says, with what was archived before its deletion still there.
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
    """What happened, and whatever was wrong."""

    minutes: float = 0
    rounds: int = 0
    syncs: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    recordings: int = 0
    wrong: list[str] = field(default_factory=list)


def main() -> int:
    """Live so long, report, and return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m recall_pipeline_tests.chaos.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=0, help="of the dice")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="recall-soak-") as folder:
        report = run(Path(folder), options.minutes, options.seed, tell=not options.json)
    print(json.dumps(dataclasses.asdict(report)) if options.json else _in_words(report))
    return int(bool(report.wrong))


def run(folder: Path, minutes: float, seed: int, *, tell: bool = False) -> Report:
    """Live through rounds until the time is over, then hold the archive against the truth."""
    started = time.monotonic()
    day = utc_now().date() - timedelta(days=1)
    world = small_world(day)
    with Sandbox(world, list_per_minute=None, object_per_minute=None, page_size=7, repeat_rows=2).running() as sandbox:
        soak = Soak(Trial(folder / "trial", sandbox, day), random.Random(seed))  # noqa: S311 -- not for secrets
        while time.monotonic() - started < minutes * 60:
            soak.round()
            if tell:
                print(_in_words(soak.report), flush=True)
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
        self._dice = dice
        self._archived: dict[str, ExpectedRow] = {}
        self._outcomes: dict[str, str] = {}
        self._talks = 1_000
        self.report = Report()

    def round(self) -> None:
        """Change the world, break things, sync, and kill perhaps."""
        self.report.rounds += 1
        for _ in range(self._dice.randint(1, 3)):
            self._change()
        self._allow_all()  # before the faults: a quick sync brings home at once what they make of it
        rules = [self._trial.sandbox.faults.add(self._rule()) for _ in range(self._dice.randint(0, 4))]
        running = [self._start() for _ in range(self._dice.choice([1, 1, 1, 2, 2, 3]))]
        if self._dice.random() < 0.5:
            self._kill(self._dice.choice(running))
        if self._dice.random() < 0.3:
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
        """Sync once more undisturbed, and compare; what came whole but bad twice has to be looked at again by name."""
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
        self.report.wrong += [f"printed: {said.err[-2000:]}" for said in self._trial.said if said.has_traceback]

    def _corrupt(self) -> list[dict[str, Any]]:
        """Return the rows that are corrupt though Recall still serves them."""
        rows = Archived.read(self._trial.data).catalog
        return [row for row in rows if row["outcome"] == "corrupt" and row["recording_id"] not in self._archived]

    def _change(self) -> None:
        change = self._dice.choice([self._appear, self._appear, self._finish_late, self._replace, self._delete])
        change()

    def _appear(self) -> None:
        """Let a meeting be there, its MP3 done or still in the making."""
        self._talks += 1
        add_talk(self._world, self._trial.day, self._talks)
        self.report.changes["new meetings"] += 1
        if self._dice.random() < 0.3:
            newest = list(self._world.artifacts)[-1]
            self._world.change_artifact(newest.id, status="processing", content=None)

    def _finish_late(self) -> None:
        """Let the MP3s in the making be done."""
        for artifact in self._world.artifacts:
            if artifact.status == "processing":
                self._world.finish_artifact(artifact.id, self._speech())
                self.report.changes["finished late"] += 1

    def _replace(self) -> None:
        """Give an MP3 other bytes."""
        row = self._one_that_is_served()
        if row and row.audio_id:
            self._allow(row)
            self._trial.replaced.add(row.audio_id)
            self._world.replace_audio(row.audio_id, self._speech())
            self.report.changes["replaced MP3s"] += 1

    def _delete(self) -> None:
        """Delete an MP3 upstream; one that is archived, good or not, has to stay."""
        row = self._one_that_is_served()
        if row and row.audio_id:
            self._allow(row)
            kept = self._kept(row)
            if kept is None and any(self._trial.data.glob(f"mixed_audio/*/*/{row.audio_id}*")):
                return  # a crash left its file before its row: what becomes of it is another story
            if kept is not None:
                self._archived[row.recording_id] = kept
            gone = kept is not None and self._dice.random() < 0.5  # one that was never archived leaves its row
            self._world.delete_artifact(row.audio_id, "gone" if gone else "deleted")
            self.report.changes["deleted MP3s"] += 1

    def _kept(self, row: ExpectedRow) -> ExpectedRow | None:
        """Return what the archive has to keep of an MP3 that is deleted now; None when it has nothing of it."""
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
        return self._dice.choice(rows) if rows else None

    def _allow_all(self) -> None:
        for row in self._trial.expected_rows():
            if row.is_archived:
                self._allow(row)

    def _allow(self, row: ExpectedRow) -> None:
        """Allow what may have come of an MP3 until now: its bytes, and what the faults make of them."""
        for content in (row.content, *(Kept(made) for made in _mutilated(row.body))):
            if row.audio_id and content:
                self._trial.may_serve(row.audio_id, content)
                self._outcomes[digest_of(content).sha256] = content.outcome

    def _speech(self) -> Speech:
        self._talks += 1
        return Speech(4, title=f"talk {self._talks}")

    def _rule(self) -> Rule:
        """Return a fault of the API or of the media host that strikes a few requests."""
        origin: Literal["api", "media"] = self._dice.choice(("api", "media"))
        return Rule(
            self._dice.choice(_API_EFFECTS if origin == "api" else _MEDIA_EFFECTS),
            origin=origin,
            times=self._dice.randint(1, 5),
            probability=self._dice.choice([0.2, 0.5, 1.0]),
        )

    def _start(self) -> Running:
        """Start a sync of the day, or of one recording of it."""
        rows = self._trial.expected_rows()
        if self._dice.random() < 0.2:
            self.report.syncs["of a recording"] += 1
            return self._trial.start("--recording", self._dice.choice(rows).recording_id)
        self.report.syncs["of the day"] += 1
        return self._trial.start()

    def _kill(self, running: Running) -> None:
        """Kill one process of a sync, or all of them, in a moment."""
        time.sleep(self._dice.uniform(0, 12))
        processes = running.processes()
        if processes:
            self.report.kills += 1
            for pid in processes if self._dice.random() < 0.5 else [self._dice.choice(processes)]:
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
    """Bytes that the archive has."""

    bytes_: bytes
    outcome: str = "corrupt"
    media_type: str = "audio/mpeg"

    def body(self) -> bytes:
        """Return them."""
        return self.bytes_


def _mutilated(body: bytes) -> list[bytes]:
    """Return all that the faults may pass for this body."""
    page = error_page().body
    assert isinstance(page, bytes)
    return [page, b"", body[:_CUT_BYTES]]


def _in_words(report: Report) -> str:
    def counted(counts: Counter[str]) -> str:
        return ", ".join(f"{count} {what}" for what, count in counts.most_common() if count) or "none"

    lines = [
        f"{report.rounds} rounds, {report.kills} kills, {report.recordings} recordings in the end",
        f"  syncs: {counted(report.syncs)}",
        f"  changes: {counted(report.changes)}",
        f"  requests struck: {counted(report.faults)}",
        *(f"  WRONG: {line}" for line in report.wrong),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
