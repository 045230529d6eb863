"""How memory grows with an archive: `python -m benchmarks.readers [--days 30 300] [--recordings 1000] [--json]`.

Writes the tables of archives with so many days, kept and erased ones, without audio. Then each reader of many days
runs in a process of its own. The ratio compares the peak memory of the most days with that of the fewest. `--storage`
is a new folder for the archives, which stay there; the default is a temporary one.
"""

import argparse
import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recall_pipeline.days import ONE_DAY, end_of, start_of, utc_now
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, Table, open_archive

if TYPE_CHECKING:
    import pyarrow as pa

_IMPORTED = (
    *("pyarrow.compute", "pyarrow.parquet", "recall_transcripts.due_days"),
    *(f"recall_pipeline.{name}" for name in ("catalog", "erasure", "upstream_deletion")),
)


@dataclass(frozen=True)
class Measured:
    """The cost of one reader; memory is what the process had at its peak more than after its imports."""

    reader: str
    days: int
    recordings: int
    seconds: float
    cpu_seconds: float
    peak_mib: float
    growth_mib: float


def main() -> None:
    """Run the benchmark and print its table, or one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, nargs="+", default=[30, 300])
    parser.add_argument("--recordings", type=int, default=1000, help="per day")
    parser.add_argument("--readers", nargs="+", choices=READERS, default=list(READERS))
    parser.add_argument("--storage", help="a new folder for the archives, or one of an earlier run")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(options.storage or temporary)
        for days in options.days:
            write_archives(folder / f"{days}x{options.recordings}", days, options.recordings)
        steps = []
        for name in options.readers:
            steps += [_apart(folder, name, days, options.recordings) for days in options.days]
            if not options.json:
                _print(steps[-len(options.days) :])
    if options.json:
        print(json.dumps([asdict(step) for step in steps]))


def _print(steps: list[Measured]) -> None:
    for step in steps:
        print(
            f"{step.reader:28} {step.days:4} days {step.recordings:7} recordings {step.seconds:7.2f} s "
            f"{step.cpu_seconds:7.2f} s CPU {step.peak_mib:5.0f} MiB peak, {step.growth_mib:5.0f} above imports"
        )
    print(f"{steps[0].reader:28} ratio {steps[-1].peak_mib / steps[0].peak_mib:.2f}", flush=True)


def _apart(folder: Path, name: str, days: int, a_day: int) -> Measured:
    """Run a reader in a fresh process, whose memory and CPU are its own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    kind = "erased" if name.endswith("erased before") else "kept"
    root = folder / f"{days}x{a_day}" / kind
    process = context.Process(target=_run, args=(str(root), name, days, a_day, there))
    process.start()
    there.close()  # else a reader that failed would be waited for
    measured: Measured = here.recv()
    process.join()
    return measured


def _run(root: str, name: str, days: int, a_day: int, parent: Connection) -> None:
    for module in _IMPORTED:  # what imports cost is not the reader's
        import_module(module)

    first = utc_now().date() - timedelta(days=days)
    settings = Settings(storage_url=root, start_date=first, retention_limit=10**9)
    archive = open_archive(settings)
    before, cpu, began = _peak_mib(), time.process_time(), time.perf_counter()
    READERS[name](archive, settings)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    parent.send(Measured(name, days, days * a_day, seconds, cpu, _peak_mib(), _peak_mib() - before))


