"""The probe sends few requests, all of them reading, and its report describes each part of the service."""

import asyncio
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from recall_pipeline.api_probe import MOST_REQUESTS, ProbeReport, probe_service, report_lines
from recall_pipeline.api_probe.assumptions import ASSUMPTIONS
from recall_pipeline.api_probe.dialects import DIALECTS
from recall_pipeline.api_probe.media import MediaReport, read_one_byte
from recall_pipeline.download import UrlGuard
from recall_pipeline.settings import Settings
from recall_pipeline_tests.chaos.canaries import NUMBER, WORD, check_report
from recall_pipeline_tests.workspace import Rewritten, settings_for
from recall_sandbox import Rule, Sandbox, World, demo_world
from recall_sandbox.effects import Answer, Reply, Reset, throttling

_CALM: dict[str, Any] = {"list_per_minute": None, "object_per_minute": None}


@pytest.fixture
def world() -> World:
    return demo_world(date(2026, 3, 10))


@pytest.fixture
def report(settings: Settings) -> ProbeReport:
    return probe_service(settings)


@pytest.fixture
def whole(settings: Settings, sandbox: Sandbox) -> ProbeReport:
    """The report of a service whose pages show all rows."""
    sandbox.behaviour.page_size = 100
    return probe_service(settings)


def test_it_sends_at_most_20_requests_that_only_read(report: ProbeReport, sandbox: Sandbox) -> None:
    assert report.requests == len(sandbox.access_log) <= MOST_REQUESTS
    assert {(access.method, access.had_body) for access in sandbox.access_log} == {("GET", False)}


def test_every_dialect_of_filters_stays_within_20_requests(world: World, storage_url: str) -> None:
    for granularity in ("date", "date_only", "ignored"):
        sandbox = Sandbox(world, **_CALM, join_at_granularity=granularity, created_at_closed="both", page_size=3)
        with sandbox.running():
            probed = probe_service(settings_for(sandbox, storage_url))
        assert probed.requests <= MOST_REQUESTS
        assert (probed.media.status, probed.without_slash.status) == (206, 307)


def test_one_byte_of_one_mp3_is_requested_without_the_key(report: ProbeReport, sandbox: Sandbox) -> None:
    [access] = sandbox.access_log.only(origin="media")
    assert (access.range, access.had_authorization, access.bytes_sent) == ("bytes=0-0", False, 1)
    assert (report.media.status, report.media.ranges, report.media.etag) == (206, "honoured", "strong")
    assert (report.media.content_type, report.media.length) == ("audio/mpeg", "stated")


def test_the_lists_are_described(report: ProbeReport) -> None:
    lists = {kind: (found.paging, found.page_size, found.order) for kind, found in report.lists.items()}
    assert lists["bot"] == ("page number", 10, "unsorted")
    assert lists["recording"] == lists["audio_mixed"] == ("cursor", 10, "unsorted")
    assert report.cursor_for_bots == "no"
    assert report.lists["bot"].page_keys == ["count", "next", "previous", "results"]


def test_bots_without_join_at_are_seen_without_a_window(whole: ProbeReport, world: World) -> None:
    bots = list(world.bots)
    counts = (whole.unfiltered_bots, whole.unfiltered_bots_without_join_at)
    assert counts == (len(bots), len([bot for bot in bots if bot.join_at is None]))


def test_a_list_that_does_not_answer_once_does_not_end_the_probe(sandbox: Sandbox, settings: Settings) -> None:
    sandbox.faults.add(Rule(Reset(), path="/recording/$", times=1))
    report = probe_service(settings)
    assert (report.stopped, report.lists["recording"].body) == (None, "no answer")
    assert report.media.status == 206


def test_raw_shortcuts_are_counted(whole: ProbeReport) -> None:
    assert whole.codes["shortcut_format"].keys() == {"mp3", "raw"}


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_the_order_of_the_lists_is_named(order: str, sandbox: Sandbox, settings: Settings) -> None:
    sandbox.behaviour.order = order  # type: ignore[assignment]
    assert {found.order for found in probe_service(settings).lists.values()} == {order}


def test_fields_are_counted_by_shape_and_unknown_names_by_number(whole: ProbeReport, world: World) -> None:
    bots = whole.fields["bot"]
    assert bots.objects == len([bot for bot in world.bots if bot.join_at])  # the filter leaves out the others
    assert set(bots.fields["join_at"]) == {"date-time"}
    assert set(whole.fields["bot.meeting_url"].fields["meeting_password"]) == {"text", "absent"}
    assert bots.unknown_names == len({name for bot in world.bots for name in bot.unknown_fields}) > 0
    assert whole.fields["recording"].fields["created_at"].keys() == {"date-time"}


def test_the_shape_of_a_link_is_described_and_its_life(report: ProbeReport) -> None:
    link = report.link
    assert (link.place, link.scheme, link.host, link.extension) == ("nested", "http", "loopback", "mp3")
    assert link.segments == ["text", "uuid", "uuid"]
    assert link.query == ["AWSAccessKeyId", "Expires", "Signature", "x-amz-security-token"]
    assert (link.life_hours, link.new_at_each_read) == (6, True)


