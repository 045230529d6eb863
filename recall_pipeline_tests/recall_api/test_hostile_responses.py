"""Whatever the API answers, a listing is whole or an error, and an object is what was asked for or nothing."""

import gzip
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from recall_pipeline.days import ONE_DAY
from recall_pipeline.errors import RecallError, RecallProtocolError, RecallUnreachable
from recall_pipeline.recall_api import Listing, Window, api_requests
from recall_pipeline.recall_api.day_listing import list_days
from recall_pipeline_tests.recall_api.conftest import CallApi
from recall_pipeline_tests.workspace import DAY, NINE, an_id
from recall_sandbox import Rule, Sandbox, World
from recall_sandbox.effects import EditJson, Effect, Reply, Truncate, error_page, garbage_json, unavailable
from recall_sandbox.records import SandboxRecording

WINDOW: Window = (NINE - timedelta(hours=9), NINE + timedelta(hours=15))
FAR = "2999-01-01T00:00:00Z"


@pytest.fixture
def world() -> World:
    """25 recordings: three pages."""
    world = World()
    for number in range(25):
        at = NINE + timedelta(minutes=number)
        world.add(SandboxRecording(an_id(f"recording {number}"), None, at, at, at, at))
    return world


def edited(sandbox: Sandbox, edit: Callable[[dict[str, Any]], dict[str, Any]], *, page: int = 1) -> None:
    """Let one page of the recordings be answered with other rows."""

    def rewrite(answer: dict[str, Any]) -> Any:
        return {**answer, "results": [edit(row) for row in answer["results"]]}

    sandbox.faults.add(Rule(EditJson(rewrite), path="/recording/$", skip=page - 1, times=1))


@pytest.mark.parametrize(
    "effect", [unavailable(), garbage_json(), error_page(), Truncate(200), Reply(200, {"results": []})], ids=str
)
def test_a_listing_that_breaks_off_is_an_error(effect: Effect, call: CallApi, sandbox: Sandbox) -> None:
    sandbox.faults.add(Rule(effect, path="/recording/$", skip=1))
    with pytest.raises(RecallError):
        call(lambda client: client.recordings(WINDOW))


def test_a_response_of_ten_megabytes_is_read(call: CallApi, sandbox: Sandbox) -> None:
    edited(sandbox, lambda row: {**row, "junk": "x" * 2**20})
    assert len(call(lambda client: client.recordings(WINDOW))) == 25


def test_the_size_limit_counts_the_decompressed_response(
    call: CallApi, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_requests, "_MAX_RESPONSE_BYTES", 2**20)
    bomb = gzip.compress(json.dumps("x" * 2**24).encode())
    assert len(bomb) < 2**15
    sandbox.faults.add(Rule(Reply(200, bomb, {"Content-Encoding": "gzip", "Content-Type": "application/json"})))
    with pytest.raises(RecallProtocolError, match="a response of over 1 MiB"):
        call(lambda client: client.recordings(WINDOW))


def test_of_two_rows_with_one_id_the_later_wins(call: CallApi, sandbox: Sandbox) -> None:
    twin = an_id("recording 0")
    edited(sandbox, lambda row: {**row, "id": twin, "status": {"code": "failed"}}, page=3)
    found = call(lambda client: client.recordings(WINDOW))
    assert len(found) == 20
    assert found[twin].status.code == "failed"


def test_a_recording_in_the_future_belongs_to_its_own_day(call: CallApi, sandbox: Sandbox) -> None:
    edited(sandbox, lambda row: {**row, "created_at": FAR, "completed_at": FAR, "expires_at": FAR})
    listing: Listing = call(lambda client: list_days(client, DAY, DAY))
    days = Counter(recording.day for recording in listing.recordings.values())
    assert (days[DAY], days[datetime(2999, 1, 1, tzinfo=UTC).date()]) == (15, 10)


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "../../etc/passwd"},
        {"id": None},
        {"id": 7},
        {"created_at": None},
        {"created_at": "soon"},
        {"created_at": "Mon, 02 Mar 2026 09:00:21 GMT"},
        {"created_at": 0},
        {"nested": json.loads("[" * 700 + "]" * 700)},
    ],
    ids=lambda wrong: f"{wrong}"[:40],
)
def test_an_unusable_row_is_named_and_does_not_affect_others(
    wrong: dict[str, Any], call: CallApi, sandbox: Sandbox
) -> None:
    names = {
        "id": "its id is not a UUID",
        "created_at": "its created_at is not a date-time",
        "nested": "nested too deeply",
    }

    def spoil(page: Any) -> Any:
        first, *rest = page["results"]
        return {**page, "results": [{**first, **wrong}, *rest]}

    sandbox.faults.add(Rule(EditJson(spoil), path="/recording/$", times=1))
    listing: Listing = call(lambda client: list_days(client, DAY, DAY + ONE_DAY))
    assert len(listing.recordings) == 24
    [rejected] = listing.rejected
    assert rejected.startswith("recording ")
    assert all(names[field] in rejected for field in wrong)


@pytest.mark.parametrize("wrong", [None, 7, "x", [], {}, {"code": ["done"]}, {"code": "sparkling"}], ids=str)
def test_nulls_wrong_types_and_unknown_codes_lose_no_row(wrong: Any, call: CallApi, sandbox: Sandbox) -> None:
    names = ("status", "bot", "media_shortcuts", "metadata", "started_at", "completed_at", "expires_at")
    edited(sandbox, lambda row: {**row, **dict.fromkeys(names, wrong)})
    assert len(call(lambda client: client.recordings(WINDOW))) == 25


def test_a_retry_after_date_far_in_the_future_is_not_waited_for(call: CallApi, sandbox: Sandbox) -> None:
    sandbox.faults.add(Rule(Reply(503, b"", {"Retry-After": "Thu, 01 Jan 2999 00:00:00 GMT"})))
    with pytest.raises(RecallUnreachable):
        call(lambda client: client.recordings(WINDOW))
    assert len(sandbox.access_log) == 1
