"""`bot create` sends a bot that makes an MP3, prints its id, and says beforehand what will not work out."""

from datetime import UTC, datetime, timedelta

import pytest

from recall_pipeline.days import utc_now
from recall_pipeline_tests.cli.conftest import Run, Said
from recall_sandbox import Sandbox
from recall_sandbox.records import SandboxBot

ZOOM = "https://zoom.us/j/81234567890?pwd=password-of-nobody"


def created(sandbox: Sandbox, said: Said) -> SandboxBot:
    """The bot whose id a command printed, and nothing else."""
    assert said.status == 0, said.err
    (bot_id,) = said.out.splitlines()
    bot: SandboxBot | None = sandbox.world.bots.get(bot_id)
    assert bot is not None
    return bot


def test_the_bot_makes_an_mp3_and_is_what_was_asked_for(sandboxed: Run, sandbox: Sandbox) -> None:
    said = sandboxed(
        *("bot", "create", ZOOM, "--join-at", "2099-12-22T09:00:00+01:00", "--name", "Notes"),
        *("--metadata", "team=sales", "--metadata", "customer=A=B"),
    )
    bot = created(sandbox, said)
    assert said.err == ""
    assert bot.recording_config is not None
    assert bot.recording_config["audio_mixed_mp3"] == {}
    assert bot.requested_url == ZOOM
    assert bot.join_at == datetime(2099, 12, 22, 8, tzinfo=UTC)
    assert bot.name == "Notes"
    assert bot.metadata == {"team": "sales", "customer": "A=B"}


def test_without_a_time_it_joins_now(sandboxed: Run, sandbox: Sandbox) -> None:
    assert created(sandbox, sandboxed("bot", "create", ZOOM)).join_at is None


def test_a_time_without_an_offset_is_utc(sandboxed: Run, sandbox: Sandbox) -> None:
    bot = created(sandbox, sandboxed("bot", "create", ZOOM, "--join-at", "2099-12-22T09:00"))
    assert bot.join_at == datetime(2099, 12, 22, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "url",
    ["https://example.webex.com/meet/room", "https://meet.goto.com/123456789", "https://app.slack.com/huddle/T/C"],
)
def test_a_platform_without_mixed_audio_is_warned_of(sandboxed: Run, sandbox: Sandbox, url: str) -> None:
    said = sandboxed("bot", "create", url, "--join-at", "2099-12-22")
    created(sandbox, said)
    (warning,) = said.err.splitlines()
    assert warning.startswith("Warning: Recall makes no mixed-audio MP3 on ")


@pytest.mark.parametrize(("minutes", "warned"), [(5, True), (15, False)])
def test_a_join_less_than_ten_minutes_ahead_is_warned_of(
    sandboxed: Run, sandbox: Sandbox, minutes: int, warned: bool
) -> None:
    soon = utc_now() + timedelta(minutes=minutes)
    said = sandboxed("bot", "create", ZOOM, "--join-at", soon.isoformat())
    created(sandbox, said)
    assert ("less than 10 minutes" in said.err) == warned


def test_a_time_in_the_past_is_wrong_usage(sandboxed: Run, sandbox: Sandbox) -> None:
    before = len(sandbox.world.bots)
    said = sandboxed("bot", "create", ZOOM, "--join-at", "2020-01-01T09:00Z")
    assert said.status == 2
    assert "2020-01-01T09:00Z lies in the past" in said.fault
    assert len(sandbox.world.bots) == before


def test_what_recall_refuses_is_told_in_its_words_without_the_password(sandboxed: Run) -> None:
    said = sandboxed("bot", "create", ZOOM, "--name", "x" * 101)
    assert said.status == 1
    assert "bot_name: Ensure this field has no more than 100 characters." in said.fault
    assert "password-of-nobody" not in said.fault


def test_an_empty_pool_is_waited_out(sandboxed: Run, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def fill_the_pool_meanwhile(seconds: float) -> None:
        waits.append(seconds)
        sandbox.behaviour.adhoc_bots = len(waits) - 1

    sandbox.behaviour.adhoc_bots = 0
    monkeypatch.setattr("recall_pipeline.cli.bot.sleep", fill_the_pool_meanwhile)
    said = sandboxed("bot", "create", ZOOM)
    created(sandbox, said)
    assert waits == [30, 30]
    assert said.err.splitlines() == ["The pool of ad-hoc bots is empty; trying again in 30 s."] * 2


def test_a_pool_that_stays_empty_ends_in_one_line_of_advice(
    sandboxed: Run, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_time_passes(_: float) -> None:
        """Return at once."""

    sandbox.behaviour.adhoc_bots = 0
    monkeypatch.setattr("recall_pipeline.cli.bot.sleep", no_time_passes)
    said = sandboxed("bot", "create", ZOOM)
    assert said.status == 1
    assert "schedule the bot with --join-at" in said.err.splitlines()[-1]
