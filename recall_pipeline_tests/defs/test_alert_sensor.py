"""The sensor reads what ended since its last tick, and tells it once; and once more when it is over."""

import logging
from collections.abc import Iterator

import dagster as dg
import pytest

from recall_pipeline.defs.alert_sensor import alerts_sensor
from recall_pipeline.defs.names import Names
from recall_pipeline.defs.partitions import day_partitions
from recall_pipeline.defs.run_context import INTERRUPTED
from recall_pipeline.settings import Settings
from recall_pipeline_tests.defs.test_run_liveness import process_tags_of_the_dead

DAY = {"dagster/partition": "2026-03-02"}
RANGE = {"dagster/asset_partition_range_start": "2026-03-01", "dagster/asset_partition_range_end": "2026-03-03"}
CAUSE = "list bot: HTTP 401: check RECALL_API_KEY and RECALL_REGION"
DAYS = day_partitions(Settings())
BROKEN = set[str]()
"""What fails at present: `bots` the step, days for the checks, `run_context` the resource."""


@pytest.fixture(autouse=True)
def nothing_broken() -> Iterator[None]:
    yield
    BROKEN.clear()


@dg.resource
def run_context(_: dg.InitResourceContext) -> None:
    """Stand in for the resource."""
    if "run_context" in BROKEN:
        raise LookupError("sk-secret-of-nobody")


@dg.asset(partitions_def=DAYS, required_resource_keys={"run_context"})
def bots() -> None:
    """Stand in for the asset of that name."""
    if "bots" in BROKEN:
        raise dg.Failure(description=CAUSE, allow_retries=False)
    if "patience" in BROKEN:
        raise dg.Failure(description=INTERRUPTED, allow_retries=False)


def check(name: str, severity: dg.AssetCheckSeverity) -> dg.AssetChecksDefinition:
    """Stand in for a check: it tells its days as ours do."""

    @dg.asset_check(asset=bots, name=name, partitions_def=DAYS)
    def stand_in(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        failing = [day for day in context.partition_keys if day in BROKEN]
        days = {"days": ", ".join(failing)} if len(context.partition_keys) > 1 else {}
        return dg.AssetCheckResult(
            passed=not failing, severity=severity, metadata={"next_action": "look at it", **days}
        )

    return stand_in


@dg.op
def forget_expired() -> None:
    """Stand in for the step of that name."""
    if "forget_expired" in BROKEN:
        raise dg.Failure(description="cannot delete", allow_retries=False)


@dg.job
def retention() -> None:
    """Stand in for the job of that name."""
    forget_expired()


@dg.asset(key="transcripts", partitions_def=DAYS)
def of_another_team() -> None:
    """Fail for reasons of its own."""
    raise dg.Failure(description="out of GPUs", allow_retries=False)


with pytest.warns(dg.PreviewWarning):  # partitions of checks
    DEFINITIONS = dg.Definitions(
        assets=[bots, of_another_team],
        asset_checks=[check("loud", dg.AssetCheckSeverity.ERROR), check("quiet", dg.AssetCheckSeverity.WARN)],
        jobs=[dg.define_asset_job("sync_day", selection=[bots]), retention],
        resources={"run_context": run_context},
        executor=dg.in_process_executor,
    )


class Listener:
    """Ticks the sensor, handing the cursor on; the first tick is over."""

    def __init__(self, instance: dg.DagsterInstance, caplog: pytest.LogCaptureFixture) -> None:
        self.instance, self.caplog = instance, caplog
        self.cursor: str | None = None
        assert self.messages() == []

    def messages(self) -> list[str]:
        """Return the messages of the next tick."""
        self.caplog.clear()
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursor)
        self.caplog.set_level(logging.INFO, logger=context.log.name)
        context.log.addHandler(self.caplog.handler)
        result = alerts_sensor(Settings(), Names())(context)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        return [record.getMessage() for record in self.caplog.records if record.name == context.log.name]

    def run(self, *broken: str, tags: dict[str, str] = DAY, job: str = "sync_day") -> None:
        """Run a job while some things are broken."""
        self._execute(DEFINITIONS.resolve_job_def(job), broken, tags)

    def materialize(self, asset: str, *broken: str) -> None:
        """Run one asset as its page in the UI does."""
        job = DEFINITIONS.resolve_implicit_global_asset_job_def()
        self._execute(job, broken, DAY, asset_selection=[dg.AssetKey(asset)])

    def _execute(self, job: dg.JobDefinition, broken: tuple[str, ...], tags: dict[str, str], **how: object) -> None:
        BROKEN.clear()
        BROKEN.update(broken)
        job.execute_in_process(instance=self.instance, tags=tags, raise_on_error=False, **how)  # type: ignore[arg-type]


