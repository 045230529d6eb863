"""The steps of a run share one run context, and fail with the one line that says what to do."""

import contextlib
import dataclasses
import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from recall_pipeline.catalog import CATALOG
from recall_pipeline.defs import RunContext, build_definitions
from recall_pipeline.defs.run_liveness import process_tags
from recall_pipeline.discovery import RECORDINGS
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.erasure import forget, plan_for_request
from recall_pipeline.errors import RecallUnauthorized, RecallUnreachable, StorageError
from recall_pipeline.progress import no_progress
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, Layout, Table
from recall_pipeline.storage.layout import TableName
from recall_pipeline_tests.workspace import DAY, Workspace, an_id, talk
from recall_sandbox import Rule, Sandbox
from recall_sandbox.effects import Call, unavailable

ASSETS = ("bots", "recordings", "mixed_audio", "audio_catalog")


@pytest.fixture
def workspace(sandbox: Sandbox, settings: Settings) -> Workspace:
    return Workspace(sandbox, settings)


def run(instance: dg.DagsterInstance, run_context: RunContext, day: date = DAY) -> dg.ExecuteInProcessResult:
    """Run `sync_day` for one day."""
    return (
        build_definitions(run_context.settings)
        .resolve_job_def("sync_day")
        .execute_in_process(
            instance=instance,
            partition_key=day.isoformat(),
            resources={"run_context": dg.ResourceDefinition.hardcoded_resource(run_context)},
            raise_on_error=False,
        )
    )


def failure_of(result: dg.ExecuteInProcessResult) -> str:
    """The one line of the step that failed."""
    [failed] = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert failed.user_failure_data
    assert failed.user_failure_data.description
    return failed.user_failure_data.description


@pytest.mark.parametrize(
    ("step", "lost"),
    [("mixed_audio", "recordings"), ("audio_catalog", "recordings"), ("audio_catalog", "mixed_audio")],
)
def test_a_step_without_the_table_that_it_builds_on_fails_in_one_line(
    instance: dg.DagsterInstance, workspace: Workspace, step: str, lost: TableName
) -> None:
    session = RunContext(workspace.settings)
    workspace.meet("one", talk())
    assert run(instance, session).success
    before = CATALOG.read(workspace.archive, DAY)
    workspace.archive.remove(Layout.table(lost, DAY))
    built = build_definitions(workspace.settings).assets or ()
    result = dg.materialize(
        [asset for asset in built if isinstance(asset, dg.AssetsDefinition)],
        selection=[step],
        instance=instance,
        partition_key=DAY.isoformat(),
        resources={"run_context": session},
        raise_on_error=False,
    )
    cure = f"run recall-pipeline sync --from {DAY} --to {DAY}"
    assert failure_of(result) == f"{workspace.archive.uri(Layout.table(lost, DAY))} is not there: {cure}"
    assert CATALOG.read(workspace.archive, DAY) == before


@pytest.mark.parametrize(
    ("error", "is_interactive", "may_retry"),
    [
        (RecallUnreachable("no answer"), False, True),
        (StorageError("no room"), False, True),
        (RecallUnauthorized("bad key"), False, False),
        (RecallUnreachable("no answer"), True, False),
    ],
)
def test_dagster_retries_only_transient_errors_of_automatic_runs(
    settings: Settings, error: Exception, is_interactive: bool, may_retry: bool
) -> None:
    run_context = RunContext(settings, is_interactive=is_interactive)
    with pytest.raises(dg.Failure) as failure, run_context.as_dagster_failure():
        raise error
    assert (failure.value.description, failure.value.allow_retries) == (str(error), may_retry)


def test_an_unexpected_error_ends_the_step_at_once_with_its_own_traceback(settings: Settings) -> None:
    with pytest.raises(dg.Failure) as raised, RunContext(settings).as_dagster_failure():
        raise ZeroDivisionError
    assert isinstance(raised.value.__cause__, ZeroDivisionError)
    assert not raised.value.allow_retries
    assert raised.value.description is None


