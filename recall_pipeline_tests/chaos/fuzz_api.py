"""Fuzz the pipeline with invalid API answers.

    python -m recall_pipeline_tests.chaos.fuzz_api [--examples 10000] [--seed N]

Each example is a workspace of `chaos.payloads`: it is listed, stored as Parquet, cataloged and read back,
and each download link in it is opened, by the product's code except for the network. It may raise only errors of
`recall_pipeline.errors`, and none if only rows are invalid: an invalid row must not affect a valid one.
"""

import argparse
import asyncio
import json
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import hypothesis
import stamina
from hypothesis import HealthCheck, Phase, given
from pydantic import SecretStr

from recall_pipeline.catalog import CATALOG, read_catalog, sync_catalog
from recall_pipeline.discovery import BOTS, RECORDINGS, sync_bots, sync_recordings
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.download.artifacts import find_artifacts
from recall_pipeline.download.partials import Partial
from recall_pipeline.download.transfer import Transfer
from recall_pipeline.errors import PipelineError, TransferError
from recall_pipeline.recall_api import RecallClient, Upstream
from recall_pipeline.recall_api.day_listing import list_days
from recall_pipeline.recall_api.retry import RetryPolicy
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, open_archive, open_day
from recall_pipeline_tests.chaos.payloads import DAY, Workspace, workspaces

_API = "http://127.0.0.1:1/api/v1"
_HEADERS = {"Content-Type": "application/json"}


def main() -> int:
    """Run the examples and count the outcomes; hypothesis prints the smallest example that fails."""
    parser = argparse.ArgumentParser(prog="python -m recall_pipeline_tests.chaos.fuzz_api", description=__doc__)
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.getLogger("stamina").addHandler(logging.NullHandler())  # it would print a line for each retry
    outcomes: Counter[str] = Counter()
    started = time.monotonic()
    with stamina.set_testing(True, attempts=2):
        many(options.examples, lambda workspace: outcomes.update([borne(workspace)]), options.seed)()
    for outcome, count in outcomes.most_common():
        print(f"{count:6}  {outcome}")
    print(f"{outcomes.total()} examples, nothing unhandled, {(time.monotonic() - started) / 60:.1f} minutes")
    return 0


def many(examples: int, check: Callable[[Workspace], Any], seed: int) -> Callable[[], None]:
    """Return a function that draws and checks this many workspaces; the same ones for the same seed."""

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(workspaces())
    def each(workspace: Workspace) -> None:
        check(workspace)

    run: Callable[[], None] = each
    return run


def borne(workspace: Workspace) -> str:
    """Archive a workspace, and return the outcome: `taken in`, or `refused with` the name of the error."""
    try:
        with tempfile.TemporaryDirectory(prefix="recall-fuzz-") as folder:
            asyncio.run(_take_in(workspace, Path(folder)))
    except PipelineError as error:
        if workspace.has_whole_answers:
            raise AssertionError("a bad row stopped everything") from error
        return f"refused with {type(error).__name__}"
    return "taken in"


async def _take_in(workspace: Workspace, folder: Path) -> None:
    settings = Settings(api_key=SecretStr("key-of-nobody"), api_url=_API, storage_url=str(folder / "data"))
    archive = open_archive(settings)
    transport = httpx.MockTransport(Service(workspace).answer)
    async with httpx.AsyncClient(transport=transport) as http:
        client = RecallClient(http, settings, _Boundless(), RetryPolicy(attempts=2, first_wait_seconds=0.01))
        urls = await _discover(client, archive)
        await _open_links(http, settings, urls, folder)
    with open_day(archive, DAY) as day:
        sync_catalog(day, settings)
    _check(workspace, archive, settings)


async def _discover(client: RecallClient, archive: Archive) -> dict[str, SecretStr]:
    """Run the steps of the assets up to the download."""
    upstream = Upstream(client, await list_days(client, DAY, DAY))
    with open_day(archive, DAY) as day:
        await sync_bots(day, upstream)
        await sync_recordings(day, upstream)
        rows, urls = await find_artifacts(day, upstream)
        day.write(MIXED_AUDIO, rows)
    return urls


async def _open_links(http: httpx.AsyncClient, settings: Settings, urls: dict[str, SecretStr], folder: Path) -> None:
    """Open each download link; each must raise TransferError."""
    transfer = Transfer(http, settings)
    for audio_id, url in urls.items():
        partial = Partial(folder / f"{audio_id}.part")
        try:
            await transfer.fetch(url, _same(url), partial)
        except TransferError as error:
            _, _, secret = url.get_secret_value().partition("?")
            if secret and secret in str(error):
                raise AssertionError("a link is quoted") from error


def _same(url: SecretStr) -> Callable[[], Any]:
    async def again() -> SecretStr:
        return url

    return again


def _check(workspace: Workspace, archive: Archive, settings: Settings) -> None:
    """Compare the stored rows with the valid rows."""
    if workspace.has_whole_answers:
        archive_state = {
            "bot": {row.bot_id for row in BOTS.read(archive, DAY) or []},
            "recording": {row.recording_id for row in RECORDINGS.read(archive, DAY) or []},
            "audio_mixed": {row.audio_id for row in MIXED_AUDIO.read(archive, DAY) or []},
        }
        for kind, ids in workspace.good.items():
            assert ids <= archive_state[kind], f"lost: {kind} {ids - archive_state[kind]}"
    rows = CATALOG.read(archive, DAY) or []
    assert len({row.key for row in rows}) == len(rows) == len(read_catalog(settings=settings))
    assert "hidden" not in repr(rows), "a meeting password is on file"


class Service:
    """An API that serves the workspace; every other address is a media host without files."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        if not str(request.url).startswith(_API):
            return httpx.Response(404)
        kind, _, its_id = request.url.path.removeprefix("/api/v1/").strip("/").partition("/")
        rows = self._workspace.rows.get(kind, [])
        if its_id:
            body = next((row for row in rows if isinstance(row, dict) and row.get("id") == its_id), None)
            return httpx.Response(404) if body is None else self._send(body)
        page = {"next": None, "previous": None, "results": rows}
        if asked := parse_qs(request.url.query.decode()).get("recording_id"):
            page["results"] = [row for row in rows if _recording_of(row) in asked]
        return self._send(self._workspace.reshaped(page) if self._workspace.reshaped else page)

    def _send(self, body: Any) -> httpx.Response:
        text = json.dumps(body).encode()
        torn = self._workspace.torn
        return httpx.Response(200, headers=_HEADERS, content=torn(text) if torn else text)


def _recording_of(row: Any) -> Any:
    recording = row.get("recording") if isinstance(row, dict) else None
    return recording.get("id") if isinstance(recording, dict) else None


class _Boundless:
    """A request budget without a limit."""

    async def take(self, endpoint: str, per_minute: int) -> None:
        """Grant the request."""


if __name__ == "__main__":
    sys.exit(main())
