"""Asset `transcripts`: what a run shows of a day, and how it fails."""

import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from recall_pipeline.catalog import CATALOG
from recall_pipeline.downstream import RecallCatalog
from recall_pipeline.storage import Archive
from recall_pipeline_tests.transcripts.meetings import TestEngine, said
from recall_pipeline_tests.workspace import DAY, an_id
from recall_transcripts.asset import transcripts
from recall_transcripts.definitions import defs
from recall_transcripts.rows import TRANSCRIPTS
from recall_transcripts.run_context import Transcription

NEXT = DAY + timedelta(days=1)
INSTALL = "transcribing takes faster-whisper: pip install 'recall_pipeline[transcription]', in a checkout `make "


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """An instance in memory."""
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def run(instance: dg.DagsterInstance, engine: TestEngine | None = None, **options: Any) -> dg.ExecuteInProcessResult:
    """Materialize a day, by default with the test engine."""
    transcription = Transcription(engine=lambda _: engine or TestEngine())
    return dg.materialize(
        [transcripts],
        resources={"recall_catalog": RecallCatalog(), "transcription": transcription},
        instance=instance,
        raise_on_error=False,
        **({"partition_key": DAY.isoformat()} | options),
    )


def metadata_of(result: dg.ExecuteInProcessResult) -> dict[str | None, dict[str, Any]]:
    """What was told of each day."""
    assert result.success
    return {
        event.materialization.partition: {name: value.value for name, value in event.materialization.metadata.items()}
        for event in result.get_asset_materialization_events()
    }


def versions(instance: dg.DagsterInstance) -> list[str | None]:
    """The data versions of the materializations, newest first."""
    records = instance.fetch_materializations(dg.AssetKey("transcripts"), limit=10).records
    tags = [record.asset_materialization.tags if record.asset_materialization else None for record in records]
    return [(of or {}).get("dagster/data_version") for of in tags]


def test_a_day_shows_its_words_its_speed_and_the_first_of_its_text(
    stored: Archive, instance: dg.DagsterInstance
) -> None:
    CATALOG.write(stored, DAY, [said(stored, "one", "question"), said(stored, "quiet")])
    told = metadata_of(run(instance))[DAY.isoformat()]
    counts = ("dagster/partition_row_count", "transcribed", "left_failed", "words")
    assert [told[name] for name in counts] == [2, 2, 0, 1]
    assert told["real_time_factor"] > 0
    assert told["languages"] == {"tt": 1, "none": 1}
    assert told["models"] == {"test engine 1": 2}
    (row,) = [row for row in TRANSCRIPTS.read(stored, DAY) or [] if row.text]
    shown = told["sample"].records[0].data
    assert shown == {"recording": an_id("one"), "language": "tt", "words": 1, "text": row.text}


def test_an_unchanged_day_keeps_its_data_version(stored: Archive, instance: dg.DagsterInstance) -> None:
    CATALOG.write(stored, DAY, [said(stored, "one", "question")])
    run(instance)
    told = metadata_of(run(instance))[DAY.isoformat()]
    assert told["transcribed"] == 0
    assert "real_time_factor" not in told
    CATALOG.write(stored, DAY, [said(stored, "one", "answer", version="newbytes")])
    run(instance)
    newest, second, first = versions(instance)
    assert first == second != newest


def test_a_range_in_one_run_tells_of_each_day(stored: Archive, instance: dg.DagsterInstance) -> None:
    CATALOG.write(stored, DAY, [said(stored, "one", "question")])
    CATALOG.write(stored, NEXT, [said(stored, "two", "answer", day=NEXT), said(stored, "quiet", day=NEXT)])
    span = {"start": DAY.isoformat(), "end": NEXT.isoformat()}
    tags = {f"dagster/asset_partition_range_{end}": day for end, day in span.items()}
    told = metadata_of(run(instance, partition_key=None, tags=tags))
    assert {day: of["transcribed"] for day, of in told.items()} == {DAY.isoformat(): 1, NEXT.isoformat(): 2}


def test_no_text_is_shown_where_none_is_to_be_kept_by_dagster(
    stored: Archive, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSCRIPTS_SAMPLE_ROWS", "0")
    CATALOG.write(stored, DAY, [said(stored, "one", "question")])
    assert metadata_of(run(instance))[DAY.isoformat()]["sample"].records == []


def test_a_recording_that_was_left_fails_the_check_and_not_the_run(
    stored: Archive, instance: dg.DagsterInstance
) -> None:
    CATALOG.write(stored, DAY, [said(stored, "one", "question")])
    run(instance)
    (row,) = TRANSCRIPTS.read(stored, DAY) or []
    engine = TestEngine("2", deaf_to=frozenset({row.text}))
    result = run(instance, engine)
    assert metadata_of(result)[DAY.isoformat()]["left_failed"] == 1
    (check,) = result.get_asset_check_evaluations()
    assert (check.passed, check.description) == (False, "1 were left: the test engine is deaf to this")
    (check,) = run(instance).get_asset_check_evaluations()
    assert check.passed


def test_without_an_engine_a_run_says_in_one_line_what_to_install(
    stored: Archive, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)  # as if it were not installed
    CATALOG.write(stored, DAY, [said(stored, "one", "question")])
    job = defs.resolve_job_def("transcribe_day")
    result = job.execute_in_process(instance=instance, partition_key=DAY.isoformat(), raise_on_error=False)
    (failure,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert failure.user_failure_data is not None
    assert (failure.user_failure_data.description or "").startswith(INSTALL)
    assert "\n" not in (failure.user_failure_data.description or "")
