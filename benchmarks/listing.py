"""Memory of a large day: `python -m benchmarks.listing [--recordings N] [--days D] [--without-media] [--json]`.

The rows of D neighbouring days, and the bots of the day before and after, are put into the file of a listing as a walk
does it, page by page, with links of 1 kB. Then `bots`, `recordings` and `mixed_audio` of each day are made from it, and
the catalog is written. The process has all of Dagster in it, and no sandbox.

Bytes are neither fetched nor decoded: each MP3 counts as half an hour that was downloaded and normalized, and what a
sync keeps of it is written, with files of one byte. With --without-media no MP3 is downloaded.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import json
import resource
import sys
import tempfile
from array import array
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock, patch
from uuid import UUID

from benchmarks.serving import DAY, PAGE_SIZE
from recall_pipeline.days import ONE_DAY, start_of, utc_now
from recall_pipeline.settings import Settings
from recall_sandbox.content import body_of
from recall_sandbox.speech import Speech

_PEAKS = 2_000  # of half an hour
_LINK = "https://recallai-production-bot-data.s3.amazonaws.com/{}.mp3?X-Amz-Security-Token={}"


def main() -> None:
    """Measure and print, as a table or one line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.listing", description=__doc__)
    parser.add_argument("--recordings", type=int, default=50_000)
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--without-media", action="store_true", help="download nothing")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        steps = asyncio.run(_measure(options, Path(folder)))
    if options.json:
        print(json.dumps(steps))


async def _measure(options: argparse.Namespace, folder: Path) -> dict[str, dict[str, float]]:
    import recall_pipeline.definitions  # noqa: F401  what Dagster costs to import is not the day's
    from recall_pipeline.catalog import EarlyNormalization, sync_catalog
    from recall_pipeline.discovery import sync_bots, sync_recordings
    from recall_pipeline.download import sync_mp3s
    from recall_pipeline.recall_api import Listing, Upstream
    from recall_pipeline.recall_api.listing_spool import MOST_LINKS, ListingSpool, spool_file
    from recall_pipeline.storage import open_archive, open_day

    steps: dict[str, dict[str, float]] = {}

    def note(name: str) -> None:
        steps[name] = step = _used()
        if not options.json:
            print(f"{name:26} {step['peak_mib']:6.0f} MiB peak {step['cpu_seconds']:7.1f} s CPU", flush=True)

    note("imports")
    settings = Settings(storage_url=str(folder / "data"), retention_days=1 if options.without_media else None)
    archive = open_archive(settings)
    days = [DAY + number * ONE_DAY for number in range(1 - options.days, 1)]
    spool = ListingSpool(spool_file(archive.open_staging_folder(), days[0], DAY), "benchmark")
    spool.most_links = MOST_LINKS if options.days > 1 else sys.maxsize
    walk(spool, options.recordings, days)
    note("listing")
    client = AsyncMock(unknowns_looked_up=Mock(return_value={}))  # nothing is looked up
    upstream = Upstream(client, Listing(days[0], DAY, utc_now(), utc_now(), spool))
    for each in days:
        if spool.lacks_links(each):
            renew_links(spool, options.recordings, each)
        with open_day(archive, each) as day:
            await sync_bots(day, upstream)
        note(f"bots of {each}")
        with open_day(archive, each) as day:
            await sync_recordings(day, upstream)
        note(f"recordings of {each}")
        replaced = patch(f"{sync_mp3s.__module__}.open_downloader", _downloaded)
        with open_day(archive, each) as day, replaced:
            await sync_mp3s(day, upstream, settings, early=EarlyNormalization(day, settings))
        if each == DAY:
            spool.close()
        note(f"mixed_audio of {each}")
        with open_day(archive, each) as day:
            sync_catalog(day, settings)
        note(f"audio_catalog of {each}")
    return steps