def test_every_assumption_has_a_verdict(whole: ProbeReport) -> None:
    verdicts = dict(whole.assumptions)
    assert list(verdicts) == list(ASSUMPTIONS)
    assert verdicts.pop("codes_are_documented") == "does not hold"  # the demo has a code of the future
    assert verdicts.pop("pages_advance") == "not seen"  # there is one page
    assert set(verdicts.values()) == {"holds"}


def test_the_first_day_explains_every_name_of_a_dialect() -> None:
    explained = (Path(__file__).parents[2] / "docs" / "first-day.md").read_text("utf-8")
    assert [name for name in DIALECTS if f"`{name}`" not in explained] == []


def test_the_text_has_all_parts_and_no_value(report: ProbeReport, world: World) -> None:
    text = "\n".join(report_lines(report)) + json.dumps(report.as_json())
    check_report(report)
    assert [bot.name for bot in world.bots if bot.name in text] == []
    assert re.search(r"[0-9a-f]{8}-|https?://|contoso|2026-", text, re.IGNORECASE) is None
    for part in ("Assumptions", "Lists", "Filters", "Download link", "Headers", "Fields", "Codes", "Clock"):
        assert f"\n{part}" in text


def with_canaries(value: Any, name: str = "") -> Any:
    """A JSON value with a canary in every text that is not needed to go on, and with one more name in every object."""
    match value:
        case dict():
            return {**{key: with_canaries(item, key) for key, item in value.items()}, f"{WORD} {name}": NUMBER}
        case list():
            return [with_canaries(item, name) for item in value]
        case str() if name not in ("id", "code", "format", "download_url", "next") and not name.endswith("_at"):
            return f"{WORD} {value}"
    return NUMBER if name == "count" else value


def test_a_service_that_works_with_canaries_everywhere_is_probed_to_the_end(
    sandbox: Sandbox, settings: Settings
) -> None:
    def marked(answer: Answer) -> Answer:
        body = json.dumps(with_canaries(json.loads(answer.body))).encode()
        return Answer(answer.status, body, {**answer.headers, f"x-{WORD}": WORD, "server": WORD})

    sandbox.faults.add(Rule(Rewritten(marked), origin="api", path="/$"))
    report = probe_service(settings)
    check_report(report)
    assert (report.stopped, report.media.status, report.filters["created_at"].compares) == (None, 206, "date-times")
    assert report.unknown_headers["api"] == 1
    assert all(shape.unknown_names for place, shape in report.fields.items() if shape.objects)


@pytest.mark.parametrize(
    ("effect", "stopped"),
    [
        (Reply(401, {"detail": "Invalid token."}), "the key is refused"),
        (Reply(403, b"<html>", {"Content-Type": "text/html"}), "the firewall refuses"),
        (throttling("60"), "throttled"),
    ],
)
def test_a_refusal_that_concerns_all_ends_the_probe_at_once(
    effect: Reply, stopped: str, sandbox: Sandbox, settings: Settings
) -> None:
    sandbox.faults.add(Rule(effect, origin="api"))
    report = probe_service(settings)
    assert (report.stopped, report.stopped_at, report.requests) == (stopped, "list bot", 1)
    assert set(report.assumptions.values()) <= {"not seen", "does not hold", "holds"}


def test_an_api_that_does_not_answer_is_reported(sandbox: Sandbox, settings: Settings) -> None:
    unreachable = settings.model_copy(update={"api_url": "http://127.0.0.1:9/api/v1"})
    report = probe_service(unreachable)
    assert (report.stopped, report.dialect) == ("no answer", ["no-answer"])


def test_an_empty_workspace_answers_with_nothing_seen(storage_url: str) -> None:
    with Sandbox(World(), **_CALM).running() as sandbox:
        report = probe_service(settings_for(sandbox, storage_url))
    assert report.stopped is None
    assert report.assumptions["finished_mp3s_have_a_link"] == "not seen"
    assert report.lists["bot"].paging == "one page, counted"


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest", "file:///etc/passwd", "http://10.0.0.1/a.mp3"])
def test_a_link_to_an_address_that_downloads_refuse_is_not_opened(url: str) -> None:
    async def ask() -> tuple[MediaReport, list[str]]:
        async with httpx.AsyncClient() as http:
            return await read_one_byte(http, url, UrlGuard())

    report, headers = asyncio.run(ask())
    assert (report.status, report.error, headers) == (None, "the address is not allowed", [])


def test_bots_that_embed_recordings_in_several_ways_are_named_after_each(sandbox: Sandbox, settings: Settings) -> None:
    sandbox.behaviour.embedded = "mixed"
    assert {"v1.10-embedded-recordings", "null-embedded-fields"} <= set(probe_service(settings).dialect)
