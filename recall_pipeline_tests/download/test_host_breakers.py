"""A media host that is down ends the step soon, as retryable; the rest of the day is not fetched yet."""

import asyncio
import contextlib
import importlib
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from urllib.parse import urlsplit

import httpx
import pytest

from recall_pipeline.download import MIXED_AUDIO, HostBreakers, MixedAudioRow, sync_mp3s
from recall_pipeline.errors import MediaHostDown
from recall_pipeline.recall_api import open_client
from recall_pipeline.storage import open_day
from recall_pipeline_tests.workspace import DAY, Rewritten, Workspace, talk
from recall_sandbox import Rule
from recall_sandbox.effects import Answer, Cut, Effect, Reset, expired_link, unavailable
from recall_sandbox.network_effects import firewall_page
from recall_sandbox.records import Artifact

MP3S = 8
URL = "https://media.invalid/a.mp3"


@pytest.fixture
def mp3s(workspace: Workspace) -> list[Artifact]:
    """A day of some MP3s, in the order of their downloads."""
    return [workspace.meet(f"meeting {number}", talk(number % 2))[0] for number in range(MP3S)]


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that refuses connections."""
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(100)
        yield listening.getsockname()[1]


def move_links(workspace: Workspace, origin: str, chosen: Callable[[str], bool] = lambda _: True) -> None:
    """Let the download URLs of the chosen artifacts name another origin, in the listing and in lookups."""

    def moved(answer: Answer) -> Answer:
        page = json.loads(answer.body)
        for row in page.get("results", [page]):
            if row.get("data", {}).get("download_url") and chosen(row["id"]):
                link = urlsplit(row["data"]["download_url"])
                row["data"]["download_url"] = f"{origin}{link.path}?{link.query}"
        return Answer(answer.status, json.dumps(page).encode(), {"content-type": "application/json"})

    workspace.sandbox.faults.add(Rule(Rewritten(moved), origin="api", path="/audio_mixed/"))


def capture(workspace: Workspace, breakers: HostBreakers | None = None) -> None:
    """Sync the day's MP3s with these breakers."""

    async def run() -> None:
        async with open_client(workspace.settings) as client:
            with open_day(workspace.archive, DAY) as day:
                upstream = await workspace.discovered(day, client)
                await sync_mp3s(day, upstream, workspace.settings, breakers=breakers)

    asyncio.run(run())


def rows(workspace: Workspace) -> list[MixedAudioRow]:
    return MIXED_AUDIO.read(workspace.archive, DAY) or []


def is_not_fetched_yet(row: MixedAudioRow) -> bool:
    return row.is_interrupted and row.state is None


def down(workspace: Workspace, kind: str, closed_port: int, silent_port: int) -> None:
    """Take the media host down in one way."""
    effects: dict[str, Effect] = {
        "503": unavailable(),
        "429": unavailable(429),
        "resets": Reset(),
        "cuts": Cut(100),
        "firewall": firewall_page(),
    }
    origins = {
        "refuses": f"http://127.0.0.1:{closed_port}",
        "hangs": f"http://127.0.0.1:{silent_port}",
        "has no name": "http://media.invalid",
        "speaks no TLS": workspace.sandbox.api_url.replace("http://", "https://").removesuffix("/api/v1"),
    }
    if kind in effects:
        workspace.sandbox.faults.add(Rule(effects[kind], origin="media"))
    else:
        move_links(workspace, origins[kind])


@pytest.mark.usefixtures("mp3s")
@pytest.mark.parametrize(
    "kind", ["503", "429", "resets", "cuts", "firewall", "refuses", "hangs", "has no name", "speaks no TLS"]
)
def test_a_host_that_is_down_ends_the_step_as_retryable_and_the_day_is_not_fetched_yet(
    workspace: Workspace, kind: str, closed_port: int, silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        importlib.import_module("recall_pipeline.download.media_requests"), "_TIMEOUT", httpx.Timeout(0.2, pool=None)
    )
    down(workspace, kind, closed_port, silent_port)
    with pytest.raises(MediaHostDown, match=f"{MP3S} of {MP3S} MP3s of {DAY} are not fetched yet") as raised:
        workspace.capture()
    assert raised.value.retry_can_help
    assert [is_not_fetched_yet(row) for row in rows(workspace)] == [True] * MP3S


