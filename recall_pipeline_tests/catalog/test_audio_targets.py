"""Two deployments with other audio settings on one archive are noticed, and do not undo each other's files."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recall_pipeline.catalog import CATALOG, CatalogReport, conflict_in, conflicting_deployments, sync_catalog, uses_in
from recall_pipeline.catalog.audio_targets import TARGETS_FACT, opposing_use, with_use
from recall_pipeline.days import clock_replaced
from recall_pipeline.settings import Settings
from recall_pipeline.storage import open_day
from recall_pipeline_tests.workspace import DAY, Workspace, talk

START = datetime(2026, 3, 3, 2, 23, tzinfo=UTC)
HOUR, NIGHT = timedelta(hours=1), timedelta(days=1)
FLAC, WAV = "flac/16000Hz", "wav/16000Hz"


def history(*uses: tuple[str, str, datetime]) -> dict[str, str]:
    """The fact of a catalog after syncs of deployments: target, deployment, moment."""
    facts: dict[str, str] = {}
    for target, deployment, at in uses:
        facts = with_use(uses_in(facts), target, deployment, at)
    return facts


def test_a_changed_setting_of_one_deployment_is_not_a_conflict() -> None:
    facts = history((FLAC, "a", START))
    assert opposing_use(uses_in(facts), WAV, "a", START + HOUR) is None
    facts = with_use(uses_in(facts), WAV, "a", START + HOUR)
    assert opposing_use(uses_in(facts), FLAC, "a", START + 2 * HOUR) is None  # changed back
    assert conflict_in(uses_in(facts), START + HOUR) is None


def test_a_new_host_with_another_setting_is_no_conflict() -> None:
    facts = history((FLAC, "old host", START), (WAV, "new host", START + NIGHT), (WAV, "new host", START + 2 * NIGHT))
    assert conflict_in(uses_in(facts), START + 2 * NIGHT) is None


def test_a_return_is_opposed_while_the_other_deployment_is_at_work() -> None:
    uses = uses_in(history((FLAC, "a", START), (WAV, "b", START + HOUR)))
    opposing = opposing_use(uses, FLAC, "a", START + NIGHT)
    assert opposing is not None
    assert opposing.deployment == "b"
    assert opposing_use(uses, FLAC, "a", START + 4 * NIGHT) is None


def test_two_deployments_that_take_turns_are_a_finding_until_one_is_gone_for_two_days() -> None:
    facts = history((FLAC, "a", START), (WAV, "b", START + HOUR), (FLAC, "a", START + NIGHT))
    finding = conflicting_deployments(facts, START + NIGHT)
    assert not finding.passed
    assert "two deployments normalize with other settings: wav/16000Hz at 2026-03-03 03:23 UTC" in finding.sample
    assert "RECALL_AUDIO_*" in finding.next_action
    assert conflicting_deployments(facts, START + 4 * NIGHT).passed


def test_equal_settings_of_many_deployments_are_no_conflict() -> None:
    facts = history(*((FLAC, name, START + number * HOUR) for number, name in enumerate("abcabc")))
    assert conflict_in(uses_in(facts), START + 6 * HOUR) is None


def test_the_history_of_a_day_stays_short() -> None:
    facts = history(*((f"target {number}", "a", START + number * HOUR) for number in range(50)))
    assert len(uses_in(facts)) == 6


@pytest.mark.parametrize("text", ["", "null", "{}", "[1]", '[["flac", "a", "yesterday", "today"]]', "[[]]"])
def test_a_fact_of_another_form_is_no_history(text: str) -> None:
    assert uses_in({TARGETS_FACT: text}) == []


def test_alternating_syncs_of_two_deployments_normalize_once_and_then_leave_the_files(
    sandbox: object, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    workspace = Workspace(sandbox, settings.model_copy(update={"workers": "1"}))  # type: ignore[arg-type]
    workspace.meet("talk", talk())
    workspace.capture()
    done = [sync(workspace, who, audio_format, START + night * NIGHT) for who, audio_format, night in TURNS]
    assert [report.normalized for report in done] == [1, 1, 0, 0, 1]
    assert [suffix(report) for report in done] == [".flac", ".wav", ".wav", ".wav", ".flac"]
    assert "files stay as another deployment normalized them (wav/16000Hz" in caplog.text
    stored = CATALOG.load(workspace.archive, DAY)
    assert stored is not None
    assert {use.deployment for use in uses_in(stored.facts)} == {"a", "b"}


TURNS = (("a", "flac", 0), ("b", "wav", 1), ("a", "flac", 2), ("b", "wav", 2), ("a", "flac", 6))
"""The last one comes when the other deployment has not synced for two days."""


def sync(workspace: Workspace, deployment: str, audio_format: str, at: datetime) -> CatalogReport:
    settings = workspace.settings.model_copy(update={"audio_format": audio_format})
    with clock_replaced(lambda: at), open_day(workspace.archive, DAY) as day:
        return sync_catalog(day, settings, deployment=deployment)


def suffix(report: CatalogReport) -> str:
    [row] = report.rows
    return Path(row.audio_key or "").suffix