@contextlib.asynccontextmanager
async def _downloaded(client: Any, archive: Any, settings: Settings, day: date, *rest: Any) -> AsyncIterator[Any]:
    """Give what stands for a downloader: for each MP3 it records the result of one that was really normalized."""
    from recall_pipeline.audio import Peaks, normalize
    from recall_pipeline.catalog.normalization import target_of
    from recall_pipeline.download.decode_check import DecodeCheck
    from recall_pipeline.download.one_download import Downloader, _with_check

    with archive.staged_file(suffix=".mp3") as source, archive.staged_file(suffix=".flac") as output:
        source.write_bytes(body_of(Speech(1)))
        result = normalize(source, output, target_of(settings))
    peaks = Peaks(0.9, array("b", [-90] * _PEAKS), array("b", [90] * _PEAKS))
    result, early = dataclasses.replace(result, peaks=peaks, audio_bytes=1), rest[-1]

    async def download(row: Any, _: Any) -> Any:
        check = DecodeCheck(1, f"{int(row.audio_id[-12:], 16):064x}", result.source, None)
        row = _with_check(row, check, f"mixed_audio/day={day}/{row.recording_id}-{row.audio_id}.mp3")
        with archive.staged_file(suffix=".flac") as staged:
            staged.write_bytes(b"x")
            early.publish(row, staged, dataclasses.replace(result, audio_sha256=check.sha256))
        return row

    real = Downloader(client, archive, None, None, day)  # type: ignore[arg-type]
    transfer = SimpleNamespace(bytes_received=0)
    yield SimpleNamespace(archive=archive, partial=real.partial, download=download, transfer=transfer)


def walk(spool: Any, count: int, days: Sequence[date]) -> None:
    """Put the pages of three lists into a spool, `count` rows for each day, and the bots of a day before and after."""
    numbers = range(_number(days[0], count), _number(days[-1] + ONE_DAY, count))
    _walk(spool, "bot", range(numbers.start - count, numbers.stop + count), count)
    _walk(spool, "recording", numbers, count)
    _walk(spool, "audio_mixed", numbers, count)


def renew_links(spool: Any, count: int, day: date) -> None:
    """List the artifacts of one day again."""
    spool.links.clear()
    spool.most_links = sys.maxsize
    spool.rewind("audio_mixed")
    _walk(spool, "audio_mixed", range(_number(day, count), _number(day + ONE_DAY, count)), count)


def _walk(spool: Any, kind: str, numbers: range, count: int) -> None:
    from recall_pipeline.recall_api.records import AudioMixed, Bot, Recording, read_record

    kinds: dict[str, tuple[type[Any], Callable[[int, int], dict[str, Any]]]] = {
        "bot": (Bot, _bot),
        "recording": (Recording, _recording),
        "audio_mixed": (AudioMixed, _audio),
    }
    record, row = kinds[kind]
    spool.begin(kind)
    for first in range(0, len(numbers), PAGE_SIZE):
        page = numbers[first : first + PAGE_SIZE]
        rows: list[Any] = [(read_record(record, row(number, count)), frozenset()) for number in page]
        spool.add_page(kind, rows, "next" if page[-1] != numbers[-1] else None)


def _number(day: date, count: int) -> int:
    """Return the number of the first row of a day."""
    return (day - DAY).days * count


def _bot(number: int, count: int) -> dict[str, Any]:
    at = _moment(number, count)
    codes = ("ready", "joining_call", "in_waiting_room", "in_call_recording", "call_ended", "recording_done", "done")
    return {
        "id": _id(1, number),
        "bot_name": "Archive Bot",
        "meeting_url": {"platform": "zoom", "meeting_id": f"{8 * 10**10 + number}"},
        "metadata": {"team": "sales", "meeting": f"{number}"},
        "recording_config": {"audio_mixed_mp3": {}},
        "join_at": at.isoformat(),
        "status_changes": [{"code": code, "created_at": at.isoformat()} for code in codes],
        "recordings": [_recording(number, count)],
    }


def _recording(number: int, count: int) -> dict[str, Any]:
    at = _moment(number, count).isoformat()
    return {
        "id": _id(2, number),
        "created_at": at,
        "started_at": at,
        "completed_at": at,
        "expires_at": (_moment(number, count) + timedelta(days=7)).isoformat(),
        "status": {"code": "done", "updated_at": at},
        "media_shortcuts": {"audio_mixed": _audio(number, count)},
        "bot": {"id": _id(1, number)},
        "metadata": {"team": "sales", "meeting": f"{number}"},
    }


def _audio(number: int, count: int) -> dict[str, Any]:
    at = _moment(number, count).isoformat()
    return {
        "id": _id(3, number),
        "recording": {"id": _id(2, number)},
        "created_at": at,
        "status": {"code": "done", "updated_at": at},
        "data": {"download_url": _LINK.format(_id(3, number), f"{number:032d}" * 30)},
        "format": "mp3",
    }


def _moment(number: int, count: int) -> datetime:
    return start_of(DAY) + ONE_DAY * (number / count)


def _id(kind: int, number: int) -> str:
    return str(UUID(int=(kind << 96) + (1 << 80) + number))  # numbers of days before are negative


def _used() -> dict[str, float]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {"peak_mib": usage.ru_maxrss / 1024, "cpu_seconds": usage.ru_utime + usage.ru_stime}


if __name__ == "__main__":
    main()