def test_a_bad_key_fails_the_first_step_in_one_line_without_the_key(
    instance: dg.DagsterInstance, settings: Settings
) -> None:
    wrong = settings.model_copy(update={"api_key": SecretStr("revoked-key-of-nobody")})
    result = run(instance, RunContext(wrong))
    assert "does not accept the key" in failure_of(result)
    assert "revoked-key-of-nobody" not in failure_of(result)
    assert "\n" not in failure_of(result)


def test_no_key_fails_the_first_step_in_one_line(instance: dg.DagsterInstance, settings: Settings) -> None:
    result = run(instance, RunContext(settings.model_copy(update={"api_key": None})))
    assert failure_of(result).startswith("RECALL_API_KEY is not set")


def test_a_listing_that_fails_changes_nothing_on_file(instance: dg.DagsterInstance, workspace: Workspace) -> None:
    workspace.meet("one", talk())
    assert run(instance, RunContext(workspace.settings)).success
    before = MIXED_AUDIO.read(workspace.archive, DAY)
    workspace.world.empty_listings()
    workspace.sandbox.faults.add(Rule(unavailable(), origin="api", path="/recording/$"))
    result = run(instance, RunContext(workspace.settings, is_interactive=True))
    assert "list recording: HTTP 503" in failure_of(result)
    assert MIXED_AUDIO.read(workspace.archive, DAY) == before


def test_the_steps_of_a_run_share_one_walk_and_count_together(
    instance: dg.DagsterInstance, workspace: Workspace
) -> None:
    workspace.meet("one", talk())
    progress: list[tuple[str, int, int]] = []
    run_context = RunContext(workspace.settings, progress=lambda *step: progress.append(step))
    assert run(instance, run_context).success
    asked = [access.path.removeprefix("/api/v1") for access in workspace.sandbox.access_log.only(origin="api")]
    assert sorted(asked) == ["/audio_mixed/", "/bot/", "/recording/"]
    stats = run_context.stats
    assert (stats.api_requests, stats.downloaded, stats.reused, stats.normalized) == (3, 1, 0, 1)
    assert progress == [(f"{DAY} download", 1, 1)]  # it was normalized while its download was checked


def test_a_named_recording_is_looked_at_again(instance: dg.DagsterInstance, workspace: Workspace) -> None:
    [named] = workspace.meet("named", talk())
    workspace.meet("other", talk(1))
    assert run(instance, RunContext(workspace.settings)).success
    workspace.sandbox.access_log.clear()
    assert run(instance, RunContext(workspace.settings, refetch=frozenset({named.recording_id}))).success
    assert workspace.media_requests() == [named.id]


@dataclasses.dataclass(frozen=True)
class BreaksAt:
    """An effect that answers 500 to whatever asks for this id, and else as ever."""

    object_id: str

    async def apply(self, call: Call) -> None:
        if self.object_id.encode() in call.scope["query_string"]:
            await unavailable(500).apply(call)
        else:
            await call.serve()


def test_a_lookup_that_recall_cannot_answer_affects_only_its_recording(
    instance: dg.DagsterInstance, workspace: Workspace
) -> None:
    [good] = workspace.meet("good", talk())
    workspace.meet("broken")
    rule = workspace.sandbox.faults.add(Rule(BreaksAt(an_id("broken")), origin="api", path="/audio_mixed/$"))
    assert run(instance, RunContext(workspace.settings)).success
    rows = {row.recording_id: row for row in CATALOG.read(workspace.archive, DAY) or []}
    assert (rows[good.recording_id].outcome, rows[an_id("broken")].outcome) == ("ready", "download_failed")
    why = rows[an_id("broken")].outcome_reason or ""
    assert why.startswith("Recall does not say whether it has an MP3: list audio_mixed: HTTP 500")
    workspace.sandbox.faults.remove(rule)
    assert run(instance, RunContext(workspace.settings)).success
    assert [row.outcome for row in CATALOG.read(workspace.archive, DAY) or []] == ["ready", "not_requested"]


