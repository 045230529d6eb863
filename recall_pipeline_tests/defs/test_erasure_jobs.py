"""The jobs do what the command does, and show what goes before it goes."""

from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import pytest

from recall_pipeline.defs import build_definitions
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive
from recall_pipeline_tests.erasure.old_days import fill, outcomes, recording_id


@pytest.fixture
def days(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> list[date]:
    monkeypatch.setenv("RECALL_STORAGE_URL", archive.location.root)
    return fill(archive, 4)


def run(job: str, **request: Any) -> dg.ExecuteInProcessResult:
    config = {"ops": {"forget_requested": {"config": request}}} if request else {}
    with dg.DagsterInstance.ephemeral() as instance:
        definitions = build_definitions(Settings.from_environment())
        return definitions.resolve_job_def(job).execute_in_process(
            run_config=config, instance=instance, raise_on_error=False
        )


def metadata(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    (event,) = [event for event in result.all_events if event.is_successful_output]
    return {name: value.value for name, value in event.step_output_data.metadata.items()}


def failure(result: dg.ExecuteInProcessResult) -> str:
    (event,) = [event for event in result.all_events if event.is_step_failure]
    details = event.step_failure_data.user_failure_data
    assert details is not None
    return str(details.description)


def test_the_job_forget_is_a_dry_run_by_default(archive: Archive, days: list[date]) -> None:
    result = run("forget", recording=recording_id(days[0]), reason="request 17")
    assert metadata(result)["preview"] == {"recordings": 1, "bots": 1, "files": 1, "bytes": 1}
    assert outcomes(archive, days) == ["ready"] * 4


def test_the_job_forget_erases_what_its_configuration_names(archive: Archive, days: list[date]) -> None:
    result = run("forget", recording=recording_id(days[0]), reason="request 17", dry_run=False)
    assert metadata(result)["forgotten"] == {"recordings": 1, "bots": 1, "files": 1, "bytes": 1}
    assert outcomes(archive, days) == ["forgotten", "ready", "ready", "ready"]


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ({}, "name what to forget: one of recording, bot and before"),
        ({"before": "2999-01-01", "beyond_limit": True}, "before 2999-01-01 is in the future"),
        ({"before": "yesterday"}, "before: 'yesterday' is not a day"),
    ],
)
def test_an_invalid_configuration_is_refused(
    archive: Archive, days: list[date], config: dict[str, Any], line: str
) -> None:
    assert line in failure(run("forget", reason="request 17", dry_run=False, **config))
    assert outcomes(archive, days) == ["ready"] * 4


def test_retention_forgets_what_is_older(archive: Archive, days: list[date], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_RETENTION_DAYS", "2")
    monkeypatch.setenv("RECALL_RETENTION_LIMIT", "1")
    shown = metadata(run("retention"))
    assert shown["preview"] == shown["forgotten"] == {"recordings": 1, "bots": 1, "files": 1, "bytes": 1}
    assert shown["days"] == [days[0].isoformat()]
    assert outcomes(archive, days) == ["forgotten", "ready", "ready", "ready"]


def test_retention_over_its_limit_fails_with_the_reason(
    archive: Archive, days: list[date], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECALL_RETENTION_DAYS", "1")
    assert "2 of 4 recordings would be erased by age, but the limit of one run is 0" in failure(run("retention"))
    assert outcomes(archive, days) == ["ready"] * 4


def test_the_schedule_asks_only_where_an_age_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked() -> list[Any]:
        tick = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 3, 2, 4, 41, tzinfo=UTC))
        repository = build_definitions(Settings.from_environment()).get_repository_def()
        return list(repository.get_schedule_def("daily_retention")(tick))  # type: ignore[arg-type]

    assert isinstance(asked()[0], dg.SkipReason)
    monkeypatch.setenv("RECALL_RETENTION_DAYS", "30")
    assert isinstance(asked()[0], dg.RunRequest)


def test_retention_beside_an_unreadable_table_erases_the_other_days_and_fails_with_the_day(
    archive: Archive, days: list[date], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECALL_RETENTION_DAYS", "1")
    monkeypatch.setenv("RECALL_RETENTION_LIMIT", "9")
    archive.local_path(f"bots/day={days[0]}/bots.parquet").write_bytes(b"damaged")
    assert failure(run("retention")).startswith(f"{days[0]}: ")
    assert outcomes(archive, days) == ["ready", "forgotten", "ready", "ready"]
