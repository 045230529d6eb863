"""Memory of a large day's listing and tables: `python -m benchmarks.listing [--recordings N] [--json]`.

The rows of a day, and the bots of both neighbouring days, are put into the file of a listing as a walk does it, page by
page, with links of 1 kB. Then `bots`, `recordings` and the rows of `mixed_audio` are made from it, without downloads,
and the catalog is written. The process has all of Dagster in it, and no sandbox.
"""

import argparse
import asyncio
import json
import resource
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock
from uuid import UUID

from benchmarks.serving import DAY, PAGE_SIZE
from recall_pipeline.days import ONE_DAY, start_of, utc_now
from recall_pipeline.settings import Settings

_LINK = "https://recallai-production-bot-data.s3.amazonaws.com/{}.mp3?X-Amz-Security-Token={}"


def main() -> None:
    """Measure and print, as a table or one line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.listing", description=__doc__)
    parser.add_argument("--recordings", type=int, default=50_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        steps = asyncio.run(_measure(options.recordings, Path(folder), print_steps=not options.json))
    if options.json:
        print(json.dumps(steps))


async def _measure(count: int, folder: Path, *, print_steps: bool) -> dict[str, dict[str, float]]:
    import recall_pipeline.definitions  # noqa: F401  what Dagster costs to import is not the day's
    from recall_pipeline.catalog import sync_catalog
    from recall_pipeline.discovery import sync_bots, sync_recordings
    from recall_pipeline.download import sync_mp3s
    from recall_pipeline.recall_api import Listing, Upstream
    from recall_pipeline.recall_api.listing_spool import ListingSpool, spool_file
    from recall_pipeline.storage import open_archive, open_day

    steps: dict[str, dict[str, float]] = {}

    def note(name: str) -> None:
        steps[name] = step = _used()
        if print_steps:
            print(f"{name:12} {step['peak_mib']:6.0f} MiB peak {step['cpu_seconds']:7.1f} s CPU", flush=True)

    note("imports")
    settings = Settings(storage_url=str(folder / "data"), retention_days=1)  # so nothing is downloaded
    archive = open_archive(settings)
    spool = ListingSpool(spool_file(archive.open_staging_folder(), DAY, DAY), "benchmark")
    walk(spool, count)
    note("listing")
    upstream = Upstream(AsyncMock(), Listing(DAY, DAY, utc_now(), utc_now(), spool))
    with open_day(archive, DAY) as day:
        await sync_bots(day, upstream)
    note("bots")
    with open_day(archive, DAY) as day:
        await sync_recordings(day, upstream)
    note("recordings")
    with open_day(archive, DAY) as day:
        await sync_mp3s(day, upstream, settings)
    note("mixed_audio")
    spool.close()
    with open_day(archive, DAY) as day:
        sync_catalog(day, settings)
    note("catalog")
    return steps


def walk(spool: Any, count: int) -> None:
    """Put the pages of three lists into a spool."""
    from recall_pipeline.recall_api.records import AudioMixed, Bot, Recording, read_record

    lists: dict[str, tuple[type[Any], int, Callable[[int], dict[str, Any]]]] = {
        "bot": (Bot, 3 * count, lambda number: _bot(number - count, count)),
        "recording": (Recording, count, lambda number: _recording(number, count)),
        "audio_mixed": (AudioMixed, count, lambda number: _audio(number, count)),
    }
    for kind, (record, rows, row) in lists.items():
        spool.begin(kind)
        for first in range(0, rows, PAGE_SIZE):
            page = [read_record(record, row(number)) for number in range(first, min(first + PAGE_SIZE, rows))]
            spool.add_page(kind, [(item, frozenset()) for item in page], "next" if first + PAGE_SIZE < rows else None)


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
    return str(UUID(int=(kind << 96) + (1 << 80) + number))


def _used() -> dict[str, float]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {"peak_mib": usage.ru_maxrss / 1024, "cpu_seconds": usage.ru_utime + usage.ru_stime}


if __name__ == "__main__":
    main()
