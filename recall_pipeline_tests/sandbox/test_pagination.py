from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import httpx
import pytest

from recall_pipeline_tests.sandbox.api_reads import all_rows, ids, recording_of
from recall_pipeline_tests.sandbox.conftest import TODAY
from recall_sandbox import Sandbox, World
from recall_sandbox.behaviour import Order
from recall_sandbox.records import SandboxRecording

LISTS = pytest.mark.parametrize("path", ["/bot/", "/recording/", "/audio_mixed/"])


def pages(api: httpx.Client, path: str) -> Iterator[dict[str, object]]:
    url: str | None = path
    while url:
        page = api.get(url).raise_for_status().json()
        yield page
        url = page["next"]


@LISTS
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_all_pages_together_are_complete_with_any_page_size(
    sandbox: Sandbox, api: httpx.Client, path: str, size: int
) -> None:
    whole = ids(all_rows(api, path))
    sandbox.behaviour.page_size = size
    rows = all_rows(api, path)
    assert ids(rows) == whole
    assert len(rows) == len(whole)


@LISTS
def test_next_is_absolute_and_keeps_the_filters(sandbox: Sandbox, api: httpx.Client, path: str) -> None:
    name = "join_at_after" if path == "/bot/" else "created_at_after"
    page = api.get(path, params={name: "2026-03-06T00:00:00+00:00"}).json()
    link = httpx.URL(page["next"])
    assert str(link).startswith(sandbox.api_url + path)
    assert link.params[name] == "2026-03-06T00:00:00+00:00"


@LISTS
def test_previous_leads_back_to_the_page_before(api: httpx.Client, path: str) -> None:
    for before, page in pairwise(list(pages(api, path))):
        back = api.get(str(page["previous"])).raise_for_status().json()
        assert ids(back["results"]) == ids(before["results"])  # type: ignore[arg-type]


@LISTS
def test_repeated_rows_are_on_two_pages(sandbox: Sandbox, api: httpx.Client, path: str) -> None:
    whole = ids(all_rows(api, path))
    sandbox.behaviour.repeat_rows = 2
    rows = all_rows(api, path)
    assert ids(rows) == whole
    assert len(rows) == len(whole) + 2 * (-(-len(whole) // 10) - 1)


@pytest.mark.parametrize(("order", "backwards"), [("newest", True), ("oldest", False)])
def test_lists_can_be_ordered_by_time(sandbox: Sandbox, api: httpx.Client, order: Order, backwards: bool) -> None:
    sandbox.behaviour.order = order
    moments = [datetime.fromisoformat(row["created_at"]) for row in all_rows(api, "/recording/")]
    assert moments == sorted(moments, reverse=backwards)


def test_the_default_order_is_not_by_time(api: httpx.Client) -> None:
    moments = [row["created_at"] for row in all_rows(api, "/recording/")]
    assert moments not in (sorted(moments), sorted(moments, reverse=True))


@pytest.mark.parametrize("page", ["0", "-1", "99", "two"])
def test_a_page_that_does_not_exist_answers_404(api: httpx.Client, page: str) -> None:
    answer = api.get("/bot/", params={"page": page})
    assert (answer.status_code, answer.json()) == (404, {"detail": "Invalid page."})


@pytest.mark.parametrize("cursor", ["nonsense", "eA==", "/"])
def test_an_invalid_cursor_answers_404(api: httpx.Client, cursor: str) -> None:
    answer = api.get("/recording/", params={"cursor": cursor})
    assert (answer.status_code, answer.json()) == (404, {"detail": "Invalid cursor"})


def test_a_cursor_stays_valid_without_its_row(sandbox: Sandbox, api: httpx.Client) -> None:
    first = api.get("/recording/").json()
    rest = ids(all_rows(api, first["next"]))
    sandbox.world.delete_recording(first["results"][-1]["id"], reads_as="gone")
    assert ids(all_rows(api, first["next"])) == rest


def test_a_row_added_during_pagination_is_in_the_next_listing(sandbox: Sandbox, api: httpx.Client) -> None:
    before = ids(all_rows(api, "/recording/"))
    kickoff = recording_of("kickoff")
    added = SandboxRecording(
        id=str(UUID(int=7)),
        bot_id=None,
        created_at=kickoff.created_at,
        started_at=None,
        completed_at=None,
        updated_at=kickoff.updated_at,
    )
    sandbox.world.add(added)
    assert ids(all_rows(api, "/recording/")) - before == {added.id}


def test_the_pages_of_a_long_list_have_no_gap() -> None:
    world = World()
    start = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC)
    for number in range(5000):
        at = start + timedelta(seconds=number)
        world.add(SandboxRecording(str(UUID(int=number)), None, at, at, at, at))
    with Sandbox(world, page_size=100, list_per_minute=None).running() as sandbox:
        headers = {"Authorization": sandbox.api_key}
        with httpx.Client(base_url=sandbox.api_url, headers=headers) as api:
            rows = all_rows(api, "/recording/", created_at_after=start + timedelta(seconds=1000))
        assert len(sandbox.access_log) == 40
    assert len(ids(rows)) == len(rows) == 4000