@pytest.fixture
def listener(instance: dg.DagsterInstance, caplog: pytest.LogCaptureFixture) -> Listener:
    return Listener(instance, caplog)


def test_a_failed_run_is_reported_once_and_its_recovery_once(listener: Listener) -> None:
    listener.run("bots")
    assert listener.messages() == [f"Failed: {CAUSE}\nWhere: bots of 2026-03-02"]
    listener.run("bots")
    assert listener.messages() == []
    listener.run()
    assert listener.messages() == [f"Recovered: {CAUSE}"]
    assert listener.messages() == []


def test_what_failed_before_the_first_tick_is_not_news(
    instance: dg.DagsterInstance, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    listener.run("bots")
    assert Listener(instance, caplog).messages() == []


def test_a_failed_run_from_the_ui_is_reported_and_one_of_another_location_is_not(listener: Listener) -> None:
    listener.materialize("transcripts")
    assert listener.messages() == []
    listener.materialize("bots", "bots")
    assert listener.messages() == [f"Failed: {CAUSE}\nWhere: bots of 2026-03-02"]
    listener.run()
    assert listener.messages() == [f"Recovered: {CAUSE}"]


def test_an_interrupted_run_is_not_reported(listener: Listener) -> None:
    listener.run("patience")
    assert listener.messages() == []


def test_a_failed_retention_run_is_reported(listener: Listener) -> None:
    listener.run("forget_expired", job="retention", tags={})
    assert listener.messages() == ["Failed: cannot delete\nWhere: forget_expired of retention"]
    listener.run(job="retention", tags={})
    assert listener.messages() == ["Recovered: cannot delete"]


def test_a_run_whose_process_ended_is_reported_until_its_day_has_been_run(
    instance: dg.DagsterInstance, listener: Listener
) -> None:
    run = dg.DagsterRun(job_name="sync_day", status=dg.DagsterRunStatus.STARTED, tags=DAY | process_tags_of_the_dead())
    instance.add_run(run)
    [message] = listener.messages()
    assert message.startswith("Failed: the run's process was killed, or it ran too long")
    assert message.endswith("\nWhere: the run of 2026-03-02")
    listener.run()
    assert [message.split(":")[0] for message in listener.messages()] == ["Recovered"]


def test_a_run_that_fails_before_its_first_step_names_the_kind_of_error_and_quotes_nothing(listener: Listener) -> None:
    listener.run("run_context")
    assert listener.messages() == [
        "Failed: the run ended with LookupError before its first step; its log is in Dagster\n"
        "Where: the run of 2026-03-02"
    ]


def test_a_failing_check_of_severity_error_is_reported_and_a_warning_is_not(listener: Listener) -> None:
    listener.run("2026-03-02")
    assert listener.messages() == ["Failed: check loud: look at it\nWhere: loud of 2026-03-02"]
    listener.run()
    assert listener.messages() == ["Recovered: check loud: look at it"]


def test_a_failed_range_names_its_days_and_each_day_recovers_separately(listener: Listener) -> None:
    listener.run("2026-03-01", "2026-03-02", tags=RANGE)
    assert listener.messages() == ["Failed: check loud: look at it\nWhere: loud of 2026-03-01, loud of 2026-03-02"]
    listener.run("2026-03-01", tags=DAY)
    assert listener.messages() == []
    listener.run(tags={"dagster/partition": "2026-03-01"})
    assert listener.messages() == ["Recovered: check loud: look at it"]


def test_a_day_that_recovered_after_many_failures_does_not_fail_any_more(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recall_pipeline.defs.alert_sensor._RUNS_PER_PAGE", 2)
    for _ in range(4):
        listener.run("bots")
    listener.run()
    assert [listener.messages() for _ in range(3)] == [[], [], []]
