"""The sensor reads what ended since its last tick, and tells it once."""

import logging
from collections.abc import Iterator

import dagster as dg
import pytest

from recall_pipeline.automation import alerts

DAY = {"dagster/partition": "2026-03-02"}
CAUSE = "list bot: HTTP 401: check RECALL_API_KEY and RECALL_REGION"


@dg.op(config_schema={"fails": bool})
def step(context: dg.OpExecutionContext) -> None:
    """Fail as an asset does, or not."""
    if context.op_config["fails"]:
        raise dg.Failure(description=CAUSE, allow_retries=False)


@dg.job
def sync_day() -> None:
    """Stand in for the job of that name."""
    step()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def _run(instance: dg.DagsterInstance, *, fails: bool) -> None:
    config = {"ops": {"step": {"config": {"fails": fails}}}}
    sync_day.execute_in_process(config, instance=instance, tags=DAY, raise_on_error=False)


def _tick(
    instance: dg.DagsterInstance, cursor: str | None, caplog: pytest.LogCaptureFixture
) -> tuple[str | None, list[str]]:
    caplog.clear()
    context = dg.build_sensor_context(instance=instance, cursor=cursor)
    caplog.set_level(logging.INFO, logger=context.log.name)
    context.log.addHandler(caplog.handler)
    alerts(context)
    return context.cursor, [record.getMessage() for record in caplog.records if record.name == context.log.name]


def test_a_failed_run_is_told_once_and_its_recovery_once(
    instance: dg.DagsterInstance, caplog: pytest.LogCaptureFixture
) -> None:
    cursor, said = _tick(instance, None, caplog)
    assert said == []
    _run(instance, fails=True)
    cursor, said = _tick(instance, cursor, caplog)
    assert said == [f"Failed: {CAUSE}\nWhere: sync_day of 2026-03-02"]
    _run(instance, fails=True)
    cursor, said = _tick(instance, cursor, caplog)
    assert said == []
    _run(instance, fails=False)
    cursor, said = _tick(instance, cursor, caplog)
    assert said == [f"Recovered: {CAUSE}"]
    assert _tick(instance, cursor, caplog)[1] == []


def test_what_failed_before_the_first_tick_is_not_news(
    instance: dg.DagsterInstance, caplog: pytest.LogCaptureFixture
) -> None:
    _run(instance, fails=True)
    cursor, said = _tick(instance, None, caplog)
    assert said == []
    assert _tick(instance, cursor, caplog)[1] == []


def test_a_failing_check_of_severity_error_is_told_and_a_warning_is_not(
    instance: dg.DagsterInstance, caplog: pytest.LogCaptureFixture
) -> None:
    @dg.asset(check_specs=[dg.AssetCheckSpec("loud", asset="thing"), dg.AssetCheckSpec("quiet", asset="thing")])
    def thing() -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        yield dg.MaterializeResult()
        for name, severity in (("loud", dg.AssetCheckSeverity.ERROR), ("quiet", dg.AssetCheckSeverity.WARN)):
            yield dg.AssetCheckResult(
                check_name=name, passed=False, severity=severity, metadata={"next_action": "look at it"}
            )

    cursor, _ = _tick(instance, None, caplog)
    dg.materialize([thing], instance=instance)
    _, said = _tick(instance, cursor, caplog)
    assert said == ["Failed: check loud: look at it\nWhere: loud of a range of days"]
