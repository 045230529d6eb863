"""How fast the archive page answers: `python -m benchmarks.page [--quick] [--storage s3://bucket/prefix] [--json]`.

Writes a catalog of 365 days with 10,000 rows each and transcripts of 100,000 lines, and an audio file of eight hours.
Measures, over HTTP: the first page of a server that was just started, with and without summaries of an earlier one; a
search; and the bytes read from the storage for ten seconds out of the middle of the file. With `make bench`, Datasette
serves the same rows and lines from SQLite, for the first two. `--storage` is a new place; the standard AWS variables
apply. `--quick` writes a tenth of the rows.
"""

import argparse
import contextlib
import importlib.util
import json
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

import httpx

from recall_pipeline.browse import ArchivePage, page_server
from recall_pipeline.browse.transcripts import TRANSCRIPT_TEXTS, TranscriptText
from recall_pipeline.catalog import CATALOG, CatalogRow
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, Layout, open_archive

FIRST, DAYS = date(2025, 7, 1), 365
LINES_A_TRANSCRIPT, TRANSCRIPTS = 100, 1000
AUDIO_SECONDS, AUDIO_BYTES = 8 * 3600, 8 * 3600 * 16_000  # FLAC of speech: 16 kB a second
OUTCOMES = ("ready",) * 17 + ("not_requested", "corrupt", "deleted")
WORDS = ("budget", "review", "quarter", "release", "customer", "hiring", "contract", "design", "meeting", "plan")
REPEATS = 7


@dataclass(frozen=True, slots=True)
class Result:
    """Seconds, the fastest of some runs, and bytes read. A first page without summaries shows the days read by then."""

    rows: int
    lines: int
    first_page_seconds: float
    first_page_without_summaries_seconds: float
    all_days_read_seconds: float
    all_days_indexed_seconds: float
    search_seconds: float
    ten_seconds_of_audio_bytes: int
    open_range_bytes: int
    datasette_first_page_seconds: float | None = None
    datasette_search_seconds: float | None = None


