"""Three walks for a span of days, shared by its days (docs/design/adr/0005-three-list-walks-a-day.md)."""

import asyncio
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from recall_pipeline.days import ONE_DAY, days_between, end_of, start_of, utc_now
from recall_pipeline.errors import RecallError, RecallUnreachable
from recall_pipeline.recall_api import Listing, Listings, RecallClient, Upstream
from recall_pipeline.recall_api.day_listing import list_days
from recall_pipeline.recall_api.lookups import lookup_many
from recall_pipeline_tests.recall_api.conftest import CallApi
from recall_pipeline_tests.workspace import DAY, NINE, an_id
from recall_sandbox import Rule, Sandbox, World
from recall_sandbox.effects import EditJson, Reply, unavailable
from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording


def add_meeting(world: World, name: str, at: datetime, **of_recording: Any) -> None:
    """A bot that joined at a moment, its recording, and two artifacts; the shortcut shows the first."""
    world.add(
        SandboxBot(an_id(f"{name} bot"), "Archive Bot", "zoom", None, None, at, ()),
        SandboxRecording(
            an_id(name), an_id(f"{name} bot"), at, at, at, at, shortcut_id=an_id(f"{name} first"), **of_recording
        ),
        Artifact(an_id(f"{name} first"), an_id(name), at, at, None, status="processing"),
        Artifact(an_id(f"{name} second"), an_id(name), at + ONE_DAY * 3, at, None, status="processing"),
    )


def asked(sandbox: Sandbox) -> Counter[str]:
    """How often each path was asked for."""
    return Counter(access.path for access in sandbox.access_log)


class TestListDays:
    def test_a_day_is_three_walks_whatever_the_number_of_meetings(
        self, call: CallApi, world: World, sandbox: Sandbox
    ) -> None:
        for number in range(20):
            add_meeting(world, f"standup {number}", NINE + timedelta(minutes=number))
        call(lambda client: list_days(client, DAY, DAY))
        assert asked(sandbox) == {"/api/v1/bot/": 2, "/api/v1/recording/": 2, "/api/v1/audio_mixed/": 2}

    def test_bots_are_listed_with_a_margin_of_a_day_on_each_side(self, call: CallApi, sandbox: Sandbox) -> None:
        call(lambda client: list_days(client, DAY, DAY + ONE_DAY))
        (access,) = sandbox.access_log.only(path="/bot/$")
        assert parse_qs(access.query) == {
            "join_at_after": ["2026-03-01T00:00:00Z"],
            "join_at_before": ["2026-03-05T00:00:00Z"],
        }

    @pytest.mark.parametrize("closed", ["left", "right", "both", "neither"])
    def test_no_recording_is_missed_between_two_days_with_inclusive_or_exclusive_bounds(
        self, closed: Any, call: CallApi, world: World, sandbox: Sandbox
    ) -> None:
        sandbox.behaviour.created_at_closed = closed
        moments = [start_of(DAY), end_of(DAY) - timedelta(microseconds=1), end_of(DAY)]
        for moment in moments:
            add_meeting(world, f"at {moment}", moment)
        upstream: Upstream = call(lambda client: shown(client, DAY, DAY))
        assert [row.created_at for row in sorted(upstream.recordings_of(DAY), key=lambda r: r.created_at)] == moments[
            :2
        ]

    @pytest.mark.parametrize("granularity", ["date", "datetime"])
    def test_no_bot_is_missed_if_filters_round_to_days(
        self, granularity: Any, call: CallApi, world: World, sandbox: Sandbox
    ) -> None:
        sandbox.behaviour.join_at_granularity = granularity
        for moment in (start_of(DAY), end_of(DAY) - timedelta(seconds=1)):
            add_meeting(world, f"at {moment}", moment)
        listing: Listing = call(lambda client: list_days(client, DAY, DAY))
        assert [bot.day for bot in listing.bots.values()] == [DAY, DAY]

    @pytest.mark.parametrize("path", ["/bot/$", "/recording/$", "/audio_mixed/$"])
    def test_one_failed_walk_fails_the_listing(self, path: str, call: CallApi, sandbox: Sandbox) -> None:
        sandbox.faults.add(Rule(unavailable(), path=path))
        with pytest.raises(RecallUnreachable):
            call(lambda client: list_days(client, DAY, DAY))

    def test_rejected_rows_are_named(self, call: CallApi, world: World, sandbox: Sandbox) -> None:
        add_meeting(world, "standup", NINE)
        edit = EditJson(lambda page: {**page, "results": [{**row, "created_at": None} for row in page["results"]]})
        sandbox.faults.add(Rule(edit, path="/recording/$"))
        listing: Listing = call(lambda client: list_days(client, DAY, DAY))
        assert listing.rejected == ("recording 1 of page 1: its created_at is not a date-time (null)",)


