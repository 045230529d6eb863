import httpx

from recall_pipeline_tests.sandbox.api_reads import bot_of, fresh_link, recording_of

# The keys of the example in docs/design/recall-api.md, section 10.
BOT = {
    "id",
    "meeting_url",
    "bot_name",
    "join_at",
    "metadata",
    "recording_config",
    "status_changes",
    "recordings",
    "calendar_meetings",
    "slack_team",
}
STATUS_CHANGE = {"code", "message", "created_at", "sub_code"}
RECORDING = {
    "id",
    "created_at",
    "started_at",
    "completed_at",
    "expires_at",
    "status",
    "media_shortcuts",
    "metadata",
}
SHORTCUTS = {"video_mixed", "transcript", "participant_events", "meeting_metadata", "audio_mixed"}
AUDIO = {"id", "created_at", "status", "metadata", "data", "format"}


def test_a_bot_has_the_keys_of_the_documented_example(api: httpx.Client) -> None:
    bot = api.get(f"/bot/{bot_of('kickoff').id}/").json()
    assert set(bot) == BOT
    assert all(set(change) == STATUS_CHANGE for change in bot["status_changes"])
    [recording] = bot["recordings"]
    assert set(recording) == RECORDING
    assert set(recording["media_shortcuts"]) == SHORTCUTS
    assert set(recording["media_shortcuts"]["audio_mixed"]) == AUDIO


def test_a_recording_lookup_shows_its_bot(api: httpx.Client) -> None:
    recording = api.get(f"/recording/{recording_of('kickoff').id}/").json()
    assert set(recording) == RECORDING | {"bot", "desktop_sdk_upload"}
    bot = bot_of("kickoff")
    assert recording["bot"] == {"id": bot.id, "metadata": bot.metadata}
    assert recording["desktop_sdk_upload"] is None


def test_an_artifact_lookup_shows_its_recording(api: httpx.Client) -> None:
    recording = api.get(f"/recording/{recording_of('kickoff').id}/").json()
    shortcut = recording["media_shortcuts"]["audio_mixed"]
    artifact = api.get(f"/audio_mixed/{shortcut['id']}/").json()
    assert set(artifact) == AUDIO | {"recording"}
    assert artifact["recording"] == {"id": recording["id"], "metadata": recording["metadata"]}
    assert {**artifact, "data": None, "recording": None} == {
        **shortcut,
        "data": None,
        "recording": None,
    }


def test_expires_at_is_the_end_plus_the_retention(api: httpx.Client) -> None:
    recording = api.get(f"/recording/{recording_of('kickoff').id}/").json()
    assert recording["created_at"] == "2026-03-05T09:00:21Z"
    assert recording["completed_at"] == "2026-03-05T09:01:36Z"
    assert recording["expires_at"] == "2026-03-12T09:01:36Z"


def test_times_have_microseconds_unless_they_are_zero(api: httpx.Client) -> None:
    changes = api.get(f"/bot/{bot_of('kickoff').id}/").json()["status_changes"]
    assert changes[1]["created_at"] == "2026-03-05T09:00:02.000001Z"


def test_the_shortcut_has_its_own_download_link(api: httpx.Client) -> None:
    recording = api.get(f"/recording/{recording_of('kickoff').id}/").json()
    shortcut = recording["media_shortcuts"]["audio_mixed"]
    assert httpx.get(shortcut["data"]["download_url"]).status_code == 200
    assert shortcut["data"]["download_url"] != fresh_link(api, shortcut["id"])
