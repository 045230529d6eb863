"""A listing is kept in a private file: its size does not matter, a killed walk continues, and no secret is in it."""

import json
import stat
import zlib
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from recall_pipeline.days import ONE_DAY, start_of, utc_now
from recall_pipeline.errors import RecallUnreachable, StorageError
from recall_pipeline.recall_api import (
    Listing,
    Listings,
    RecallClient,
    Upstream,
    list_days,
    listing_spool,
    remove_listings,
)
from recall_pipeline.recall_api.link_expiry import link_expires_at
from recall_pipeline.recall_api.listing_spool import ListingSpool, spool_file
from recall_pipeline.recall_api.record_json import links_of, row_of, with_links
from recall_pipeline.recall_api.records import AudioMixed, Bot, Recording, read_record
from recall_pipeline_tests.recall_api.conftest import CallApi
from recall_pipeline_tests.workspace import DAY, NINE, an_id, talk
from recall_sandbox import Rule, Sandbox, World
from recall_sandbox.effects import unavailable
from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording

AUDIO = {
    "id": an_id("audio"), "recording": {"id": an_id("recording")}, "created_at": "2026-03-02T09:00:00.123456Z",
    "status": {"code": "done", "sub_code": "x", "updated_at": "2026-03-02T10:00:00Z"}, "metadata": {"team": "sales"},
    "data": {"download_url": "https://media.invalid/a.mp3?Signature=s3cret"}, "format": "mp3", "mood": "good",
}  # fmt: skip
RECORDING = {
    "id": an_id("recording"), "created_at": "2026-03-02T09:00:00Z", "started_at": "2026-03-02T09:00:01Z",
    "completed_at": "2026-03-02T09:30:00Z", "expires_at": "2026-03-09T09:30:00Z", "status": {"code": "done"},
    "media_shortcuts": {"audio_mixed": AUDIO}, "bot": {"id": an_id("bot")}, "metadata": {}, "taste": [1, {"a": None}],
}  # fmt: skip
BOT = {
    "id": an_id("bot"), "meeting_url": {"platform": "zoom", "meeting_id": "81%2F2?pwd=s3cret"}, "bot_name": "Bot",
    "metadata": {"url": "https://zoom.us/j/1?pwd=s3cret"}, "recording_config": {"audio_mixed_mp3": {}},
    "join_at": "2026-03-02T08:59:00+01:00", "status_changes": [{"code": "done", "created_at": None}],
    "recordings": [RECORDING], "smell": "https://x.invalid/?token=s3cret",
}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "spool"
    folder.mkdir()
    return spool_file(folder, DAY, DAY)


@pytest.fixture
def meetings(world: World) -> int:
    """Meetings enough for several pages of each list."""
    for number in range(45):
        at = NINE + timedelta(minutes=number)
        url = {"meeting_id": "7", "platform": "zoom", "meeting_password": "s3cret"}
        name = f"meeting {number}"
        world.add(
            SandboxBot(an_id(f"{name} bot"), "Archive Bot", "zoom", url, None, at, ()),
            SandboxRecording(an_id(name), an_id(f"{name} bot"), at, at, at, at, shortcut_id=an_id(f"{name} mp3")),
            Artifact(an_id(f"{name} mp3"), an_id(name), at, at, talk()),
        )
    return 45


def paths(sandbox: Sandbox) -> Counter[str]:
    """The numbers of requests for pages of each list."""
    return Counter(access.path.split("/")[-2] for access in sandbox.access_log)


async def listed(client: RecallClient, spool: ListingSpool) -> Listing:
    return await list_days(client, DAY, DAY, spool)


