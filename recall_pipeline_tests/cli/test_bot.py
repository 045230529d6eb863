"""`bot create` sends a bot that records an MP3, prints its id, and warns about cases that will not work."""

from datetime import UTC, datetime, timedelta

import pytest

from recall_pipeline.days import utc_now
from recall_pipeline_tests.cli.conftest import CommandResult, Run
from recall_sandbox import Sandbox
from recall_sandbox.records import SandboxBot

ZOOM = "https://zoom.us/j/81234567890?pwd=password-of-the-meeting"


def created(sandbox: Sandbox, result: CommandResult) -> SandboxBot:
    """The bot whose id is the only output of a command."""
    assert result.status == 0, result.err
    (bot_id,) = result.out.splitlines()
    bot: SandboxBot | None = sandbox.world.bots.get(bot_id)
    assert bot is not None
    return bot


def test_the_bot_records_an_mp3_and_has_the_given_options(sandboxed: Run, sandbox: Sandbox) -> None:
    result = sandboxed(
        *("bot", "create", ZOOM, "--join-at", "2099-12-22T09:00:00+01:00", "--name", "Notes"),
        *("--metadata", "team=sales", "--metadata", "customer=A=B"),
    )
    bot = created(sandbox, result)
    assert result.err == ""
    assert bot.recording_config is not None
    assert bot.recording_config["audio_mixed_mp3"] == {}
    assert bot.requested_url == ZOOM
    assert bot.join_at == datetime(2099, 12, 22, 8, tzinfo=UTC)
    assert bot.name == "Notes"
    assert bot.metadata == {"team": "sales", "customer": "A=B"}


def test_without_join_at_the_bot_joins_now(sandboxed: Run, sandbox: Sandbox) -> None:
    assert created(sandbox, sandboxed("bot", "create", ZOOM)).join_at is None


def test_a_timestamp_without_an_offset_is_utc(sandboxed: Run, sandbox: Sandbox) -> None:
    bot = created(sandbox, sandboxed("bot", "create", ZOOM, "--join-at", "2099-12-22T09:00"))
    assert bot.join_at == datetime(2099, 12, 22, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "url",
    ["https://example.webex.com/meet/room", "https://meet.goto.com/123456789", "https://app.slack.com/huddle/T/C"],
)
def test_a_platform_without_mixed_audio_gives_a_warning(sandboxed: Run, sandbox: Sandbox, url: str) -> None:
    result = sandboxed("bot", "create", url, "--join-at", "2099-12-22")
    created(sandbox, result)
    (warning,) = result.err.splitlines()
    assert warning.startswith("Warning: Recall does not record mixed-audio MP3 on ")


@pytest.mark.parametrize(("minutes", "warned"), [(5, True), (15, False)])
def test_a_join_less_than_ten_minutes_ahead_gives_a_warning(
    sandboxed: Run, sandbox: Sandbox, minutes: int, warned: bool
) -> None:
    soon = utc_now() + timedelta(minutes=minutes)
    result = sandboxed("bot", "create", ZOOM, "--join-at", soon.isoformat())
    created(sandbox, result)
    assert ("less than 10 minutes" in result.err) == warned


def test_a_timestamp_in_the_past_is_wrong_usage(sandboxed: Run, sandbox: Sandbox) -> None:
    before = len(sandbox.world.bots)
    result = sandboxed("bot", "create", ZOOM, "--join-at", "2020-01-01T09:00Z")
    assert result.status == 2
    assert "2020-01-01T09:00Z is in the past" in result.error_line
    assert len(sandbox.world.bots) == before


def test_a_refused_request_shows_the_message_of_the_api_without_the_password(sandboxed: Run) -> None:
    result = sandboxed("bot", "create", ZOOM, "--name", "x" * 101)
    assert result.status == 1
    assert "bot_name: Ensure this field has no more than 100 characters." in result.error_line
    assert "password-of-the-meeting" not in result.error_line


def test_an_empty_pool_is_retried(sandboxed: Run, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def fill_the_pool(seconds: float) -> None:
        waits.append(seconds)
        sandbox.behaviour.adhoc_bots = len(waits) - 1

    sandbox.behaviour.adhoc_bots = 0
    monkeypatch.setattr("recall_pipeline.cli.bot.sleep", fill_the_pool)
    result = sandboxed("bot", "create", ZOOM)
    created(sandbox, result)
    assert waits == [30, 30]
    assert result.err.splitlines() == ["The pool of ad-hoc bots is empty; retrying in 30 s."] * 2


def test_a_pool_that_stays_empty_ends_in_one_error_line(
    sandboxed: Run, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def return_at_once(_: float) -> None:
        """Return at once."""

    sandbox.behaviour.adhoc_bots = 0
    monkeypatch.setattr("recall_pipeline.cli.bot.sleep", return_at_once)
    result = sandboxed("bot", "create", ZOOM)
    assert result.status == 1
    assert "schedule the bot with --join-at" in result.err.splitlines()[-1]