def main() -> None:
    """Run the benchmark, and print a table or one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--storage")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder  # the page's own files too
        archive = open_archive(Settings(storage_url=options.storage or f"{folder}/archive"))
        rows_a_day = 1_000 if options.quick else 10_000
        audio = _fill(archive, rows_a_day)
        database = Path(folder) / "rows.db" if importlib.util.find_spec("datasette") and not options.storage else None
        result = _measured(archive, audio, rows_a_day, database)
    if options.json:
        print(json.dumps(asdict(result)))
    else:
        for name, value in asdict(result).items():
            print(f"{name:45} {value if value is None or isinstance(value, int) else round(value, 4)}")


def _fill(archive: Archive, rows_a_day: int) -> str:
    """Write the archive, and return the address of the audio."""
    rows = [_row(FIRST, n) for n in range(rows_a_day)]
    CATALOG.write(archive, FIRST, rows, {"listed_at": f"{FIRST}T03:00:00+00:00"})
    content = archive.read(CATALOG.key(FIRST)) or b""
    for number in range(DAYS):  # every day has the same rows: only their number counts here
        day = FIRST + timedelta(days=number)
        with archive.staged_file() as staged:
            staged.write_bytes(content)
            archive.publish(staged, CATALOG.key(day))
        share = range(TRANSCRIPTS * number // DAYS, TRANSCRIPTS * (number + 1) // DAYS)
        TRANSCRIPT_TEXTS.write(archive, day, [_transcript(rows[n % len(rows)], n) for n in share])
    day, long = FIRST + timedelta(days=DAYS), _row(FIRST, 0)
    key = Layout.normalized(day, long.recording_id, long.audio_id or "", "flac")
    with archive.staged_file() as staged:
        staged.write_bytes(bytes(AUDIO_BYTES))
        archive.publish(staged, key)
    CATALOG.write(archive, day, [CatalogRow(**{**asdict(long), "audio_key": key, "duration_seconds": AUDIO_SECONDS})])
    return f"/days/{day}/{long.recording_id}/{long.audio_id}/normalized"


def _row(day: date, number: int) -> CatalogRow:
    recording = UUID(int=day.toordinal() << 64 | number << 8)
    outcome = OUTCOMES[number % len(OUTCOMES)]
    return CatalogRow(
        recording_id=str(recording),
        audio_id=str(UUID(int=recording.int + 1)) if outcome == "ready" else None,
        bot_id=str(UUID(int=recording.int + 2)),
        bot_name=f"Notetaker {number % 7}",
        platform=("zoom", "google_meet", "microsoft_teams")[number % 3],
        outcome=outcome,
        created_at=datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=8 * number),
        duration_seconds=1800.0 if outcome == "ready" else None,
        findings=["duration_differs"] if number % 50 == 0 else [],
        metadata=json.dumps({"team": f"team {number % 40}"}),
    )


def _transcript(row: CatalogRow, number: int) -> TranscriptText:
    texts = (
        f"{WORDS[n % 10]} {WORDS[(n * 7 + number) % 10]} number {number * 100 + n}" for n in range(LINES_A_TRANSCRIPT)
    )
    return TranscriptText(
        row.recording_id, row.audio_id, None, "en", "none",
        [{"start_seconds": n * 5.0, "end_seconds": n * 5.0 + 5, "text": text} for n, text in enumerate(texts)],
    )  # fmt: skip


def _measured(archive: Archive, audio: str, rows_a_day: int, database: Path | None) -> Result:
    read = _counting(archive)
    with _served(archive) as (page, client):
        cold = _seconds(lambda: _ok(client.get("/")))
        began = time.perf_counter()
        while "being read now, and" in client.get("/").text:
            time.sleep(0.2)
        all_read = time.perf_counter() - began + cold
        indexed = _seconds(page.pages.indexer.update)
        search = _slowest(
            client, "/search", [{"q": word} for word in ("budget", "review number 4", "hiring plan", "4711")]
        )
        parts = _audio_bytes(client, audio, read)
    first = min(_first_page(archive) for _ in range(REPEATS))
    theirs = _datasette(archive, database) if database else (None, None)
    rows = DAYS * rows_a_day
    return Result(rows, LINES_A_TRANSCRIPT * TRANSCRIPTS, first, cold, all_read, indexed, search, *parts, *theirs)


def _first_page(archive: Archive) -> float:
    """Return the seconds of the first answer of a server that was just started."""
    with _served(archive) as (_, client):
        return _seconds(lambda: _ok(client.get("/")))


def _counting(archive: Archive) -> list[int]:
    """Return the numbers of bytes that `archive` reads by range from now on."""
    read, whole = list[int](), archive.read_range

    def counted(key: str, start: int, end: int) -> bytes | None:
        read.append(end - start)
        return whole(key, start, end)

    archive.read_range = counted  # type: ignore[method-assign]
    return read


def _audio_bytes(client: httpx.Client, audio: str, read: list[int]) -> tuple[int, int]:
    """Return the bytes read for ten seconds: of a range that ends, and of an open one that the client stops reading."""
    middle, wanted = AUDIO_BYTES // 2, 10 * AUDIO_BYTES // AUDIO_SECONDS
    read.clear()
    _ok(client.get(audio, headers={"Range": f"bytes={middle}-{middle + wanted - 1}"}))
    closed = sum(read)
    read.clear()
    with client.stream("GET", audio, headers={"Range": f"bytes={middle}-"}) as stream:
        taken = 0
        for piece in stream.iter_raw(16_384):
            taken += len(piece)
            if taken >= wanted:
                break
        time.sleep(1)  # what the server reads ahead until its buffers are full
    return closed, sum(read)


@contextlib.contextmanager
def _served(archive: Archive) -> Iterator[tuple[ArchivePage, httpx.Client]]:
    page, listener = ArchivePage(archive), socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 128 * 1024)  # as the command does
    page.warm_up()
    server = page_server(page)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        with httpx.Client(base_url=address, trust_env=False, timeout=600) as client:
            _ok(client.get("/health"))
            yield page, client
    finally:
        server.should_exit = True
        thread.join()
        page.close()


def _datasette(archive: Archive, database: Path) -> tuple[float, float]:
    """Return the seconds of Datasette's first page of outcomes by day, and of its search of the same lines."""
    _write_database(archive, database)
    port = _free_port()
    program = [
        sys.executable,
        "-m",
        "datasette",
        str(database),
        "--port",
        str(port),
        "--setting",
        "sql_time_limit_ms",
        "60000",
    ]
    with subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=600) as client:
                _wait_for(client)
                sql = "select day, outcome, count(*), sum(duration_seconds) from catalog group by day, outcome"
                first = _seconds(lambda: _ok(client.get(f"/rows?{urlencode({'sql': sql})}", follow_redirects=True)))
                search = _slowest(
                    client, "/rows/lines", [{"_search": word} for word in ("budget", "hiring plan", "4711")]
                )
                return first, search
        finally:
            process.terminate()


def _write_database(archive: Archive, path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute(
        "CREATE TABLE catalog (day, recording_id, outcome, platform, bot_name, duration_seconds, metadata)"
    )
    database.execute("CREATE TABLE lines (id INTEGER PRIMARY KEY, recording_id, start, text)")
    names = ("recording_id", "outcome", "platform", "bot_name", "duration_seconds", "metadata")
    for day in archive.days("audio_catalog"):
        rows = CATALOG.read_columns(archive, day, *names)
        database.executemany("INSERT INTO catalog VALUES (?, ?, ?, ?, ?, ?, ?)", ((str(day), *row) for row in rows))
        for text in TRANSCRIPT_TEXTS.read(archive, day) or ():
            lines = ((text.recording_id, line["start_seconds"], line["text"]) for line in text.segments or ())
            database.executemany("INSERT INTO lines (recording_id, start, text) VALUES (?, ?, ?)", lines)
    database.execute("CREATE INDEX by_day ON catalog (day, outcome)")
    database.execute("CREATE VIRTUAL TABLE lines_fts USING fts5(text, content=lines, content_rowid=id)")
    database.execute("INSERT INTO lines_fts (lines_fts) VALUES ('rebuild')")
    database.commit()
    database.close()


def _wait_for(client: httpx.Client) -> None:
    for _ in range(600):
        with contextlib.suppress(httpx.HTTPError):
            if client.get("/-/versions.json").is_success:
                return
        time.sleep(0.1)
    raise TimeoutError("Datasette does not answer")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _slowest(client: httpx.Client, path: str, queries: list[dict[str, str]]) -> float:
    """Return the seconds of the slowest query, the fastest of its runs."""
    return max(
        min(_seconds(lambda: _ok(client.get(path, params=query))) for _ in range(REPEATS))  # noqa: B023
        for query in queries
    )


def _ok(answer: httpx.Response) -> None:
    assert answer.is_success, answer.text


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