def _peak_mib() -> float:
    """Return the peak memory of this process; `ru_maxrss` would have that of the parent."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def _due(archive: Archive, settings: Settings) -> None:
    from recall_pipeline.catalog import days_due

    assert days_due(archive, settings, utc_now()).first_day


def _to_transcribe(archive: Archive, settings: Settings) -> None:
    from recall_transcripts.due_days import days_to_transcribe

    assert days_to_transcribe(archive, settings.start_date, utc_now().date())


def _forget(archive: Archive, settings: Settings) -> None:
    from recall_pipeline.erasure import plan_for_request, preview

    recording_id = _id("recording", settings.start_date, 0)
    plan = plan_for_request(archive, recording_id=recording_id)
    assert preview(archive, plan).recordings == 1


def _retention(archive: Archive, settings: Settings) -> None:
    from recall_pipeline.erasure import preview, retention_plan

    preview(archive, retention_plan(archive, settings, 3))


def _release(archive: Archive, _: Settings) -> None:
    from recall_pipeline.upstream_deletion import days_older_than, estimate_deletion

    assert estimate_deletion(archive, days_older_than(archive, 1, utc_now())).mp3s


READERS: dict[str, Callable[[Archive, Settings], None]] = {
    "days due": _due,
    "daily_transcripts": _to_transcribe,
    "forget --recording": _forget,
    "retention": _retention,
    "retention, all erased before": _retention,
    "release": _release,
}


def write_archives(folder: Path, days: int, a_day: int) -> None:
    """Write the tables of an archive with recordings, and of one where all but those of the last days are erased."""
    if folder.exists():
        return
    first = utc_now().date() - timedelta(days=days)
    for kind in ("kept", "erased"):
        archive = open_archive(Settings(storage_url=str(folder / kind)))
        templates = [(table, table.content(rows)) for table, rows in _rows(a_day, first)]
        for number in range(days):
            day = first + number * ONE_DAY
            is_erased = kind == "erased" and days - number > 3
            for table, content in templates:
                _write(archive, table, _redacted(table, content) if is_erased else content, day)
            if is_erased:
                _write_audit(archive, day, a_day)


def _rows(a_day: int, day: date) -> Iterator[tuple[Table[Any], list[Any]]]:
    """Yield the rows of a day with placeholders for their ids."""
    from recall_pipeline.catalog import CATALOG, CatalogRow
    from recall_pipeline.discovery import BOTS, RECORDINGS, BotRow, RecordingRow
    from recall_pipeline.download import MIXED_AUDIO, MixedAudioRow
    from recall_transcripts.rows import TRANSCRIPTS, TranscriptRow

    moment, sha256, text = start_of(day), "0123456789abcdef" * 4, "what was said in the meeting " * 20
    yield BOTS, [BotRow("", "Notetaker", is_finished=True, media_expired=False)] * a_day
    yield RECORDINGS, [RecordingRow("", moment, bot_id="", bot_name="Notetaker", metadata='{"team": "sales"}')] * a_day
    mp3 = MixedAudioRow("", "", status_code="done", state="archived", updated_at=moment, captured_updated_at=moment)
    yield MIXED_AUDIO, [replace(mp3, source_bytes=1, source_sha256=sha256)] * a_day
    row = CatalogRow("", "", bot_id="", outcome="ready", created_at=moment, audio_sha256=sha256, findings=[])
    yield CATALOG, [replace(row, outcome_reason="x" * 40, waveform="▁▂▃▄▅▆▇█" * 7, bot_name="Notetaker")] * a_day
    transcript = TranscriptRow("", "", sha256, 1.0, "en", text, [], 100, "model", sha256, 1.0, moment)
    yield TRANSCRIPTS, [transcript] * (a_day - 1)


def _write(archive: Archive, table: Table[Any], content: "pa.Table", day: date) -> None:
    """Write the rows with ids of the day, and as listed after its end."""
    import pyarrow as pa

    for name in ("bot", "recording", "audio"):
        if f"{name}_id" in content.column_names:
            ids = pa.array([_id(name, day, number) for number in range(len(content))], pa.string())
            index = content.schema.get_field_index(f"{name}_id")
            content = content.set_column(index, content.schema.field(index), ids)
    facts = {b"recall_pipeline.fact.listed_at": f"{end_of(day).isoformat()}".encode()}
    table.publish(
        archive, table.key(day), content.replace_schema_metadata({**(content.schema.metadata or {}), **facts})
    )


def _redacted(table: Table[Any], content: "pa.Table") -> "pa.Table":
    from recall_pipeline.catalog import CATALOG
    from recall_pipeline.discovery import BOTS, RECORDINGS
    from recall_pipeline.download import MIXED_AUDIO

    if table not in (BOTS, RECORDINGS, MIXED_AUDIO, CATALOG):
        return content.slice(0, 0)
    return table.content(
        [row.redacted() for row in content.slice(0, 1).to_pylist() for row in [table.row(**row)]] * len(content)
    )


def _write_audit(archive: Archive, day: date, a_day: int) -> None:
    from recall_pipeline.audit import AUDIT, FORGOTTEN, AuditRow

    now, removed = utc_now(), json.dumps([{"key": "mixed_audio/" + "x" * 100, "bytes": 1, "sha256": "0" * 64}] * 2)
    rows = [
        AuditRow(
            FORGOTTEN,
            _id("recording", day, number),
            None,
            _id("bot", day, number),
            "retention",
            now,
            now,
            2,
            2,
            removed,
        )
        for number in range(a_day)
    ]
    rows += [AuditRow(FORGOTTEN, None, None, _id("bot", day, number), "retention", now, now) for number in range(a_day)]
    content = AUDIT.content(rows)
    for key in (AUDIT.own_key(day), AUDIT.key(day)):
        AUDIT.publish(archive, key, content)


def _id(kind: str, day: date, number: int) -> str:
    """Return an id of the form of a UUID that is unique in the archive."""
    return f"{day:%Y%m%d}-{number:04x}-4000-8000-{sum(kind.encode()):012x}"[:36]


if __name__ == "__main__":
    main()
