"""How long a tick takes on an old archive: `python -m benchmarks.due --storage s3://bucket/prefix [--days N] [--json]`.

Writes the tables of N settled days, and evaluates which days are due. Ours reads footers and columns, several days at
once. The peer reads the same tables as a whole, one after another, as pandas users do. Both see the same files; each
runs twice, and the faster run counts. `--storage` is a new place; the standard AWS variables apply.
"""

import argparse
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import TypeVar

import fsspec
import pandas as pd

from recall_pipeline.catalog import CATALOG, CatalogRow, days_due
from recall_pipeline.days import ONE_DAY, end_of, start_of, utc_now
from recall_pipeline.discovery import BOTS, RECORDINGS, RecordingRow
from recall_pipeline.download import MIXED_AUDIO, MixedAudioRow
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, open_archive

T = TypeVar("T")
_TABLES = (BOTS, RECORDINGS, MIXED_AUDIO, CATALOG)


@dataclass(frozen=True)
class Measured:
    """Seconds of a tick and of the peer's way, the days that each found open, and the ratio of both times."""

    days: int
    meetings_a_day: int
    seconds: float
    peer_seconds: float
    ratio: float
    open_days: int
    peer_open_days: int


def main() -> None:
    """Run the benchmark and print its table or one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--storage", required=True, help="a new folder, or s3://bucket/prefix")
    parser.add_argument("--days", type=int, default=1000)
    parser.add_argument("--meetings", type=int, default=20, help="per day")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = asdict(run(options.storage, options.days, options.meetings))
    print(json.dumps(result) if options.json else "\n".join(f"{name:16} {value}" for name, value in result.items()))


def run(storage_url: str, days: int, meetings: int) -> Measured:
    """Fill the archive, and measure both ways."""
    today = utc_now().date()
    first = today - timedelta(days=days)
    settings = Settings(storage_url=storage_url, start_date=first)
    archive, stored = open_archive(settings), [first + number * ONE_DAY for number in range(days)]
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda day: _write(archive, day, meetings), stored))
    seconds, due = _fastest(lambda: days_due(archive, settings, utc_now()))
    peer_seconds, peer_open = _fastest(lambda: _open_days_of_the_peer(archive, stored))
    open_days = sum(state.is_open for state in due.states.values())
    ratio = round(peer_seconds / seconds, 1)
    return Measured(days, meetings, round(seconds, 2), round(peer_seconds, 2), ratio, open_days, len(peer_open))


def _write(archive: Archive, day: date, meetings: int) -> None:
    facts, created_at = {"listed_at": end_of(day).isoformat()}, start_of(day)
    mp3 = MixedAudioRow(recording_id="", audio_id="", source_sha256="0" * 64, source_key=f"mixed_audio/day={day}/x.mp3")
    row = CatalogRow(outcome="ready", created_at=created_at, outcome_reason="x" * 40, waveform="x" * 60)
    names = [f"{day}-{number:08}" for number in range(meetings)]
    outcomes = ["download_failed" if day.day == 1 else "ready", *["ready"] * (meetings - 1)]
    BOTS.write(archive, day, [])
    RECORDINGS.write(archive, day, [RecordingRow(recording_id=name, created_at=created_at) for name in names], facts)
    MIXED_AUDIO.write(archive, day, [replace(mp3, recording_id=name, audio_id=name) for name in names])
    rows = [replace(row, recording_id=name, outcome=outcome) for name, outcome in zip(names, outcomes, strict=True)]
    CATALOG.write(archive, day, rows, facts)


def _open_days_of_the_peer(archive: Archive, days: list[date]) -> list[date]:
    """Read every table of every day as a whole, one after another."""
    found = []
    for day in days:
        frames = []
        for table in _TABLES:
            with fsspec.open(archive.uri(table.key(day)), "rb") as file:
                frames.append(pd.read_parquet(file))
        if (frames[-1]["outcome"] != "ready").any():
            found.append(day)
    return found


def _fastest(measure: Callable[[], T]) -> tuple[float, T]:
    results = []
    for _ in range(2):
        began = time.perf_counter()
        result = measure()
        results.append((time.perf_counter() - began, result))
    return min(results, key=lambda each: each[0])


if __name__ == "__main__":
    main()
