"""CPU and wall seconds of a whole sync: `python -m benchmarks.audio_sync [--files N] [--megabits N] [--json]`.

A sandbox in a process of its own serves half hours of speech. Each sync is a process of its own, imports and worker
processes included: list, download, check, normalize, catalog, without Dagster. "once": the catalog follows in the same
run, so that the check normalizes. "twice": each step by itself. The floor only decodes, resamples and encodes each
file, in one process for each. With `--megabits`, the line to the media host has that rate.
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from benchmarks.audio_inputs import make_recording
from benchmarks.serving import DAY, serving
from benchmarks.transfer import Line
from recall_pipeline.catalog import EarlyNormalization, sync_catalog
from recall_pipeline.discovery import sync_recordings
from recall_pipeline.download import sync_mp3s
from recall_pipeline.recall_api import Upstream, list_days, open_client
from recall_pipeline.settings import Settings
from recall_pipeline.storage import open_archive, open_day
from recall_sandbox import Rule

_SECONDS = 1800
_INPUTS = ("even", "uneven")
_WAYS = ("once", "twice")


@dataclass(frozen=True)
class StoredFile:
    """The content of a file on this disk."""

    path: Path
    outcome: str = "ready"
    media_type: str = "audio/mpeg"

    def body(self) -> bytes:
        """The bytes of the file."""
        return self.path.read_bytes()


def sync(way: str) -> None:
    """Sync the day that the environment's sandbox serves, and check that all of it is ready."""
    settings = Settings.from_environment()
    archive = open_archive(settings)
    asyncio.run(_download(settings, way))
    with open_day(archive, DAY) as day:
        report = sync_catalog(day, settings)
    assert {row.outcome for row in report.rows} == {"ready"}
    assert report.normalized == (0 if way == "once" else len(report.rows))


async def _download(settings: Settings, way: str) -> None:
    async with open_client(settings) as client:
        with open_day(open_archive(settings), DAY) as day:
            upstream = Upstream(client, await list_days(client, DAY, DAY))
            await sync_recordings(day, upstream)
            await sync_mp3s(day, upstream, settings, early=EarlyNormalization(day, settings) if way == "once" else None)


def measured(*arguments: str) -> tuple[float, float]:
    """Run a module in a process of its own; return its CPU seconds, child processes included, and wall seconds."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", *arguments], env=os.environ | {"OPENBLAS_NUM_THREADS": "1"})  # noqa: S603
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed")
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - started


def compare(kind: str, files: int, runs: int, megabits: float | None) -> dict[str, float]:
    """Return medians of CPU and wall seconds, and the ratios to the floor; the ways take turns."""
    line = [Rule(Line(0.05, megabits * 125_000), origin="media")] if megabits else []
    with tempfile.TemporaryDirectory() as place:
        source = make_recording(Path(place), kind, _SECONDS)
        with serving([StoredFile(source)] * files, place, line):
            results: dict[str, list[tuple[float, float, float]]] = {way: [] for way in _WAYS}
            for _, way in product(range(runs), _WAYS):
                floor, _ = measured("benchmarks.audio_contestants", "floor", f"{source}", f"{place}/floor.flac")
                shutil.rmtree(f"{place}/data", ignore_errors=True)
                cpu, wall = measured("benchmarks.audio_sync", "--sync", way)
                results[way].append((cpu, wall, cpu / (floor * files)))
                print(f"{kind} {way}: {cpu:.1f} CPU s, floor {floor * files:.1f}", file=sys.stderr, flush=True)
    hours = files * _SECONDS / 3600
    figures: dict[str, float] = {}
    for way, of_runs in results.items():
        cpu, wall, ratio = (statistics.median(values) for values in zip(*of_runs, strict=True))
        figures |= {f"{way}_cpu_seconds_an_hour": cpu / hours, f"{way}_wall_seconds_an_hour": wall / hours}
        figures[f"{way}_cpu_vs_floor"] = ratio
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=8, help="half hours of the day")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--megabits", type=float, help="rate of each connection to the media host, Mbit/s")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    parser.add_argument("--sync", choices=_WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.sync:
        sync(options.sync)
        return
    results = {kind: compare(kind, options.files, options.runs, options.megabits) for kind in _INPUTS}
    if options.json:
        print(json.dumps({kind: {name: round(value, 3) for name, value in of.items()} for kind, of in results.items()}))
        return
    for kind, figures in results.items():
        print(kind, *(f"  {name:32} {value:7.2f}" for name, value in figures.items()), sep="\n")


if __name__ == "__main__":
    main()
