"""A report is replayed by the sandbox: the probe names each dialect, finds the same in its replay, and a sync ends."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from recall_pipeline.api_probe import ProbeReport, probe_service
from recall_pipeline.errors import PipelineError
from recall_pipeline.settings import Settings
from recall_pipeline_tests.workspace import Workspace, an_id, settings_for, talk
from recall_sandbox import AS_SEEN_IN_2026, Sandbox, World, switches_like

_LISTS = ("bot", "recording", "audio_mixed")
_FAR = datetime(2999, 1, 1, tzinfo=UTC)
_OF_EACH = {"id": {"uuid": 1}, "created_at": {"date-time": 1}, "status": {"text": 1}, "metadata": {"empty object": 1}}
_OF_RECORDINGS = {
    **{name: {"date-time": 1} for name in ("started_at", "completed_at", "expires_at")},
    **{"media_shortcuts": {"object": 1}, "bot": {"uuid": 1}},
}
COMPLETE: Mapping[str, tuple[Mapping[str, Any], set[str]]] = {
    "documented": ({}, {"documented-v1.11"}),
    "flat": ({"link_place": "flat"}, {"flat-download-url"}),
    "both": ({"link_place": "both"}, {"two-download-urls"}),
    "v1.10": ({"embedded": "four_fields", "bots_of_v1_10": True}, {"v1.10-embedded-recordings"}),
    "nulls": ({"embedded": "nulls"}, {"null-embedded-fields"}),
    "cursors": ({"paging": {"bot": "cursor"}}, {"bots-paged-by-cursor"}),
    "numbers": (
        {"paging": dict.fromkeys(("recording", "audio_mixed"), "page number")},
        {"recordings-paged-by-number"},
    ),
    "offsets": (
        {"paging": dict.fromkeys(_LISTS, "offset"), "next_page": "relative"},
        {"paged-by-offset", "next-relative"},
    ),
    "another host": ({"next_page": "another host of Recall.ai"}, {"next-on-another-host"}),
    "dates": ({"join_at_granularity": "date"}, {"join-at-compares-dates"}),
    "dates only": ({"join_at_granularity": "date_only"}, {"join-at-takes-dates-only"}),
    "filters ignored": (
        {"join_at_granularity": "ignored", "created_at_closed": "ignored"},
        {"time-filters-ignored"},
    ),
    "other bounds": ({"created_at_closed": "right"}, {"created-at-lower-excluded", "created-at-upper-included"}),
    "newest first": ({"order": "newest", "repeat_rows": 1}, {"pages-repeat-rows"}),
    "colon": ({"link_path": "colon"}, {"percent-encoded-colon"}),
    "plain media": (
        {"ranges": False, "etag": "none", "has_length": False, "media_type": "binary/octet-stream"},
        {"no-ranges", "no-etag", "no-length", "media-not-audio"},
    ),
    "redirects": ({"redirects": True}, {"media-redirects"}),
    "cleared": ({"clears_meeting_urls": True}, {"meeting-urls-cleared"}),
    "few fields": (
        {"fields": {"bot": {"id": {"uuid": 1}, "join_at": {"null": 1}}, "recording.media_shortcuts": {}}},
        {"bots-without-recordings", "join-at-cleared", "meeting-urls-cleared", "no-shortcuts"},
    ),
    "texts": (
        {
            "fields": {
                "recording": {**_OF_EACH, **_OF_RECORDINGS},
                "audio_mixed": {
                    **{**_OF_EACH, "recording": {"uuid": 1}, "data": {"object": 1}, "format": {"text": 1}},
                },
            }
        },
        {"statuses-as-text", "references-as-ids"},
    ),
    "as seen in 2026": (
        {**AS_SEEN_IN_2026, "link_place": "flat", "embedded": "four_fields", "link_path": "colon"},
        {
            "join-at-compares-dates", "v1.10-embedded-recordings", "meeting-urls-cleared", "flat-download-url",
            "percent-encoded-colon",
        },
    ),
}  # fmt: skip
STOPPED: Mapping[str, tuple[Mapping[str, Any], set[str], str]] = {
    "key refused": ({"refusals": dict.fromkeys(_LISTS, 401)}, {"key-refused"}, "HTTP 401"),
    "firewall": ({"refusals": dict.fromkeys(_LISTS, 403)}, {"firewall"}, "HTTP 403"),
    "out of credit": ({"refusals": dict.fromkeys(_LISTS, 402)}, {"out-of-credit"}, "out of credit"),
    "one list fails": ({"refusals": {"audio_mixed": 405}}, {"lists-fail"}, "HTTP 405"),
    "circle": ({"next_page": "the same page"}, {"next-in-a-circle"}, "in a circle"),
    "unreadable next": ({"next_page": "not a URL"}, {"next-unreadable"}, "neither a URL nor null"),
    "other pages": ({"bodies": {"recording": "object"}}, {"pages-unreadable"}, "lacks `results` or `next`"),
    "a web page": ({"bodies": {"bot": "HTML or XML"}}, {"pages-unreadable"}, "not JSON"),
    "times refused": ({"created_at_closed": "refused"}, {"lists-fail"}, "HTTP 400"),
}
CALM = {"list_per_minute": None, "object_per_minute": None}


@pytest.fixture
def meetings(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Four meetings of one day, each with an MP3 that its recording shows."""
    world = World()
    place = Workspace(Sandbox(world), Settings(storage_url=str(tmp_path_factory.mktemp("nothing"))))
    for number in range(4):
        [mp3] = place.meet(f"meeting {number}", talk(), expires_at=_FAR)
        world.change_recording(an_id(f"meeting {number}"), shortcut_id=mp3.id)
    return world