def test_links_that_are_refused_one_by_one_stop_nothing(workspace: Workspace, mp3s: list[Artifact]) -> None:
    for mp3 in mp3s[:-1]:
        workspace.sandbox.faults.add(Rule(expired_link(), origin="media", path=mp3.id))
    assert workspace.capture().downloaded == 1
    assert sum(row.fetch_failure is not None for row in rows(workspace)) == MP3S - 1


def test_a_few_mp3s_that_always_fail_stop_no_other(workspace: Workspace, mp3s: list[Artifact]) -> None:
    bad = mp3s[:4]
    for mp3 in bad:
        workspace.sandbox.faults.add(Rule(unavailable(), origin="media", path=mp3.id))
    assert workspace.capture(concurrency=1).downloaded == MP3S - len(bad)
    assert workspace.capture().downloaded == 0
    assert {row.audio_id for row in rows(workspace) if row.fetch_failure} == {mp3.id for mp3 in bad}


def test_another_host_of_the_day_goes_on(workspace: Workspace, mp3s: list[Artifact], closed_port: int) -> None:
    elsewhere = {mp3.id for mp3 in mp3s[1:-1]}
    move_links(workspace, f"http://127.0.0.1:{closed_port}", elsewhere.__contains__)
    with pytest.raises(MediaHostDown, match=f"{MP3S - 2} of {MP3S} MP3s .* 127.0.0.1:{closed_port} fails"):
        workspace.capture()
    assert {row.audio_id for row in rows(workspace) if is_not_fetched_yet(row)} == elsewhere
    assert sum(row.state == "archived" for row in rows(workspace)) == 2


class TestSlowFailures:
    """Attempts that take long, such as time-outs: of `MP3S` MP3s, on a clock that only they move."""

    @pytest.fixture
    def now(self) -> list[float]:
        return [0.0]

    @pytest.fixture
    def breakers(self, now: list[float]) -> HostBreakers:
        return HostBreakers(lambda: now[0])

    def tries(self, breakers: HostBreakers, now: list[float], seconds: float) -> int:
        """Fail attempts of `seconds` each, of one MP3 after the other, until the breaker opens; return how many."""
        for number in range(100):
            if breakers.failing:
                return number
            with contextlib.suppress(httpx.ReadTimeout), breakers.attempt(URL, f"mp3 {number % MP3S}"):
                now[0] += seconds
                raise httpx.ReadTimeout("no answer")
        raise AssertionError("the breaker stays closed")

    @pytest.mark.parametrize(("seconds", "most"), [(0.1, 20), (5, 12), (12, 5), (90, 5)])
    def test_a_minute_of_failures_is_enough(
        self, breakers: HostBreakers, now: list[float], seconds: float, most: int
    ) -> None:
        assert self.tries(breakers, now, seconds) == most

    def test_a_pause_before_the_first_failure_does_not_count(self, breakers: HostBreakers, now: list[float]) -> None:
        breakers.add_success(httpx.URL(URL))
        now[0] += 600
        assert self.tries(breakers, now, 0.1) == 20

    def test_the_minute_begins_again_with_each_success(self, breakers: HostBreakers, now: list[float]) -> None:
        for number in range(100):
            with contextlib.suppress(httpx.ReadTimeout), breakers.attempt(URL, f"{number}"):
                now[0] += 14
                if number % 5 == 0:
                    breakers.add_success(httpx.URL(URL))
                    continue
                raise httpx.ReadTimeout("no answer")
        assert not breakers.failing


class TestRetry:
    def test_it_only_probes_a_host_that_is_still_down_and_completes_the_day_once_it_works(
        self, workspace: Workspace, mp3s: list[Artifact]
    ) -> None:
        breakers = HostBreakers()
        workspace.sandbox.faults.add(Rule(unavailable(), origin="media"))
        probes = 2 * 6 + 6  # two MP3s may have used their tries before a third one fails
        for most_requests in (1000, probes, probes):
            workspace.sandbox.access_log.clear()
            with pytest.raises(MediaHostDown):
                capture(workspace, breakers)
            assert len(workspace.media_requests()) <= most_requests
        workspace.sandbox.faults.clear()
        workspace.sandbox.faults.add(Rule(unavailable(), origin="media", path=mp3s[0].id))  # keeps no host down
        capture(workspace, breakers)
        assert sum(row.state == "archived" for row in rows(workspace)) == MP3S - 1
