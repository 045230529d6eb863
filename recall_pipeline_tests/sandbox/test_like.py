"""Switches from a report: any JSON object gives switches that the sandbox accepts, and unknown words change nothing."""

from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from recall_sandbox import Sandbox, World, switches_like
from recall_sandbox.behaviour import Behaviour
from recall_sandbox.like_fields import sandbox_shape, shaped
from recall_sandbox.like_switches import ReportedAnswers

_WORDS = (
    "lists bot recording filters join_at compares fields link media status body order seconds page_size repeated_rows"
    " paging next_page objects stopped place error unknown_names"
)
_NAMES = st.sampled_from(_WORDS.split())
_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=20,
)


@examples(max_examples=100, deadline=None, derandomize=True, database=None, suppress_health_check=[*HealthCheck])
@given(st.dictionaries(_NAMES, _JUNK, max_size=6))
def test_any_object_gives_switches(report: dict[str, Any]) -> None:
    Behaviour(**switches_like(report))


def test_an_empty_report_changes_nothing() -> None:
    assert Behaviour(**switches_like({})) == Behaviour()


def test_lists_take_as_long_and_have_the_pages_that_the_report_says() -> None:
    lists = {"bot": {"seconds": 0.2, "page_size": 7}, "recording": {"seconds": 0.01}, "audio_mixed": {"seconds": 500}}
    switches = switches_like({"lists": lists})
    assert switches["seconds"] == {"bot": 0.2, "audio_mixed": 60.0}
    assert switches["page_sizes"] == {"bot": 7}


@pytest.mark.parametrize(
    ("value", "counts", "shown"),
    [
        ("text", {"null": 3}, None),
        ("text", {"text": 3}, "text"),
        ("text", {"uuid": 3}, "text"),  # an id is never invented
        (None, {"date-time": 3}, None),  # nor is a time
        ({"a": 1}, {"empty object": 1}, {}),
        ([1], {"empty list": 1}, []),
        ("2026-03-02T09:00:00Z", {"date-time without zone": 1}, "2026-03-02T09:00:00"),
        ({"meeting_id": "812"}, {"url": 1}, "https://zoom.us/j/81234567890"),
    ],
)
def test_a_field_gets_the_shape_that_is_reported(value: Any, counts: dict[str, int], shown: Any) -> None:
    answers = ReportedAnswers(fields={"bot": {"field": counts}})
    assert shaped(answers, "bot", {"field": value}) == {"field": shown}


def test_a_field_that_the_report_lacks_is_absent_and_unknown_names_are_added() -> None:
    answers = ReportedAnswers(fields={"bot": {"id": {"text": 1}}}, unlisted={"bot": 2})
    assert shaped(answers, "bot", {"id": "a", "name": "b"}).keys() == {"id", "unlisted_0", "unlisted_1"}


def test_a_share_of_nulls_in_bots_is_kept() -> None:
    answers = ReportedAnswers(fields={"bot": {"id": {"text": 1}, "name": {"null": 1, "text": 1}}})
    names = [shaped(answers, "bot", {"id": str(number), "name": "a"})["name"] for number in range(200)]
    assert 60 < names.count(None) < 140


def test_a_shape_has_the_word_of_the_report() -> None:
    values: list[Any] = [
        None,
        True,
        1,
        "",
        "https://x",
        "3b1c2d4e-0d4a-4b55-8f6e-1a2b3c4d5e6f",
        "2026-03-02T09:00:00Z",
        "a",
        [],
        {},
    ]
    shapes = [
        "null",
        "boolean",
        "number",
        "empty text",
        "url",
        "uuid",
        "date-time",
        "text",
        "empty list",
        "empty object",
    ]
    assert [sandbox_shape(value) for value in values] == shapes


def test_a_firewall_answers_a_web_page() -> None:
    with Sandbox(World(), **switches_like({"stopped": "the firewall refuses"})).running() as sandbox:
        answer = httpx.get(f"{sandbox.api_url}/bot/", headers={"Authorization": sandbox.api_key})
    assert (answer.status_code, answer.headers["content-type"]) == (403, "text/html")