@pytest.fixture
def probed(meetings: World, storage_url: str) -> Any:
    """Return a function that probes the meetings under some switches, and on request archives them."""

    def run(switches: Mapping[str, Any], *, sync: bool = False) -> tuple[ProbeReport, Workspace]:
        with Sandbox(meetings, **{"page_size": 2, **CALM, **switches}).running() as sandbox:
            settings = settings_for(sandbox, storage_url)
            report, workspace = probe_service(settings), Workspace(sandbox, settings)
            if sync:
                workspace.capture()
        return report, workspace

    return run


def replayed(report: ProbeReport) -> dict[str, Any]:
    """The switches for a report that was written as JSON and read again, without its delays."""
    return {**switches_like(json.loads(json.dumps(report.as_json()))), "seconds": {}}


def names_in(report: ProbeReport) -> set[str]:
    """The dialect of a report, without the name that depends on the load of this machine."""
    return (set(report.dialect) - {"slow"}) or {"documented-v1.11"}


@pytest.mark.parametrize("dialect", COMPLETE)
def test_a_dialect_is_named_and_its_replay_is_named_the_same_and_archived_whole(dialect: str, probed: Any) -> None:
    switches, names = COMPLETE[dialect]
    seen, _ = probed(switches)
    assert names_in(seen) == names
    again, workspace = probed(replayed(seen), sync=True)
    assert names_in(again) == names
    assert len(workspace.keys("mixed_audio")) == 4 + 1  # and the table


@pytest.mark.parametrize("dialect", STOPPED)
def test_a_dialect_that_cannot_be_archived_stops_the_sync_with_its_cause(dialect: str, probed: Any) -> None:
    switches, names, cause = STOPPED[dialect]
    seen, _ = probed(switches)
    assert names <= set(seen.dialect)
    with pytest.raises(PipelineError, match=cause):
        probed(replayed(seen), sync=True)


def test_links_that_the_storage_refuses_are_failed_downloads_with_their_cause(probed: Any) -> None:
    seen, _ = probed({"media_error": (400, "ExpiredToken")})
    assert names_in(seen) == {"media-refused"}
    again, workspace = probed(replayed(seen), sync=True)
    assert again.media.error == "ExpiredToken"
    assert "answers 400" in str(workspace.row(an_id("meeting 0 mp3 0")).fetch_failure)


def test_a_finished_mp3_without_a_link_is_named(probed: Any) -> None:
    shapes = {"object": 1}
    fields = {"audio_mixed.data": {"download_url": {"null": 1}}, "audio_mixed": {"data": shapes}}
    fields["audio_mixed"] |= {name: {"uuid": 1, "text": 1, "object": 1} for name in ("id", "status", "format")}
    seen, _ = probed({"fields": fields})
    assert "done-without-link" in seen.dialect
    assert names_in(probed(replayed(seen))[0]) == names_in(seen)


def test_a_workspace_whose_media_all_expired_is_named_and_its_replay_has_no_recording(probed: Any) -> None:
    seen, _ = probed({"all_media_expired": True})
    assert names_in(seen) == {"all-media-expired"}
    again, workspace = probed(replayed(seen), sync=True)
    assert names_in(again) == names_in(seen)
    assert (again.requests <= 20, [key for key in workspace.keys("mixed_audio") if key.endswith(".mp3")]) == (True, [])
