import httpx
import pytest

from recall_pipeline_tests.sandbox.api_reads import (
    all_rows,
    artifact_of,
    bot_of,
    fresh_link,
    ids,
    recording_of,
)
from recall_pipeline_tests.sandbox.conftest import NOON, TODAY
from recall_sandbox import ExpectedRow, Sandbox, World
from recall_sandbox.content import digest_of
from recall_sandbox.demo import demo_meetings
from recall_sandbox.meetings import rows_of
from recall_sandbox.speech import Speech


def expected_of(world: World, recording_id: str) -> list[ExpectedRow]:
    return [row for row in world.expected_rows(NOON) if row.recording_id == recording_id]


def test_an_artifact_deleted_upstream_is_not_shown_any_more(sandbox: Sandbox, api: httpx.Client) -> None:
    artifact = artifact_of("kickoff")
    sandbox.world.delete_artifact(artifact.id, reads_as="gone")
    assert api.get(f"/audio_mixed/{artifact.id}/").status_code == 404
    assert artifact.id not in ids(all_rows(api, "/audio_mixed/"))
    recording = api.get(f"/recording/{artifact.recording_id}/").json()
    assert recording["media_shortcuts"]["audio_mixed"] is None


def test_a_recording_deleted_upstream_can_disappear_completely(sandbox: Sandbox, api: httpx.Client) -> None:
    recording = recording_of("kickoff")
    sandbox.world.delete_recording(recording.id, reads_as="gone")
    assert api.get(f"/recording/{recording.id}/").status_code == 404
    assert recording.id not in ids(all_rows(api, "/recording/"))
    assert api.get(f"/bot/{recording.bot_id}/").json()["recordings"] == []
    assert expected_of(sandbox.world, recording.id) == []


def test_an_artifact_can_be_completed(sandbox: Sandbox, api: httpx.Client, storage: httpx.Client) -> None:
    artifact = artifact_of("still-mixing")
    assert fresh_link(api, artifact.id) is None
    sandbox.world.finish_artifact(artifact.id, Speech(2))
    assert storage.get(fresh_link(api, artifact.id)).content == Speech(2).body()
    [row] = expected_of(sandbox.world, artifact.recording_id)
    assert row.outcome == "ready"


def test_a_recording_can_be_completed(sandbox: Sandbox, api: httpx.Client) -> None:
    recording = recording_of("on-hold")
    sandbox.world.finish_recording(recording.id)
    read = api.get(f"/recording/{recording.id}/").json()
    assert read["status"]["code"] == "done"
    assert read["completed_at"] == read["status"]["updated_at"]


def test_replaced_audio_has_other_bytes_and_a_later_updated_at(
    sandbox: Sandbox, api: httpx.Client, storage: httpx.Client
) -> None:
    artifact = artifact_of("kickoff")
    before = api.get(f"/audio_mixed/{artifact.id}/").json()
    sandbox.world.replace_audio(artifact.id, Speech(3))
    after = api.get(f"/audio_mixed/{artifact.id}/").json()
    assert after["status"]["updated_at"] > before["status"]["updated_at"]
    assert after["created_at"] == before["created_at"]
    for link in (before["data"]["download_url"], after["data"]["download_url"]):
        assert storage.get(link).headers["ETag"] == f'"{digest_of(Speech(3)).md5}"'


def test_a_meeting_can_be_added(api: httpx.Client, sandbox: Sandbox) -> None:
    kickoff = demo_meetings()[0]
    rows = list(rows_of(kickoff, TODAY.replace(day=20)))
    sandbox.world.add(*rows)
    shown = all_rows(api, "/bot/", join_at_after="2026-03-14")
    assert [bot["id"] for bot in shown] == [rows[0].id]
    assert len(shown[0]["recordings"]) == 1


def test_any_field_can_be_changed(sandbox: Sandbox, api: httpx.Client) -> None:
    bot, recording = bot_of("kickoff"), recording_of("kickoff")
    sandbox.world.change_bot(bot.id, name="Other Bot", join_at=None)
    sandbox.world.change_recording(recording.id, metadata={"a": "b"})
    sandbox.world.change_artifact(artifact_of("kickoff").id, format="raw")
    assert api.get(f"/bot/{bot.id}/").json()["bot_name"] == "Other Bot"
    assert bot.id not in ids(all_rows(api, "/bot/", join_at_after="2026-01-01"))
    assert api.get(f"/recording/{recording.id}/").json()["metadata"] == {"a": "b"}
    assert ids(all_rows(api, "/recording/", metadata__a="b")) == {recording.id}


def test_a_change_of_an_unknown_id_raises_key_error() -> None:
    with pytest.raises(KeyError, match="nobody"):
        World().change_bot("nobody", name="x")
