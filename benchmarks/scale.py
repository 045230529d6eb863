"""How a day grows: `python -m benchmarks.scale [--recordings N ...] [--json]`; and how a year is read.

For each number of recordings a sandbox serves a day of them (MP3s of one second, 100 a page, no request limits). The
day is synced, synced again with nothing changed, and looked at by the sensor, each in a process of its own. Then a
catalog of a year with 10,000 rows a day is opened for one day by DuckDB, pandas and `read_catalog`.
"""

import argparse
import contextlib
import json
import multiprocessing
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.serving import DAY, serving
from recall_pipeline.days import start_of
from recall_pipeline.settings import Settings
from recall_sandbox.speech import Speech

TALK = Speech(1)
YEAR = 2025
ROWS_A_DAY = 10_000


@dataclass(frozen=True)
class Measured:
    """The cost of one step; memory is the peak of the step's process."""

    step: str
    recordings: int
    api_requests: int
    wall_seconds: float
    cpu_seconds: float
    peak_mib: float
    written_mib: float
    at_default_budget_seconds: float


@dataclass(frozen=True)
class Opened:
    """The time to read one day of a year."""

    reader: str
    rows: int
    wall_seconds: float
    read_mib: float
    year_mib: float


def main() -> None:
    """Run the benchmark and print its tables or one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=int, nargs="*", default=[1_000, 5_000, 20_000])
    parser.add_argument("--without-year", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    steps: list[Measured] = []
    for count in options.recordings:
        for measured in day_of(count):
            steps.append(measured)
            if not options.json:
                _print_row(measured)
    opened = [] if options.without_year else year()
    if options.json:
        print(json.dumps({"steps": [asdict(step) for step in steps], "year": [asdict(each) for each in opened]}))
    for each in opened if not options.json else []:
        print(
            f"{each.reader:14} {each.rows:6} rows {each.wall_seconds:6.2f} s, "
            f"{each.read_mib:.1f} of {each.year_mib:.0f} MiB read"
        )


def _print_row(step: Measured) -> None:
    print(
        f"{step.recordings:6} {step.step:14} {step.api_requests:4} requests {step.wall_seconds:8.1f} s wall "
        f"{step.cpu_seconds:8.1f} s CPU {step.peak_mib:6.0f} MiB peak {step.written_mib:7.1f} MiB written "
        f"(at the default budget {step.at_default_budget_seconds:.0f} s)",
        flush=True,
    )


def day_of(count: int) -> Iterator[Measured]:
    """Sync a day with this many recordings, sync it again, and run the sensor."""
    with tempfile.TemporaryDirectory() as folder, serving([TALK] * count, folder):
        for step in ("first sync", "no change", "sensor tick"):
            yield apart(step, count)


def apart(step: str, count: int) -> Measured:
    """Run a step in a fresh process, whose memory and CPU are its own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(step, count, there))
    process.start()
    there.close()  # else a step that failed would be waited for
    measured: Measured = here.recv()
    process.join()
    return measured


def _run(step: str, count: int, parent: Connection) -> None:
    import recall_pipeline.definitions  # noqa: F401  what Dagster costs to import is not the day's

    work = tick if step == "sensor tick" else sync
    cpu, wall, written = _cpu_seconds(), time.perf_counter(), _io("write_bytes")
    requests = work()
    wall, cpu = time.perf_counter() - wall, _cpu_seconds() - cpu
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    list_rpm = Settings.model_fields["list_rpm"].default
    waiting = max(0.0, (requests / 3 - list_rpm) / list_rpm * 60)
    written_mib = (_io("write_bytes") - written) / 2**20
    parent.send(Measured(step, count, requests, wall, cpu, peak_mib, written_mib, wall + waiting))


def sync() -> int:
    """Run `sync_day` for the day; return the number of requests to the API."""
    import dagster as dg

    from recall_pipeline.defs import RunContext, build_definitions

    settings = Settings.from_environment()
    run_context = RunContext(settings, [DAY])
    with dg.DagsterInstance.get() as instance:
        result = (
            build_definitions(settings)
            .resolve_job_def("sync_day")
            .execute_in_process(
                instance=instance,
                partition_key=DAY.isoformat(),
                resources={"run_context": dg.ResourceDefinition.hardcoded_resource(run_context)},
                run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}},
            )
        )
    assert result.success
    return run_context.stats.api_requests