class TestRowOf:
    @pytest.mark.parametrize(("kind", "record", "row"), [
        ("bot", Bot, BOT), ("recording", Recording, RECORDING), ("audio_mixed", AudioMixed, AUDIO),
        ("bot", Bot, {"id": an_id("bot")}), ("bot", Bot, {**BOT, "recording_config": {}, "meeting_url": None}),
        ("audio_mixed", AudioMixed, {"id": an_id("audio")}),
        ("recording", Recording, {"id": an_id("a"), "created_at": "2026-03-02T09:00:00Z", "media_shortcuts": None}),
    ])  # fmt: skip
    def test_it_is_read_as_an_equal_record_and_has_no_secret(self, kind: str, record: Any, row: dict[str, Any]) -> None:
        original: Any = read_record(record, row)
        stored = json.loads(json.dumps(row_of(original)))
        assert "s3cret" not in json.dumps(stored)
        restored: Any = read_record(
            record, with_links(kind, stored, links_of(original)), getattr(original, "row_shape", None)
        )
        assert restored is not None
        if kind == "audio_mixed":
            assert (restored.download_url, restored.row_shape) == (original.download_url, original.row_shape)
        assert row_of(restored) == stored
        assert links_of(restored) == links_of(original)


@pytest.mark.usefixtures("meetings")
class TestResume:
    @pytest.fixture(autouse=True)
    def any_size(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(listing_spool, "FEWEST_ROWS", 1)

    def killed(self, call: CallApi, sandbox: Sandbox, file: Path, workspace: str = "w") -> int:
        """Walk the lists until the third page of bots fails, as in a process that is killed; return the pages read."""
        sandbox.faults.add(Rule(unavailable(), path="/bot/$", skip=2))
        spool = ListingSpool(file, workspace)
        with pytest.raises(RecallUnreachable):
            call(lambda client: listed(client, spool))
        spool._connection.close()
        sandbox.faults.clear()
        sandbox.access_log.clear()
        return 2

    def test_a_killed_walk_continues_where_it_stopped(self, call: CallApi, sandbox: Sandbox, file: Path) -> None:
        whole: Listing = call(lambda client: list_days(client, DAY, DAY))
        pages = paths(sandbox)
        read = self.killed(call, sandbox, file)
        listing: Listing = call(lambda client: listed(client, ListingSpool(file, "w")))
        assert paths(sandbox)["bot"] == pages["bot"] - read
        assert paths(sandbox)["audio_mixed"] == pages["audio_mixed"]  # for the links
        assert [row_of(bot) for bot in listing.bots.values()] == [row_of(bot) for bot in whole.bots.values()]
        assert dict(listing.recordings).keys() == dict(whole.recordings).keys()

    @pytest.mark.parametrize("why", ["of another workspace", "old", "damaged"])
    def test_an_invalid_spool_file_is_discarded_and_the_list_is_read_again(
        self, why: str, call: CallApi, sandbox: Sandbox, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        call(lambda client: list_days(client, DAY, DAY))
        pages = paths(sandbox)
        self.killed(call, sandbox, file)
        if why == "old":
            later = utc_now() + timedelta(hours=1)
            monkeypatch.setattr(listing_spool, "utc_now", lambda: later)
        if why == "damaged":
            file.write_bytes(b"not a database" * 1000)
        spool = ListingSpool(file, "another" if why == "of another workspace" else "w")
        listing: Listing = call(lambda client: listed(client, spool))
        assert (len(listing.bots), paths(sandbox)) == (45, pages)

    def test_two_processes_with_the_same_span_do_not_share_a_file(self, call: CallApi, file: Path) -> None:
        first, second = ListingSpool(file, "w"), ListingSpool(file, "w")
        assert len(call(lambda client: listed(client, first)).bots) == 45
        assert len(call(lambda client: listed(client, second)).bots) == 45

    def test_the_file_is_private_and_contains_no_secret(self, call: CallApi, sandbox: Sandbox, file: Path) -> None:
        spool = ListingSpool(file, sandbox.api_key)
        listing: Listing = call(lambda client: listed(client, spool))
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        texts = [zlib.decompress(row).decode() for (row,) in spool.query("SELECT row FROM item")]
        assert len(texts) == 135
        assert not [text for text in texts if "s3cret" in text or "Signature" in text or "?" in text]
        assert all(audio.download_url for audio in listing.audio_mixed.values())
        spool.close()
        assert list(file.parent.iterdir()) == []

    def test_what_a_killed_process_left_is_removed_on_request(
        self, call: CallApi, sandbox: Sandbox, file: Path
    ) -> None:
        self.killed(call, sandbox, file)
        remove_listings(file.parent)
        assert list(file.parent.iterdir()) == []


@pytest.mark.usefixtures("meetings")
class TestSize:
    def test_records_that_are_not_in_memory_are_read_from_the_file(
        self, call: CallApi, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cached: Upstream = call(lambda client: shown(client))
        monkeypatch.setattr(listing_spool, "MOST_CACHED", 0)
        read: Upstream = call(lambda client: shown(client))
        assert [row_of(bot) for bot in read.bots.values()] == [row_of(bot) for bot in cached.bots.values()]
        assert read.artifacts_by_recording().keys() == cached.artifacts_by_recording().keys()
        assert all(audio.download_url for found in read.artifacts_by_recording().values() for audio in found.values())

    @pytest.mark.parametrize("question", ["the day", "the recording", "the artifact"])
    def test_a_question_about_one_day_or_object_costs_no_more_in_a_larger_listing(self, question: str) -> None:
        def steps(rows: int) -> int:
            """Return how many instructions SQLite needs, in a listing of so many other days' artifacts."""
            spool, ran = ListingSpool(), []
            page = [
                {
                    **AUDIO,
                    "id": an_id(f"{number}"),
                    "recording": {"id": an_id(f"of {number}")},
                    "created_at": (start_of(DAY) + number * ONE_DAY).isoformat(),
                }
                for number in range(rows)
            ]
            spool.add_page("audio_mixed", [(read_record(AudioMixed, row), frozenset()) for row in page], None)
            spool._connection.set_progress_handler(lambda: ran.append(1), 1)
            found = {
                "the day": lambda: list(spool.audio_mixed.of_day(DAY)),
                "the recording": lambda: list(spool.audio_mixed.within(an_id("of 0"))),
                "the artifact": lambda: [spool.audio_mixed[an_id("0")]],
            }[question]()
            assert [audio.id for audio in found] == [an_id("0")]
            return len(ran)

        assert steps(400) < 2 * steps(10)

    def test_a_day_whose_links_did_not_fit_gets_them_by_one_more_walk_of_one_list(
        self, call: CallApi, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("recall_pipeline.recall_api.day_listing.MOST_LINKS", 3)
        listings = Listings([DAY, DAY + ONE_DAY])

        async def each(client: RecallClient) -> Upstream:
            return await listings.of(client, DAY)

        call(each)
        sandbox.access_log.clear()
        upstream: Upstream = call(each)
        assert paths(sandbox).keys() == {"audio_mixed"}
        assert all(audio.download_url for audio in upstream.listing.audio_mixed.values())
        sandbox.access_log.clear()
        call(each)
        assert not sandbox.access_log.only()

    def test_a_disk_without_space_is_named(self, call: CallApi, tmp_path: Path) -> None:
        spool = ListingSpool(spool_file(tmp_path, DAY, DAY), "w")
        spool.query("PRAGMA max_page_count = 12")
        with pytest.raises(StorageError, match=r"cannot write the listing to .*full.*RECALL_SPOOL_DIR"):
            call(lambda client: listed(client, spool))


async def shown(client: RecallClient) -> Upstream:
    return Upstream(client, await list_days(client, DAY, DAY))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Expires=1772466000&Signature=x", "2026-03-02T15:40:00+00:00"),
        ("X-Amz-Date=20260302T090000Z&X-Amz-Expires=3600", "2026-03-02T10:00:00+00:00"),
        ("Expires=never", "None"),
        ("", "None"),
    ],
)
def test_a_link_states_when_it_expires(query: str, expected: str) -> None:
    moment = link_expires_at(f"https://media.invalid/a.mp3?{query}")
    assert (moment.isoformat() if moment else "None") == expected
