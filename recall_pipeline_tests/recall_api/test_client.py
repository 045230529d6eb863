"""The client against a Recall.ai over real HTTP (docs/design/recall-api.md, sections 1 to 6)."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
import stamina
from pydantic import SecretStr

from recall_pipeline.errors import (
    RecallNotFound,
    RecallProtocolError,
    RecallRefused,
    RecallThrottled,
    RecallUnauthorized,
    RecallUnreachable,
    SettingsError,
)
from recall_pipeline.recall_api import RecallClient, Window, api_requests, open_client
from recall_pipeline.recall_api import client as client_module
from recall_pipeline.settings import Settings
from recall_pipeline_tests.recall_api.conftest import CallApi
from recall_pipeline_tests.workspace import DAY, NINE, an_id
from recall_sandbox import Rule, Sandbox, World
from recall_sandbox.effects import (
    EditJson,
    Effect,
    ForeignNext,
    LoopingNext,
    Reply,
    Reset,
    Stall,
    error_page,
    garbage_json,
    redirect,
    throttling,
    unavailable,
)
from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording

T = TypeVar("T")
WINDOW: Window = (NINE - timedelta(hours=9), NINE + timedelta(hours=15))
NEW_BOT = {"meeting_url": "https://example.zoom.us/j/812?pwd=hidden", "bot_name": "Archive Bot"}
HICCUPS = [
    Reply(409, {"code": "conflict"}),
    throttling("0"),
    throttling("nonsense"),
    Reply(500, b""),
    unavailable(502),
    unavailable(503),
    unavailable(504),
    error_page(),
    garbage_json(),
    Reply(200, b"\x1f\x8b torn", {"Content-Encoding": "gzip"}),
    Reset(),
    Reset(after_bytes=10),
]


def a_bot(number: int, **fields: Any) -> SandboxBot:
    values: dict[str, Any] = {
        "id": an_id(f"bot {number}"),
        "name": "Archive Bot",
        "platform": "zoom",
        "meeting_url": None,
        "requested_url": None,
        "join_at": NINE + timedelta(minutes=number),
        "status_changes": (),
    }
    return SandboxBot(**values | fields)


def a_recording(number: int) -> SandboxRecording:
    created_at = NINE + timedelta(minutes=number)
    return SandboxRecording(an_id(f"recording {number}"), None, created_at, created_at, created_at, created_at)


def an_artifact(number: int) -> Artifact:
    at = NINE + timedelta(minutes=number)
    return Artifact(an_id(f"audio {number}"), an_id(f"recording {number}"), at, at, None)


@pytest.fixture
def world() -> World:
    """25 bots, recordings and artifacts: three pages of each."""
    world = World()
    for number in range(25):
        world.add(a_bot(number), a_recording(number), an_artifact(number))
    return world


@pytest.fixture
def elsewhere() -> Iterator[Sandbox]:
    """Another host, as far as a key is concerned."""
    with Sandbox(World()).running() as running:
        yield running


def asked(sandbox: Sandbox) -> Counter[str]:
    """How often each path was asked for."""
    return Counter(access.path for access in sandbox.access_log)


class TestLists:
    def test_each_list_is_read_to_its_end(self, call: CallApi) -> None:
        assert len(call(lambda client: client.bots(WINDOW))) == 25
        assert len(call(lambda client: client.recordings(WINDOW))) == 25
        assert len(call(lambda client: client.audio_mixed(WINDOW))) == 25

    def test_rows_repeated_across_pages_are_returned_once(self, call: CallApi, sandbox: Sandbox) -> None:
        sandbox.behaviour.repeat_rows = 4
        assert call(lambda client: client.recordings(WINDOW)).keys() == {an_id(f"recording {n}") for n in range(25)}

    @pytest.mark.parametrize("order", ["scrambled", "newest", "oldest"])
    def test_order_and_page_size_make_no_difference(self, order: Any, call: CallApi, sandbox: Sandbox) -> None:
        sandbox.behaviour.order, sandbox.behaviour.page_size = order, 7
        assert len(call(lambda client: client.bots(WINDOW))) == 25

    def test_objects_outside_the_window_are_not_requested(self, call: CallApi) -> None:
        first_minutes = (NINE, NINE + timedelta(minutes=3))
        assert call(lambda client: client.recordings(first_minutes)).keys() == {
            an_id(f"recording {n}") for n in range(3)
        }

    def test_further_filters_are_passed_on(self, call: CallApi, world: World) -> None:
        world.add(a_bot(99, platform="webex"))
        assert call(lambda client: client.bots(WINDOW, platform="webex")).keys() == {an_id("bot 99")}

    def test_the_artifacts_of_one_recording_can_be_listed(self, call: CallApi) -> None:
        assert call(lambda client: client.audio_mixed_of(an_id("recording 7"))).keys() == {an_id("audio 7")}

    def test_an_empty_listing_is_empty(self, call: CallApi, world: World) -> None:
        world.empty_listings()
        assert call(lambda client: client.bots(WINDOW)) == {}

    def test_a_row_without_a_usable_id_is_rejected_by_name(self, settings: Settings, sandbox: Sandbox) -> None:
        def spoil(page: Any) -> Any:
            strange = [{**page["results"][0], "id": "../../etc/passwd"}, None]
            return {**page, "results": [*page["results"], *strange]}

        async def asking() -> tuple[int, list[str]]:
            async with open_client(settings) as client:
                return len(await client.bots(WINDOW)), client.rejected

        sandbox.faults.add(Rule(EditJson(spoil), method="GET", path="/bot/$"))
        found, rejected = asyncio.run(asking())
        assert found == 25
        assert [label.partition(": ")[2] for label in rejected[:2]] == [
            "its id is not a UUID (text)",
            "it is null, not an object",
        ]
        assert rejected[0].startswith("bot 11 of page 1: ")

    @pytest.mark.parametrize(
        ("kind", "field", "listed"),
        [
            ("bot", "join_at", lambda client: client.bots(WINDOW)),
            ("recording", "created_at", lambda client: client.recordings(WINDOW)),
            ("audio_mixed", "created_at", lambda client: client.audio_mixed(WINDOW)),
        ],
    )
    def test_dates_are_sent_if_date_times_are_refused(
        self, kind: str, field: str, listed: Any, call: CallApi, sandbox: Sandbox
    ) -> None:
        sandbox.faults.add(Rule(Reply(400, {f"{field}_after": ["Enter a valid date."]}), path=f"/{kind}/$", times=1))
        assert len(call(listed)) == 25
        queries = [access.query for access in sandbox.access_log]
        assert queries[1] == f"{field}_after={DAY}&{field}_before={DAY + timedelta(days=1)}"

    def test_dates_contain_a_window_that_ends_within_a_day(self, call: CallApi, sandbox: Sandbox) -> None:
        sandbox.faults.add(
            Rule(Reply(400, {"created_at_after": ["Enter a valid date."]}), path="/recording/$", times=1)
        )
        noon = WINDOW[0] + timedelta(hours=12)
        call(lambda client: client.recordings((noon, noon + timedelta(hours=1))))
        assert f"created_at_before={DAY + timedelta(days=1)}" in list(sandbox.access_log)[1].query

    def test_what_a_lookup_shows_and_is_unknown_is_counted(self, call: CallApi, sandbox: Sandbox, world: World) -> None:
        def add_field(body: Any) -> Any:
            return {**body, "mood": "hidden"}

        sandbox.faults.add(Rule(EditJson(add_field), method="GET", path="/recording/.+/$"))
        row = next(iter(world.recordings))

        async def look_up(client: RecallClient) -> Any:
            await client.recording(row.id)
            return client.unknowns_looked_up(row.created_at.date())

        assert call(look_up) == {"field recording.mood": 1}

    def test_any_other_error_of_the_request_is_raised(self, call: CallApi, sandbox: Sandbox) -> None:
        sandbox.faults.add(Rule(Reply(400, {"detail": "no"}), path="/bot/$"))
        with pytest.raises(RecallRefused, match=r"list bot: HTTP 400 \(no\)"):
            call(lambda client: client.bots(WINDOW))

    def test_a_listing_that_shrinks_during_the_walk_is_read_again(
        self, call: CallApi, sandbox: Sandbox, world: World
    ) -> None:
        def last_page_goes(page: Any) -> Any:
            for number in range(5):
                world.change_bot(an_id(f"bot {number}"), join_at=None)
            return page

        sandbox.faults.add(Rule(EditJson(last_page_goes), path="/bot/$", skip=1, times=1))
        assert call(lambda client: client.bots(WINDOW)).keys() == {an_id(f"bot {n}") for n in range(5, 25)}

    def test_a_listing_whose_pages_keep_vanishing_is_an_error(self, call: CallApi, sandbox: Sandbox) -> None:
        sandbox.faults.add(Rule(ForeignNext(f"{sandbox.api_url}/bot/?page=99"), path="/bot/$", times=1))
        sandbox.faults.add(Rule(Reply(404, {"detail": "Invalid page."}), path="/bot/$", times=1))
        sandbox.faults.add(Rule(ForeignNext(f"{sandbox.api_url}/bot/?page=99"), path="/bot/$", times=1))
        sandbox.faults.add(Rule(Reply(404, {"detail": "Invalid page."}), path="/bot/$", times=1))
        sandbox.faults.add(Rule(ForeignNext(f"{sandbox.api_url}/bot/?page=99"), path="/bot/$", times=1))
        sandbox.faults.add(Rule(Reply(404, {"detail": "Invalid page."}), path="/bot/$"))
        with pytest.raises(RecallNotFound, match="Invalid page"):
            call(lambda client: client.bots(WINDOW))
        assert [access.status for access in sandbox.access_log] == [200, 404] * 3

    def test_a_first_page_that_is_not_found_is_an_immediate_error(self, call: CallApi, sandbox: Sandbox) -> None:
        sandbox.faults.add(Rule(Reply(404, {"detail": "Not found."}), path="/bot/$"))
        with pytest.raises(RecallNotFound, match="check RECALL_API_URL"):
            call(lambda client: client.bots(WINDOW))
        assert len(sandbox.access_log) == 1

    def test_a_cursor_that_never_ends_is_an_error(
        self, call: CallApi, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cursors = iter(range(10_000))

        def another(page: Any) -> Any:
            return {"next": f"{sandbox.api_url}/recording/?page={next(cursors)}", "results": page["results"][:3]}

        monkeypatch.setattr(client_module, "_MAX_PAGES_WITHOUT_NEW_ROWS", 12)
        sandbox.faults.add(Rule(EditJson(another), path="/recording/$"))
        with pytest.raises(RecallProtocolError, match="12 pages in a row without new rows"):
            call(lambda client: client.recordings(WINDOW))

    def test_a_next_in_a_circle_is_an_error(self, call: CallApi, sandbox: Sandbox) -> None:
        sandbox.faults.add(Rule(LoopingNext(), path="/recording/$", skip=1, times=1))
        with pytest.raises(RecallProtocolError, match="circle"):
            call(lambda client: client.recordings(WINDOW))


class TestKey:
    def test_it_is_sent_with_one_prefix(self, sandbox: Sandbox, settings: Settings, tmp_path: Path) -> None:
        pasted = Settings(
            api_key=SecretStr(f"Token {sandbox.api_key}"), api_url=settings.api_url, storage_url=str(tmp_path)
        )

        async def asking() -> int:
            async with open_client(pasted) as client:
                return len(await client.bots(WINDOW))

        assert asyncio.run(asking()) == 25

    def test_it_never_goes_to_a_foreign_next(self, call: CallApi, sandbox: Sandbox, elsewhere: Sandbox) -> None:
        sandbox.faults.add(Rule(ForeignNext(f"{elsewhere.api_url}/bot/?page=2"), path="/bot/$", times=1))
        assert call(lambda client: client.bots(WINDOW))
        assert len(elsewhere.access_log) == 0

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_it_never_follows_a_redirect(
        self, status: int, call: CallApi, sandbox: Sandbox, elsewhere: Sandbox
    ) -> None:
        sandbox.faults.add(Rule(redirect(f"{elsewhere.api_url}/bot/", status)))
        with pytest.raises(RecallProtocolError, match="a redirect, which is not followed"):
            call(lambda client: client.bots(WINDOW))
        assert len(elsewhere.access_log) == 0

    def test_it_is_not_sent_to_loopback_through_a_proxy(
        self, call: CallApi, elsewhere: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, elsewhere.media_url)
        assert len(call(lambda client: client.bots(WINDOW))) == 25
        assert len(elsewhere.access_log) == 0

    def test_a_wrong_one_is_reported_with_both_causes_and_never_shown(self, settings: Settings) -> None:
        wrong = settings.model_copy(update={"api_key": SecretStr("wrong-key-of-nobody")})

        async def asking() -> None:
            async with open_client(wrong) as client:
                await client.ping()

        for _ in range(2):
            with pytest.raises(RecallUnauthorized, match="wrong or revoked, or it belongs to another region") as raised:
                asyncio.run(asking())
            assert "wrong-key" not in str(raised.value)

    def test_without_one_nothing_is_requested_and_nothing_is_written(
        self, settings: Settings, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        async def asking() -> None:
            async with open_client(settings.model_copy(update={"api_key": None})):
                pytest.fail("there is no key")

        with pytest.raises(SettingsError, match="RECALL_API_KEY is not set"):
            asyncio.run(asking())
        assert len(sandbox.access_log) == 0
        assert list(tmp_path.iterdir()) == []


class TestRequests:
    def test_no_get_has_a_body_and_every_path_ends_with_a_slash(self, call: CallApi, sandbox: Sandbox) -> None:
        async def everything(client: RecallClient) -> None:
            await client.bots(WINDOW)
            await client.recordings(WINDOW)
            await client.audio_mixed(WINDOW)
            await client.audio_mixed_of(an_id("recording 1"))
            await client.bot(an_id("bot 1"))
            await client.recording(an_id("recording 1"))
            await client.audio_mixed_by_id(an_id("audio 1"))
            await client.ping()

        call(everything)
        accesses = list(sandbox.access_log)
        assert {access.status for access in accesses} == {200}
        assert not any(access.had_body for access in accesses)
        assert all(access.path.endswith("/") for access in accesses)

    def test_requests_are_counted_as_they_are_sent(self, settings: Settings, sandbox: Sandbox) -> None:
        async def asking() -> int:
            async with open_client(settings) as client:
                await client.bots(WINDOW)
                await client.bot(an_id("bot 1"))
                return client.requests

        sandbox.faults.add(Rule(unavailable(), times=2))
        assert asyncio.run(asking()) == 3 + 1 + 2 == len(sandbox.access_log)

    def test_lists_and_objects_have_their_own_budgets(self, settings: Settings) -> None:
        taken: list[tuple[str, int]] = []

        class Watched:
            async def take(self, endpoint: str, per_minute: int) -> None:
                taken.append((endpoint.partition(" ")[2], per_minute))

        async def asking() -> None:
            narrow = settings.model_copy(update={"list_rpm": 50, "object_rpm": 250})
            async with open_client(narrow, limit=lambda _: Watched()) as client:
                await client.bots((NINE, NINE))
                await client.audio_mixed_of(an_id("recording 1"))
                await client.bot(an_id("bot 1"))
                await client.create_bot(NEW_BOT)

        asyncio.run(asking())
        assert taken == [("list bot", 50), ("list audio_mixed", 50), ("get bot", 250), ("create bot", 50)]

    def test_a_ping_is_one_request(self, call: CallApi, sandbox: Sandbox) -> None:
        call(lambda client: client.ping())
        assert asked(sandbox) == {"/api/v1/bot/": 1}

    def test_a_ping_succeeds_if_the_api_accepts_dates_only(self, call: CallApi, sandbox: Sandbox) -> None:
        sandbox.faults.add(Rule(Reply(400, {"join_at_after": ["Enter a valid date."]}), times=1))
        call(lambda client: client.ping())


class TestPages:
    @pytest.mark.parametrize("kind", ["bot", "recording", "audio_mixed"])
    def test_each_page_leads_to_the_next_and_the_last_to_none(self, kind: Any, call: CallApi, sandbox: Sandbox) -> None:
        async def three(client: RecallClient) -> list[Any]:
            first, second = await client.page(kind, WINDOW, None)
            middle, third = await client.page(kind, WINDOW, second)
            last, end = await client.page(kind, WINDOW, third)
            return [len(first), len(middle), len({row.id for row in (*first, *middle, *last)}), end]

        assert call(three) == [10, 10, 25, None]
        assert asked(sandbox) == {f"/api/v1/{kind}/": 3}

    def test_a_first_page_is_read_if_the_api_accepts_dates_only(self, call: CallApi, sandbox: Sandbox) -> None:
        sandbox.faults.add(Rule(Reply(400, {"join_at_after": ["Enter a valid date."]}), times=1))
        rows, _ = call(lambda client: client.page("bot", WINDOW, None))
        assert len(rows) == 10
        assert "T" not in list(sandbox.access_log)[-1].query

    def test_a_page_on_another_host_is_requested_from_the_own_one(
        self, call: CallApi, elsewhere: Sandbox, sandbox: Sandbox
    ) -> None:
        sandbox.faults.add(Rule(ForeignNext(f"{elsewhere.api_url}/inner/?cursor=cD0x"), times=1))
        _, following = call(lambda client: client.page("recording", WINDOW, None))
        assert following == f"{sandbox.api_url}/recording/?cursor=cD0x"
        assert not elsewhere.access_log

    def test_a_stored_page_of_another_host_is_requested_from_the_own_one(
        self, call: CallApi, elsewhere: Sandbox, sandbox: Sandbox
    ) -> None:
        call(lambda client: client.page("recording", WINDOW, f"{elsewhere.api_url}/recording/?cursor=cD0x"))
        assert not elsewhere.access_log
        assert [access.query for access in sandbox.access_log] == ["cursor=cD0x"]

    def test_a_page_that_leads_to_itself_is_an_error(self, call: CallApi, sandbox: Sandbox) -> None:
        sandbox.faults.add(Rule(LoopingNext()))
        with pytest.raises(RecallProtocolError, match="leads in a circle"):
            call(lambda client: client.page("recording", WINDOW, None))


class TestTransientErrors:
    @pytest.mark.parametrize("effect", HICCUPS, ids=lambda effect: str(effect)[:40])
    def test_a_listing_survives_each_transient_error(self, effect: Effect, call: CallApi, sandbox: Sandbox) -> None:
        sandbox.faults.add(Rule(effect, times=2))
        assert len(call(lambda client: client.recordings(WINDOW))) == 25

    @pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405])
    def test_a_refused_request_is_not_retried(self, status: int, call: CallApi, sandbox: Sandbox) -> None:
        sandbox.faults.add(Rule(Reply(status, {"detail": "no"})))
        with pytest.raises((RecallRefused, RecallUnauthorized, RecallNotFound)):
            call(lambda client: client.recordings(WINDOW))
        assert len(sandbox.access_log) == 1

    def test_a_server_that_stays_down_is_reported(self, call: CallApi, sandbox: Sandbox) -> None:
        sandbox.faults.add(Rule(unavailable()))
        with pytest.raises(RecallUnreachable, match=r"list recording: HTTP 503: .*try again later") as raised:
            call(lambda client: client.recordings(WINDOW))
        assert raised.value.retry_can_help

    def test_responses_that_stay_malformed_are_reported(self, call: CallApi, sandbox: Sandbox) -> None:
        sandbox.faults.add(Rule(garbage_json()))
        with pytest.raises(RecallProtocolError, match="not JSON"):
            call(lambda client: client.recordings(WINDOW))

    def test_a_wait_beyond_the_deadline_fails_immediately(self, call: CallApi, sandbox: Sandbox) -> None:
        stamina.set_testing(True, attempts=100)
        sandbox.faults.add(Rule(throttling("86400")))
        with pytest.raises(RecallThrottled, match="request limit is reached"):
            call(lambda client: client.recordings(WINDOW))
        assert len(sandbox.access_log) == 1

    def test_a_refused_connection_is_reported_with_the_host(self, tmp_path: Path) -> None:
        with Sandbox(World()).running() as gone:
            url = gone.api_url
        nobody = Settings(api_key=SecretStr("key"), api_url=url, storage_url=str(tmp_path))

        async def asking() -> None:
            async with open_client(nobody) as client:
                await client.ping()

        with pytest.raises(RecallUnreachable, match=r"cannot reach 127\.0\.0\.1:\d+ \(.+\): check the network"):
            asyncio.run(asking())

    def test_a_response_that_never_ends_times_out(
        self, call: CallApi, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(api_requests, "_RESPONSE_TIMEOUT_SECONDS", 0.2)
        sandbox.faults.add(Rule(Stall(after_bytes=10, seconds=30), times=1))
        assert len(call(lambda client: client.recordings(WINDOW))) == 25

    def test_a_response_above_the_size_limit_is_not_kept_in_memory(
        self, call: CallApi, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(api_requests, "_MAX_RESPONSE_BYTES", 2**20)
        sandbox.faults.add(Rule(Reply(200, json.dumps("x" * 2**21).encode())))
        with pytest.raises(RecallProtocolError, match="a response of over 1 MiB"):
            call(lambda client: client.recordings(WINDOW))
        assert len(sandbox.access_log) == 1


class TestObjects:
    def test_each_can_be_read_by_id(self, call: CallApi) -> None:
        assert call(lambda client: client.bot(an_id("bot 3"))).id == an_id("bot 3")
        assert call(lambda client: client.recording(an_id("recording 3"))).id == an_id("recording 3")
        assert call(lambda client: client.audio_mixed_by_id(an_id("audio 3"))).id == an_id("audio 3")

    def test_a_missing_one_is_none(self, call: CallApi) -> None:
        assert call(lambda client: client.bot(an_id("nothing"))) is None
        assert call(lambda client: client.recording(an_id("nothing"))) is None
        assert call(lambda client: client.audio_mixed_by_id(an_id("nothing"))) is None

    def test_an_id_may_have_any_uuid_spelling(self, call: CallApi) -> None:
        assert call(lambda client: client.bot(an_id("bot 3").upper())).id == an_id("bot 3")

    @pytest.mark.parametrize("strange", ["", "../bot", "7b0c6c1e", "a b"])
    def test_an_invalid_id_is_never_requested(self, strange: str, call: CallApi, sandbox: Sandbox) -> None:
        with pytest.raises(ValueError, match="UUID"):
            call(lambda client: client.bot(strange))
        assert len(sandbox.access_log) == 0

    @pytest.mark.parametrize("answer", [{}, [], {"id": an_id("bot 4")}, {"id": "nothing"}])
    def test_another_object_than_the_requested_one_is_an_error(
        self, answer: Any, call: CallApi, sandbox: Sandbox
    ) -> None:
        sandbox.faults.add(Rule(EditJson(lambda _: answer)))
        with pytest.raises(RecallProtocolError, match="the response is not that bot"):
            call(lambda client: client.bot(an_id("bot 3")))


class TestCreation:
    def test_a_bot_is_created_and_returned_without_its_password(self, call: CallApi, world: World) -> None:
        bot, wait_seconds = call(lambda client: client.create_bot(NEW_BOT))
        assert wait_seconds is None
        assert world.bots.get(bot.id) is not None
        assert "hidden" not in repr(bot)

    def test_an_empty_pool_returns_the_wait_and_creates_nothing(self, call: CallApi, sandbox: Sandbox) -> None:
        sandbox.behaviour.adhoc_bots = 0
        assert call(lambda client: client.create_bot(NEW_BOT)) == (None, 30.0)
        assert len(sandbox.access_log) == 1

    def test_an_empty_pool_without_a_wait_means_half_a_minute(self, call: CallApi, sandbox: Sandbox) -> None:
        sandbox.faults.add(Rule(Reply(507, {"code": "adhoc_bot_pool_depleted"})))
        assert call(lambda client: client.create_bot(NEW_BOT)) == (None, 30.0)

    def test_every_attempt_has_a_new_idempotency_key(self, call: CallApi, sandbox: Sandbox, world: World) -> None:
        async def until_made(client: RecallClient) -> Any:
            await client.create_bot(NEW_BOT)
            sandbox.behaviour.adhoc_bots = 1
            return (await client.create_bot(NEW_BOT))[0]

        sandbox.behaviour.adhoc_bots = 0
        assert call(until_made).id in {bot.id for bot in world.bots}

    @pytest.mark.parametrize("effect", HICCUPS, ids=lambda effect: str(effect)[:40])
    def test_it_is_requested_once_after_any_error(self, effect: Effect, call: CallApi, sandbox: Sandbox) -> None:
        sandbox.faults.add(Rule(effect))
        with pytest.raises((RecallRefused, RecallThrottled, RecallUnreachable, RecallProtocolError)):
            call(lambda client: client.create_bot(NEW_BOT))
        assert len(sandbox.access_log) == 1

    def test_an_error_about_the_request_is_reported_without_the_password(self, call: CallApi) -> None:
        with pytest.raises(RecallRefused, match="bot_name: Ensure this field") as raised:
            call(lambda client: client.create_bot({**NEW_BOT, "bot_name": "x" * 101}))
        assert "hidden" not in str(raised.value)

    def test_a_response_without_a_bot_warns_against_another_attempt(self, call: CallApi, sandbox: Sandbox) -> None:
        sandbox.faults.add(Rule(Reply(201, {"ok": True})))
        with pytest.raises(RecallProtocolError, match="check Recall's dashboard before you try again"):
            call(lambda client: client.create_bot(NEW_BOT))