def test_a_recording_without_a_usable_id_is_left_out_and_stops_no_other(
    instance: dg.DagsterInstance, workspace: Workspace
) -> None:
    [mp3] = workspace.meet("one", talk())
    recording = workspace.world.recordings.get(mp3.recording_id)
    assert recording
    workspace.world.add(dataclasses.replace(recording, id="../../etc"))
    result = run(instance, RunContext(workspace.settings))
    assert result.success
    [materialization] = result.asset_materializations_for_node("recordings")
    assert materialization.metadata["left_out"].value == 1
    assert [row.recording_id for row in RECORDINGS.read(workspace.archive, DAY) or []] == [mp3.recording_id]


def test_a_run_records_its_process_and_the_days_of_a_range_share_one_walk(
    instance: dg.DagsterInstance, workspace: Workspace
) -> None:
    span = {
        "dagster/asset_partition_range_start": "2026-03-01",
        "dagster/asset_partition_range_end": "2026-03-05",
    }
    job = build_definitions(workspace.settings).resolve_job_def("sync_day")
    assert job.execute_in_process(instance=instance, tags=span).success
    assert process_tags().items() <= instance.get_runs()[0].tags.items()
    asked = [access.path.removeprefix("/api/v1") for access in workspace.sandbox.access_log.only(origin="api")]
    assert sorted(asked) == ["/audio_mixed/", "/bot/", "/recording/"]


def test_one_run_of_a_day_reads_tables_twenty_times_or_fewer(
    instance: dg.DagsterInstance, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    load = Table._load

    def counted(table: Table[object], archive: Archive, day: date, *others: Any, **named: Any) -> object:
        content = load(table, archive, day, *others, **named)
        reads.extend([] if content is None else [table.key(day)])
        return content

    monkeypatch.setattr(Table, "_load", counted)
    workspace.meet("one", talk())
    workspace.meet("two", None)
    for _ in range(2):  # the first sync, and one without changes
        reads.clear()
        assert run(instance, RunContext(workspace.settings)).success
        assert 0 < len(reads) <= 20, Counter(reads)


def test_a_run_removes_what_another_host_stored_again_of_an_erased_recording(
    instance: dg.DagsterInstance, workspace: Workspace
) -> None:
    [mp3] = workspace.meet("one", talk())
    archive = workspace.archive
    assert run(instance, RunContext(workspace.settings)).success
    plan = plan_for_request(archive, recording_id=mp3.recording_id)
    forget(archive, plan, "request 17", no_progress)
    key = Layout.source(DAY, mp3.recording_id, mp3.id)
    with archive.staged_file() as staged:
        staged.write_bytes(b"stored again")
        archive.publish(staged, key)
    assert run(instance, RunContext(workspace.settings)).success
    assert not archive.exists(key)


def test_a_run_that_waits_for_a_lock_states_so_in_its_log(
    workspace: Workspace, settings: Settings, tmp_path: Path
) -> None:
    instance = dg.DagsterInstance.local_temp(str(tmp_path))  # two threads read it
    job = build_definitions(settings).resolve_job_def("sync_day")
    with ThreadPoolExecutor(1) as threads, contextlib.ExitStack() as held:
        held.enter_context(workspace.archive.lock_day(DAY))
        running = threads.submit(job.execute_in_process, instance=instance, partition_key=DAY.isoformat())
        while not waits_logged(instance) and not running.done():
            time.sleep(0.05)
        held.close()
        assert running.result().success
    assert f"day-{DAY}.lock: process {os.getpid()}" in waits_logged(instance)[0]


def waits_logged(instance: dg.DagsterInstance) -> list[str]:
    """The messages about locks in the logs of all runs."""
    events = [entry for run in instance.get_runs() for entry in instance.all_logs(run.run_id)]
    return [entry.user_message for entry in events if "waiting for the lock" in entry.user_message]