async def shown(client: RecallClient, first: date, last: date) -> Upstream:
    return Upstream(client, await list_days(client, first, last))


class TestUpstream:
    def test_artifacts_shown_anywhere_are_found_by_their_recording(self, call: CallApi, world: World) -> None:
        add_meeting(world, "standup", NINE)
        add_meeting(world, "hidden", NINE, listed=False)
        upstream: Upstream = call(lambda client: shown(client, DAY, DAY + ONE_DAY * 3))
        found = upstream.artifacts_by_recording()
        assert found[an_id("standup")].keys() == {an_id("standup first"), an_id("standup second")}
        assert found[an_id("hidden")].keys() == {an_id("hidden first"), an_id("hidden second")}

    def test_a_listed_artifact_wins_over_a_shortcut(self, call: CallApi, world: World, sandbox: Sandbox) -> None:
        def finish(page: Any) -> Any:
            return {**page, "results": [{**row, "status": {"code": "done"}} for row in page["results"]]}

        add_meeting(world, "standup", NINE)
        sandbox.faults.add(Rule(EditJson(finish), path="/audio_mixed/$"))
        upstream: Upstream = call(lambda client: shown(client, DAY, DAY))
        assert upstream.artifacts_by_recording()[an_id("standup")][an_id("standup first")].status.code == "done"

    def test_recordings_embedded_in_bots_are_found_by_their_own_day(self, call: CallApi, world: World) -> None:
        add_meeting(world, "standup", NINE)
        add_meeting(world, "next day", NINE + ONE_DAY)
        upstream: Upstream = call(lambda client: shown(client, DAY, DAY))
        ((recording, bot),) = upstream.embedded_in_bots(DAY)
        assert (recording.id, bot.id) == (an_id("standup"), an_id("standup bot"))


class TestSharedListings:
    def walked(self, call: CallApi, sandbox: Sandbox, listings: Listings, *days: date) -> int:
        """How many walks these days take, one after the other."""

        async def each(client: RecallClient) -> None:
            for day in days:
                listing = await listings.of(client, day)
                assert listing.listing.first <= day <= listing.listing.last

        call(each)
        return len(sandbox.access_log.only(path="/recording/$"))

    def test_neighbouring_days_share_one_walk(self, call: CallApi, sandbox: Sandbox) -> None:
        days = list(days_between(DAY, DAY + 4 * ONE_DAY))
        assert self.walked(call, sandbox, Listings(days), *days) == 1

    def test_the_steps_of_a_day_share_one_walk(self, call: CallApi, sandbox: Sandbox) -> None:
        assert self.walked(call, sandbox, Listings(), DAY, DAY, DAY) == 1

    def test_days_far_apart_are_walked_apart(self, call: CallApi, sandbox: Sandbox) -> None:
        far = DAY + 30 * ONE_DAY
        assert self.walked(call, sandbox, Listings([DAY, far]), DAY, far) == 2

    def test_a_long_backfill_is_walked_a_fortnight_at_a_time(self, call: CallApi, sandbox: Sandbox) -> None:
        days = list(days_between(DAY, DAY + 29 * ONE_DAY))
        assert self.walked(call, sandbox, Listings(days), *days) == 3

    def test_a_stale_listing_is_read_again(
        self, call: CallApi, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        listings = Listings()
        self.walked(call, sandbox, listings, DAY)
        later = utc_now() + timedelta(minutes=46)
        monkeypatch.setattr("recall_pipeline.recall_api.shared_listings.utc_now", lambda: later)
        assert self.walked(call, sandbox, listings, DAY) == 2

    def test_a_listing_is_released_after_its_last_day(self, call: CallApi, sandbox: Sandbox) -> None:
        listings = Listings([DAY, DAY + ONE_DAY])
        self.walked(call, sandbox, listings, DAY)
        listings.release(DAY)
        assert self.walked(call, sandbox, listings, DAY + ONE_DAY) == 1
        listings.release(DAY + ONE_DAY)
        assert self.walked(call, sandbox, listings, DAY) == 2


class TestLookupMany:
    def test_each_id_gets_its_result(self) -> None:
        async def double(object_id: str) -> str:
            return object_id * 2

        ids = [str(number) for number in range(30)]
        assert asyncio.run(lookup_many(double, ids)) == {object_id: object_id * 2 for object_id in ids}

    def test_only_a_few_lookups_run_at_a_time(self) -> None:
        running, most = 0, 0

        async def watched(object_id: str) -> None:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

        asyncio.run(lookup_many(watched, [str(number) for number in range(30)]))
        assert most == 8

    def test_the_first_error_is_raised_unchanged(self, call: CallApi, sandbox: Sandbox) -> None:
        sandbox.faults.add(Rule(Reply(402, {"detail": "no credit"})))
        with pytest.raises(RecallError, match="no credit"):
            call(lambda client: lookup_many(client.bot, [an_id("one"), an_id("two")]))
