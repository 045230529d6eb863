"""A day's MP3s come home: what is unsettled, soonest to expire first, one never stopping another."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from recall_pipeline.download import MIXED_AUDIO, MixedAudioRow, checkpoints, sync_mp3s
from recall_pipeline.download import day_download as day_download
from recall_pipeline.download.checkpoints import Checkpoints
from recall_pipeline.download.day_download import DownloadPlan
from recall_pipeline.errors import StorageError
from recall_pipeline.progress import Progress
from recall_pipeline.recall_api import open_client
from recall_pipeline.storage import open_day
from recall_pipeline_tests.storages import FOLDER_AND_BUCKET
from recall_pipeline_tests.workspace import DAY, NINE, Workspace, an_id, talk
from recall_sandbox import Rule
from recall_sandbox.content import ErrorPage, Truncated, body_of
from recall_sandbox.effects import Cut, Effect, Reply, Truncate, error_page, expired_link, unavailable
from recall_sandbox.network_effects import Gzipped, Unpromised, expired_token, firewall_page
from recall_sandbox.speech import Speech


@dataclass(frozen=True)
class WithoutHeader:
    """An MP3 whose first frame, which states the length, is gone."""

    of: Speech
    outcome: str = "ready"
    media_type: str = "audio/mpeg"

    def body(self) -> bytes:
        """The bytes from the second frame on."""
        whole = self.of.body()
        label = max(whole.find(b"Xing"), whole.find(b"Info"))
        return whole[whole.index(b"\xff\xf3" if b"\xff\xf3" in whole[label:] else b"\xff\xfb", label) :]


@pytest.fixture(params=FOLDER_AND_BUCKET)
def storage_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def strike(workspace: Workspace, effect: Effect, path: str = "", times: int | None = 1) -> None:
    """Let something happen to the next requests of the media host."""
    workspace.sandbox.faults.add(Rule(effect, origin="media", path=path, times=times))


def staging_folder_of(workspace: Workspace) -> list[str]:
    """What lies in the spool; none where there is no spool."""
    return [path.name for path in workspace.archive.staging_folder.glob("*")]


def mp3s(workspace: Workspace) -> set[bytes]:
    """The bytes of every MP3 in the archive."""
    return {workspace.content(key) for key in workspace.keys("mixed_audio") if key.endswith(".mp3")}


def test_an_mp3_is_archived_byte_for_byte_with_its_measurements(workspace: Workspace) -> None:
    [mp3] = workspace.meet("one", talk())
    captured = workspace.capture()
    [row] = captured.rows
    body = body_of(talk())
    assert workspace.content(row.source_key) == body
    assert row.source_key == f"mixed_audio/day={DAY}/{mp3.recording_id}/{mp3.id}.mp3"
    assert (row.source_bytes, row.source_sha256) == (len(body), hashlib.sha256(body).hexdigest())
    assert (row.source_codec, row.source_sample_rate_hz, row.source_channels) == ("mp3", 16_000, 1)
    assert row.duration_seconds == pytest.approx(6, abs=0.1)
    assert (captured.downloaded, captured.reused, captured.bytes_downloaded) == (1, 0, len(body))
    assert staging_folder_of(workspace) == []


def test_what_is_archived_is_not_fetched_again(workspace: Workspace) -> None:
    workspace.meet("one", talk())
    first = workspace.capture().rows
    workspace.sandbox.access_log.clear()
    captured = workspace.capture()
    assert captured.rows == first
    assert (captured.downloaded, captured.reused, captured.bytes_downloaded) == (0, 1, 0)
    assert workspace.media_requests() == []


def test_an_error_page_served_twice_is_corrupt_and_its_bytes_are_kept(workspace: Workspace) -> None:
    [mp3] = workspace.meet("one", ErrorPage())
    [row] = workspace.capture().rows
    assert row.state == "corrupt"
    assert "looks like an HTML page" in (row.fault or "")
    assert workspace.content(row.source_key) == body_of(ErrorPage())
    assert workspace.media_requests() == [mp3.id, mp3.id]
    assert staging_folder_of(workspace) == []
    workspace.capture()
    assert workspace.media_requests() == [mp3.id, mp3.id]


def test_an_mp3_that_lost_its_end_at_recall_is_corrupt(workspace: Workspace) -> None:
    workspace.meet("one", Truncated(talk()))
    [row] = workspace.capture().rows
    assert row.state == "corrupt"
    assert (row.fault or "").startswith("cut short: decodes to 3.")
    assert workspace.content(row.source_key) == body_of(Truncated(talk()))


@pytest.mark.parametrize("effect", [error_page(), Truncate(20_000)], ids=["error page", "cut"])
def test_a_transfer_fault_is_corrected_by_the_second_download(workspace: Workspace, effect: Effect) -> None:
    workspace.meet("one", talk())
    strike(workspace, effect)
    [row] = workspace.capture().rows
    assert (row.state, row.fault) == ("archived", None)
    assert workspace.content(row.source_key) == body_of(talk())
    assert staging_folder_of(workspace) == []


def test_two_faulty_downloads_that_differ_are_a_failure_and_tried_at_the_next_sync(workspace: Workspace) -> None:
    workspace.meet("one", talk())
    strike(workspace, Truncate(20_000))
    strike(workspace, Truncate(21_000))
    captured = workspace.capture()
    [row] = captured.rows
    assert (row.state, captured.downloaded) == (None, 0)
    assert (row.fetch_failure or "").startswith("two downloads differ, and neither is whole audio: cut short")
    assert staging_folder_of(workspace) == []
    [row] = workspace.capture().rows
    assert (row.state, row.fetch_failure) == ("archived", None)


@pytest.fixture
def without_header(workspace: Workspace) -> bytes:
    """A recording whose MP3 states no length of its own; its body."""
    content = WithoutHeader(talk())
    workspace.meet("headless", content)
    return body_of(content)


@pytest.mark.parametrize("cuts", [(0.5,), (0.3, 0.6), (0.6, 0.3)], ids=str)
def test_a_body_that_nothing_promises_the_length_of_is_fetched_until_two_downloads_agree(
    workspace: Workspace, without_header: bytes, cuts: tuple[float, ...]
) -> None:
    for share in cuts:
        strike(workspace, Unpromised(int(len(without_header) * share)))
    strike(workspace, Unpromised(), times=None)
    [row] = workspace.capture().rows
    assert (row.state, row.source_sha256) == ("archived", hashlib.sha256(without_header).hexdigest())
    assert len(workspace.accesses(origin="media")) == len(cuts) + 2


def test_a_body_whose_downloads_never_agree_is_a_failure_of_that_one(
    workspace: Workspace, without_header: bytes
) -> None:
    for percent in (30, 40, 50, 60):
        strike(workspace, Unpromised(len(without_header) * percent // 100))
    [row] = workspace.capture().rows
    assert row.state is None
    assert row.fetch_failure == "the media host promises no length, and its downloads end at different places"
    assert staging_folder_of(workspace) == []


def test_a_length_that_the_file_itself_promises_needs_no_second_download(workspace: Workspace) -> None:
    workspace.meet("one", talk())
    strike(workspace, Unpromised())
    [row] = workspace.capture().rows
    assert row.state == "archived"
    assert len(workspace.accesses(origin="media")) == 1


def test_a_packed_body_is_archived_as_the_mp3_in_it(workspace: Workspace) -> None:
    workspace.meet("one", talk())
    strike(workspace, Gzipped())
    [row] = workspace.capture().rows
    assert workspace.content(row.source_key) == body_of(talk())
    assert len(workspace.accesses(origin="media")) == 1


def test_links_whose_credentials_ended_are_replaced(workspace: Workspace) -> None:
    workspace.meet("one", talk())
    strike(workspace, expired_token(), times=3)
    assert workspace.capture().rows[0].state == "archived"


def test_a_firewall_is_named_in_the_reason_of_the_failure(workspace: Workspace) -> None:
    workspace.meet("one", talk())
    strike(workspace, firewall_page(), times=None)
    [row] = workspace.capture().rows
    assert "a firewall refuses the IP address that this machine sends from" in str(row.fetch_failure)


def test_a_link_that_expired_in_the_queue_is_replaced(workspace: Workspace) -> None:
    [mp3] = workspace.meet("one", talk())
    strike(workspace, expired_link())
    [row] = workspace.capture().rows
    assert row.state == "archived"
    assert workspace.object_requests() == [f"/api/v1/audio_mixed/{mp3.id}/"]


def test_an_mp3_deleted_while_its_link_expired_is_a_failure_of_that_one(workspace: Workspace) -> None:
    [mp3] = workspace.meet("one", talk())
    strike(workspace, expired_link())
    workspace.sandbox.faults.add(Rule(Reply(404), origin="api", path=mp3.id))
    [row] = workspace.capture().rows
    assert row.fetch_failure == "Recall offers no download any more"


def test_one_bad_recording_never_stops_the_others(workspace: Workspace) -> None:
    [broken] = workspace.meet("broken", talk())
    [page] = workspace.meet("page", ErrorPage())
    [away] = workspace.meet("away", talk(1))
    goods = [workspace.meet(f"good {number}", talk(number + 2))[0] for number in range(3)]
    strike(workspace, Cut(0), path=broken.id, times=None)
    strike(workspace, unavailable(), path=away.id, times=None)
    captured = workspace.capture(concurrency=2)
    states = {row.audio_id: row.state for row in captured.rows}
    assert states == {broken.id: None, page.id: "corrupt", away.id: None, **{mp3.id: "archived" for mp3 in goods}}
    assert captured.downloaded == 4


def test_a_download_that_broke_off_goes_on_at_the_next_sync(workspace: Workspace) -> None:
    [mp3] = workspace.meet("one", talk())
    half = len(body_of(talk())) // 2
    strike(workspace, Cut(half))
    strike(workspace, unavailable(), times=None)
    workspace.capture()
    assert staging_folder_of(workspace) != []
    workspace.sandbox.faults.clear()
    workspace.sandbox.access_log.clear()
    captured = workspace.capture()
    assert captured.bytes_downloaded == len(body_of(talk())) - half
    assert workspace.row(mp3.id).source_sha256 == hashlib.sha256(body_of(talk())).hexdigest()
    assert staging_folder_of(workspace) == []


def test_what_is_left_of_a_download_goes_when_it_is_no_longer_offered(workspace: Workspace) -> None:
    [mp3] = workspace.meet("one", talk())
    strike(workspace, Cut(1000), times=None)
    workspace.capture()
    assert staging_folder_of(workspace) != []
    workspace.world.delete_artifact(mp3.id)
    workspace.capture()
    assert staging_folder_of(workspace) == []


def test_what_expires_soonest_is_fetched_first(workspace: Workspace) -> None:
    [never] = workspace.meet("never", talk())
    [later] = workspace.meet("later", talk(1), expires_at=NINE + timedelta(days=9))
    [soon] = workspace.meet("soon", talk(2), expires_at=NINE + timedelta(days=2))
    [older_never] = workspace.meet("older", talk(3), created_at=NINE - timedelta(minutes=1))
    workspace.capture(concurrency=1)
    assert workspace.media_requests() == [soon.id, later.id, older_never.id, never.id]


class TestVersions:
    def test_other_bytes_lie_beside_the_old_ones_and_the_row_points_at_them(self, workspace: Workspace) -> None:
        [mp3] = workspace.meet("one", talk())
        workspace.capture()
        old = workspace.row(mp3.id)
        workspace.world.replace_audio(mp3.id, talk(1))
        workspace.capture()
        new = workspace.row(mp3.id)
        sha256 = hashlib.sha256(body_of(talk(1))).hexdigest()
        assert new.source_key == f"mixed_audio/day={DAY}/{mp3.recording_id}/{mp3.id}.{sha256[:8]}.mp3"
        assert workspace.content(new.source_key) == body_of(talk(1))
        assert workspace.content(old.source_key) == body_of(talk())

    def test_the_same_bytes_make_no_new_file(self, workspace: Workspace) -> None:
        [mp3] = workspace.meet("one", talk())
        workspace.capture()
        old = workspace.row(mp3.id)
        workspace.world.replace_audio(mp3.id, talk())
        assert workspace.capture().downloaded == 1
        new = workspace.row(mp3.id)
        assert new.source_key == old.source_key
        assert new.captured_updated_at == new.updated_at != old.updated_at
        assert len(workspace.keys("mixed_audio")) == 2  # the file and the table
        assert workspace.capture().downloaded == 0

    def test_a_corrupt_new_version_does_not_displace_the_good_one(self, workspace: Workspace) -> None:
        [mp3] = workspace.meet("one", talk())
        workspace.capture()
        old = workspace.row(mp3.id)
        workspace.world.replace_audio(mp3.id, ErrorPage())
        workspace.capture()
        new = workspace.row(mp3.id)
        assert "looks like an HTML page" in (new.fault or "")
        assert (new.state, new.source_key, new.source_sha256) == ("archived", old.source_key, old.source_sha256)
        assert mp3s(workspace) == {body_of(talk()), body_of(ErrorPage())}

    def test_a_good_version_after_a_corrupt_one_clears_its_fault(self, workspace: Workspace) -> None:
        [mp3] = workspace.meet("one", ErrorPage())
        workspace.capture()
        workspace.world.replace_audio(mp3.id, talk())
        workspace.capture()
        row = workspace.row(mp3.id)
        assert (row.state, row.fault) == ("archived", None)
        assert workspace.content(row.source_key) == body_of(talk())

    def test_a_new_version_that_cannot_be_fetched_leaves_the_old_one(self, workspace: Workspace) -> None:
        [mp3] = workspace.meet("one", talk())
        workspace.capture()
        old = workspace.row(mp3.id)
        workspace.world.replace_audio(mp3.id, talk(1))
        strike(workspace, unavailable(), times=None)
        workspace.capture()
        row = workspace.row(mp3.id)
        assert (row.source_key, row.state, row.is_settled) == (old.source_key, "archived", False)
        assert row.fetch_failure == "the media host answers 503"


class TestLookingAgain:
    def test_a_named_recording_is_fetched_whatever_its_state_and_no_other(self, workspace: Workspace) -> None:
        [named] = workspace.meet("named", talk())
        workspace.meet("other", talk(1))
        workspace.capture()
        workspace.sandbox.access_log.clear()
        captured = workspace.capture(again=frozenset({named.recording_id}))
        assert workspace.media_requests() == [named.id]
        assert (captured.downloaded, captured.reused) == (1, 1)

    def test_a_corrupt_mp3_is_downloaded_again_after_recall_replaced_it(self, workspace: Workspace) -> None:
        [mp3] = workspace.meet("one", ErrorPage())
        workspace.capture()
        workspace.world.change_artifact(mp3.id, content=talk())
        workspace.capture(again=frozenset({mp3.recording_id}))
        assert workspace.row(mp3.id).state == "archived"

    def test_what_was_proven_stays_when_the_same_version_is_served_corrupt(self, workspace: Workspace) -> None:
        [mp3] = workspace.meet("one", talk())
        workspace.capture()
        old = workspace.row(mp3.id)
        workspace.world.change_artifact(mp3.id, content=ErrorPage())
        workspace.capture(again=frozenset({mp3.recording_id}))
        row = workspace.row(mp3.id)
        assert (row.state, row.fault, row.source_key) == ("archived", None, old.source_key)
        assert "looks like an HTML page" in (row.fetch_failure or "")
        assert mp3s(workspace) == {body_of(talk())}
        assert staging_folder_of(workspace) == []

    def test_what_is_no_longer_offered_is_left_alone(self) -> None:
        row = MixedAudioRow(an_id("one"), an_id("mp3"), status_code="deleted", state="archived")
        assert not DownloadPlan({}, frozenset({row.recording_id})).includes(row)


class Interrupted(Exception):
    """Somebody pulled the plug."""


@pytest.mark.parametrize(("ended_by", "kept"), [("a kill", 2), ("Ctrl-C or a fault", 3)])
def test_an_interrupted_sync_loses_only_the_work_since_the_last_checkpoint(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, ended_by: str, kept: int
) -> None:
    monkeypatch.setattr(checkpoints, "_FILES", 2)
    if ended_by == "a kill":
        monkeypatch.setattr(Checkpoints, "__exit__", lambda *_: None)  # nothing runs after SIGKILL
    for number in range(4):
        workspace.meet(f"meeting {number}", talk(number))

    def pull_the_plug(done: int, total: int) -> None:
        if (done, total) == (3, 4):
            raise Interrupted

    with pytest.raises(Interrupted):
        asyncio.run(capture_in_order(workspace, pull_the_plug))
    archive_state = MIXED_AUDIO.read(workspace.archive, DAY) or []
    assert (len(archive_state), sum(row.state == "archived" for row in archive_state)) == (4, kept)
    assert workspace.capture().downloaded == 4 - kept


class TestFaultOfTheStorage:
    @pytest.fixture
    def storage_url(self, folder_url: str) -> str:
        """A folder in which a file is in the way."""
        in_the_way = Path(folder_url) / "mixed_audio" / f"day={DAY}"
        in_the_way.parent.mkdir(parents=True)
        in_the_way.touch()
        return folder_url

    def test_it_ends_the_capture_and_everything_that_this_started(self, workspace: Workspace) -> None:
        for number in range(3):
            workspace.meet(f"meeting {number}", talk(number))
        with pytest.raises(StorageError, match="mixed_audio"):
            workspace.capture(concurrency=1)


async def capture_in_order(workspace: Workspace, progress: Progress) -> None:
    """Capture one after the other."""
    settings = workspace.settings.model_copy(update={"concurrency": 1})
    async with open_client(settings) as client:
        with open_day(workspace.archive, DAY) as day:
            await sync_mp3s(day, await workspace.discovered(day, client), settings, progress=progress)
