"""A day whose media host is down, in several ways: `python -m recall_pipeline_tests.chaos.media_outages`.

    python -m recall_pipeline_tests.chaos.media_outages [--meetings 1000] [--ways refuses 503 ...]

For each way a fresh archive is synced by the real command while the host is down. The command must end with status 1 in
under two minutes, and leave all MP3s as not fetched yet. Then the host works again, and one more sync must complete the
day. It takes some ten minutes, prints the seconds of both, and ends with status 1 if any of it is not so.
"""

import argparse
import json
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from recall_pipeline.catalog import CATALOG
from recall_pipeline.days import utc_now
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.settings import Settings
from recall_pipeline.storage import open_archive
from recall_pipeline_tests.chaos.trials import Trial, add_talk
from recall_pipeline_tests.workspace import Rewritten
from recall_sandbox import Rule, Sandbox, World
from recall_sandbox.effects import Answer, Effect, Reset, Trickle, unavailable

_BOUND_SECONDS = 120
_ENOUGH_SECONDS = 1800
_TALK_SECONDS = 1
_EFFECTS: dict[str, Effect] = {
    "503": unavailable(),
    "resets before the head": Reset(),
    "resets after the head": Reset(0),
    "trickles": Trickle(chunk_bytes=1, pause_seconds=20),
}
_WAYS = ("refuses", "drops packets", "never answers", "has no name", *_EFFECTS)


def main() -> int:
    """Try the ways and return 1 for any fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--meetings", type=int, default=1000)
    parser.add_argument("--ways", nargs="*", choices=_WAYS, default=_WAYS)
    parser.add_argument("--concurrency", type=int, default=Settings.model_fields["concurrency"].default)
    options = parser.parse_args()
    day = utc_now().date() - timedelta(days=2)
    world = World()
    for number in range(options.meetings):
        add_talk(world, day, number, _TALK_SECONDS)
    faults = [fault for way in options.ways for fault in _tried(world, day, way, options.concurrency)]
    print("\n".join(["WRONG:", *faults]) if faults else "all as expected")
    return int(bool(faults))


def _tried(world: World, day: date, way: str, concurrency: int) -> Iterator[str]:
    """Sync a fresh archive while the host is down in one way, and again when it works; yield faults."""
    with tempfile.TemporaryDirectory(prefix="recall-outage-") as folder, ExitStack() as down:
        sandbox = down.enter_context(Sandbox(world, list_per_minute=None, object_per_minute=None).running())
        trial = Trial(Path(folder) / "trial", sandbox, day, settings={"RECALL_CONCURRENCY": f"{concurrency}"})
        archive = open_archive(Settings(storage_url=str(trial.data)))
        with _down(sandbox, way):
            first = trial.start().wait(_ENOUGH_SECONDS)
        rows = MIXED_AUDIO.read(archive, day) or []
        waiting = sum(row.is_interrupted and row.fetch_failure is None for row in rows)
        again = trial.start().wait(_ENOUGH_SECONDS)
        ready = sum(row.outcome == "ready" for row in CATALOG.read(archive, day) or [])
    numbers = {"down": round(first.seconds, 1), "waiting": waiting, "again": round(again.seconds, 1), "ready": ready}
    print(json.dumps({"the media host": way, **numbers, "says": first.err.splitlines()[-1:]}), flush=True)
    meetings = len(world.recordings)
    if (first.status, again.status, waiting, ready) != (1, 0, meetings, meetings) or first.seconds > _BOUND_SECONDS:
        yield f"{way}: {first.status}, {again.status}, {numbers}: {first.err[-500:]} {again.err[-500:]}"


@contextmanager
def _down(sandbox: Sandbox, way: str) -> Iterator[None]:
    """Let the media host be down in one way until the block ends."""
    with ExitStack() as opened:
        if way in _EFFECTS:
            sandbox.faults.add(Rule(_EFFECTS[way], origin="media"))
        elif way == "has no name":
            _move_links(sandbox, "http://media.invalid")
        else:
            _move_links(sandbox, f"http://127.0.0.1:{_port(opened, way)}")
        yield
        sandbox.faults.clear()


def _port(opened: ExitStack, way: str) -> int:
    """Return a port that behaves in one way until the stack is closed."""
    bound = opened.enter_context(socket.socket())
    bound.bind(("127.0.0.1", 0))
    address = bound.getsockname()
    if way != "refuses":
        bound.listen(0 if way == "drops packets" else 1000)
    for _ in range(4 if way == "drops packets" else 0):  # a full queue drops what else comes
        waiting = opened.enter_context(socket.socket())
        waiting.setblocking(False)
        waiting.connect_ex(address)
    return int(address[1])


def _move_links(sandbox: Sandbox, origin: str) -> None:
    """Let all download URLs name another origin."""

    def moved(answer: Answer) -> Answer:
        page = json.loads(answer.body)
        for row in page.get("results", [page]):
            if row.get("data", {}).get("download_url"):
                link = urlsplit(row["data"]["download_url"])
                row["data"]["download_url"] = f"{origin}{link.path}?{link.query}"
        return Answer(answer.status, json.dumps(page).encode(), {"content-type": "application/json"})

    sandbox.faults.add(Rule(Rewritten(moved), origin="api", path="/audio_mixed/"))


if __name__ == "__main__":
    sys.exit(main())
