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
from recall_sandbox import Sandbox


@pytest.mark.parametrize("path", ["/bot/", "/recording/", "/audio_mixed/"])
def test_the_pages_of_a_list_show_every_row_once(api: httpx.Client, path: str) -> None:
    rows = all_rows(api, path)
    assert len(rows) > 30
    assert len(ids(rows)) == len(rows)


def test_only_the_bot_list_has_a_count(api: httpx.Client) -> None:
    page = api.get("/bot/").json()
    assert set(page) == {"count", "next", "previous", "results"}
    assert page["count"] == len(all_rows(api, "/bot/"))
    assert set(api.get("/recording/").json()) == {"next", "previous", "results"}
    assert set(api.get("/audio_mixed/").json()) == {"next", "previous", "results"}


def test_a_lookup_and_a_list_show_the_same_row(api: httpx.Client) -> None:
    bot = all_rows(api, "/bot/")[0]
    read = api.get(f"/bot/{bot['id']}/").json()
    assert {**read, "recordings": None} == {**bot, "recordings": None}
    recording = all_rows(api, "/recording/", bot_id=bot_of("interview").id)[0]
    assert api.get(f"/recording/{recording['id']}/").json()["status"] == recording["status"]


@pytest.mark.parametrize("kind", ["bot", "recording", "audio_mixed"])
@pytest.mark.parametrize("name", ["7b0c6c1e-2f0a-4a43-9c55-0d2f6a1b9e01", "no-uuid"])
def test_an_id_that_does_not_exist_answers_404(api: httpx.Client, kind: str, name: str) -> None:
    answer = api.get(f"/{kind}/{name}/")
    assert answer.status_code == 404
    assert answer.json() == {"code": "not_found", "detail": "Not found."}


def test_a_path_without_its_last_slash_is_redirected(api: httpx.Client) -> None:
    answer = api.get("/bot")
    assert answer.is_redirect
    assert answer.next_request is not None
    assert answer.next_request.url.path == "/api/v1/bot/"


def test_a_method_that_does_not_exist_answers_405_as_json(api: httpx.Client) -> None:
    answer = api.put("/bot/")
    assert answer.status_code == 405
    assert answer.json()["detail"] == "Method Not Allowed"


def test_every_read_makes_a_new_link(api: httpx.Client) -> None:
    artifact_id = artifact_of("kickoff").id
    assert fresh_link(api, artifact_id) != fresh_link(api, artifact_id)


def test_links_point_to_the_storage_origin(sandbox: Sandbox, api: httpx.Client) -> None:
    link = fresh_link(api, artifact_of("kickoff").id)
    assert link.startswith(sandbox.media_url)
    assert not link.startswith(sandbox.api_url.removesuffix("/api/v1"))


def test_a_lookup_of_a_deleted_object_answers_200_with_its_status(api: httpx.Client) -> None:
    answer = api.get(f"/audio_mixed/{artifact_of('audio-deleted').id}/")
    assert answer.status_code == 200
    assert answer.json()["status"]["code"] == "deleted"
    assert answer.json()["data"] == {"download_url": None}
    recording = api.get(f"/recording/{recording_of('deleted-embedded').id}/")
    assert recording.json()["status"]["code"] == "deleted"


def test_a_lookup_of_a_gone_object_answers_404_although_other_objects_show_it(api: httpx.Client) -> None:
    gone = artifact_of("audio-gone")
    assert api.get(f"/audio_mixed/{gone.id}/").status_code == 404
    shown = api.get(f"/recording/{gone.recording_id}/").json()["media_shortcuts"]["audio_mixed"]
    assert (shown["id"], shown["data"]) == (gone.id, {"download_url": None})
    recording = recording_of("deleted-gone")
    assert api.get(f"/recording/{recording.id}/").status_code == 404
    bot = api.get(f"/bot/{recording.bot_id}/").json()
    assert ids(bot["recordings"]) == {recording.id}
    assert recording.id not in ids(all_rows(api, "/recording/"))


def test_deleting_a_recording_deletes_its_audio(api: httpx.Client, storage: httpx.Client) -> None:
    artifact = artifact_of("kickoff")
    link = fresh_link(api, artifact.id)
    answer = api.delete(f"/recording/{artifact.recording_id}/")
    assert (answer.status_code, answer.content) == (204, b"")
    read = api.get(f"/recording/{artifact.recording_id}/").json()
    assert read["status"]["code"] == "deleted"
    assert read["media_shortcuts"]["audio_mixed"] is None
    assert api.get(f"/audio_mixed/{artifact.id}/").json()["status"]["code"] == "deleted"
    assert storage.get(link).status_code == 404


def test_deleting_an_artifact_keeps_its_recording(api: httpx.Client) -> None:
    artifact = artifact_of("kickoff")
    assert api.delete(f"/audio_mixed/{artifact.id}/").status_code == 204
    assert api.get(f"/audio_mixed/{artifact.id}/").json()["status"]["code"] == "deleted"
    assert api.get(f"/recording/{artifact.recording_id}/").json()["status"]["code"] == "done"