def tick() -> int:
    """Tick the sensor once; return the number of requests that the budget counted."""
    import sqlite3

    import dagster as dg

    from recall_pipeline.defs import build_definitions
    from recall_pipeline.settings import dagster_home

    ledger = dagster_home() / "recall_budget.sqlite"
    ledger.unlink(missing_ok=True)
    definitions = build_definitions(Settings.from_environment())
    sensor = definitions.get_repository_def().get_sensor_def("finished_bots")
    with dg.DagsterInstance.get() as instance:
        result = sensor(dg.build_sensor_context(instance=instance, cursor=None))
    assert isinstance(result, dg.SensorResult | dg.SkipReason)
    with contextlib.closing(sqlite3.connect(ledger)) as noted:
        return int(noted.execute("SELECT count(*) FROM sent").fetchone()[0])


def year() -> list[Opened]:
    """Write a catalog of a year, and open a day of it with each reader."""
    day = date(YEAR, 7, 1)
    with tempfile.TemporaryDirectory() as folder:
        _write_year(folder)
        files = f"{folder}/audio_catalog"
        size_mib = sum(path.stat().st_size for path in Path(files).rglob("*.parquet")) / 2**20
        readers: dict[str, Callable[[], int]] = {
            "duckdb": lambda: _with_duckdb(files, day),
            "pandas": lambda: _with_pandas(files, day),
            "read_catalog": lambda: _with_read_catalog(folder, day),
        }
        return [_opened(name, read, size_mib) for name, read in readers.items()]


def _write_year(folder: str) -> None:
    """Write one day and copy it to 365 files of the same size."""
    from recall_pipeline.catalog import CATALOG, CatalogRow
    from recall_pipeline.storage import Layout, open_archive

    archive = open_archive(Settings(storage_url=folder))
    first = date(YEAR, 1, 1)
    CATALOG.write(archive, first, [_row(CatalogRow, number) for number in range(ROWS_A_DAY)])
    written = archive.local_path(Layout.table("audio_catalog", first))
    for number in range(1, 365):
        copy = archive.local_path(Layout.table("audio_catalog", first + timedelta(days=number)))
        copy.parent.mkdir()
        shutil.copyfile(written, copy)


def _row(kind: Any, number: int) -> Any:
    """Return a row whose identifying columns are unique."""
    import hashlib

    def hexed(name: str) -> str:
        return hashlib.sha256(f"{name} {number}".encode()).hexdigest()

    start: datetime = start_of(date(YEAR, 1, 1)) + timedelta(seconds=8 * number)
    return kind(
        recording_id=hexed("recording")[:36],
        audio_id=hexed("audio")[:36],
        bot_id=hexed("bot")[:36],
        bot_name="Archive Bot",
        platform="zoom",
        meeting_id=hexed("meeting")[:11],
        outcome="ready",
        upstream_status="done",
        created_at=start,
        started_at=start,
        completed_at=start + timedelta(seconds=1800 + number % 997),
        cataloged_at=start + timedelta(hours=1),
        recording_seconds=1800.0 + number % 997,
        duration_seconds=1800.0 + number % 997 + number / 1e4,
        source_uri=f"s3://bucket/prefix/mixed_audio/{hexed('source')}",
        source_sha256=hexed("source bytes"),
        source_bytes=21_000_000 + number,
        audio_uri=f"s3://bucket/prefix/normalized_audio/{hexed('uri')}",
        audio_sha256=hexed("audio bytes"),
        audio_bytes=40_000_000 + number,
        audio_lufs=-16.0,
        gain_db=number / 1e3,
        metadata='{"team": "sales"}',
        waveform="▁▂▃▄▅▆▇█" * 7,
    )


def _opened(name: str, read: Callable[[], int], size_mib: float) -> Opened:
    read()  # once for what a library loads at its first call
    before, started = _io("rchar"), time.perf_counter()
    rows = read()
    return Opened(name, rows, time.perf_counter() - started, (_io("rchar") - before) / 2**20, size_mib)


def _with_duckdb(files: str, day: date) -> int:
    import duckdb

    with duckdb.connect() as connection:
        query = f"FROM read_parquet('{files}/*/*.parquet', hive_partitioning = true) WHERE day = '{day}'"
        return len(connection.sql(query).fetchall())


def _with_pandas(files: str, day: date) -> int:
    import pandas as pd

    return len(pd.read_parquet(files, filters=[("day", "==", f"{day}")]))


def _with_read_catalog(folder: str, day: date) -> int:
    from recall_pipeline.catalog import read_catalog

    return len(read_catalog(first=day, last=day, settings=Settings(storage_url=folder)))


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _io(counter: str) -> int:
    """Return a counter of this process and the children it has waited for (proc(5), /proc/pid/io)."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)[counter])


if __name__ == "__main__":
    main()
