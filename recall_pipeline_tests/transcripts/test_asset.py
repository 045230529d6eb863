"""Asset `transcripts`: metadata, data version, check result and failure of a run."""

import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from recall_pipeline.catalog import CATALOG
from recall_pipeline.downstream import RecallCatalog
from recall_pipeline.storage import Archive
from recall_pipeline_tests.transcripts.meetings import TestEngine, publish_recording
from recall_pipeline_tests.workspace import DAY, an_id
from recall_transcripts.definitions import defs, transcripts
from recall_transcripts.rows import TRANSCRIPTS
from recall_transcripts.run_context import Transcription

NEXT = DAY + timedelta(days=1)
INSTALL = "transcription needs faster-whisper: pip install 'recall_pipeline[transcription]', or in a checkout `make "


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A Dagster instance in memory."""
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
    """Return the metadata of each day."""
    assert result.success
    return {
        event.materialization.partition: {name: value.value for name, value in event.materialization.metadata.items()}
        for event in result.get_asset_materialization_events()
    }


def versions(instance: dg.DagsterInstance) -> list[str | None]:
    """Return the data versions of the materializations, newest first."""
    records = instance.fetch_materializations(dg.AssetKey("transcripts"), limit=10).records
    tags = [record.asset_materialization.tags if record.asset_materialization else None for record in records]
    return [(each or {}).get("dagster/data_version") for each in tags]


def test_a_day_shows_word_count_speed_and_the_first_words(stored: Archive, instance: dg.DagsterInstance) -> None:
    CATALOG.write(stored, DAY, [publish_recording(stored, "one", "question"), publish_recording(stored, "quiet")])
    metadata = metadata_of(run(instance))[DAY.isoformat()]
    counts = ("dagster/partition_row_count", "transcribed", "left_failed", "words")
    assert [metadata[name] for name in counts] == [2, 2, 0, 1]
    assert metadata["real_time_factor"] > 0
    assert metadata["languages"] == {"tt": 1, "none": 1}
    assert metadata["models"] == {"test engine 1": 2}
    (row,) = [row for row in TRANSCRIPTS.read(stored, DAY) or [] if row.text]
    sample = metadata["sample"].records[0].data
    assert sample == {"recording": an_id("one"), "language": "tt", "words": 1, "text": row.text}


def test_an_unchanged_day_keeps_its_data_version(stored: Archive, instance: dg.DagsterInstance) -> None:
    CATALOG.write(stored, DAY, [publish_recording(stored, "one", "question")])
    run(instance)
    metadata = metadata_of(run(instance))[DAY.isoformat()]
    assert metadata["transcribed"] == 0
    assert "real_time_factor" not in metadata
    CATALOG.write(stored, DAY, [publish_recording(stored, "one", "answer", version="newbytes")])
    run(instance)
    newest, second, first = versions(instance)
    assert first == second != newest


def test_a_range_in_one_run_reports_each_day(stored: Archive, instance: dg.DagsterInstance) -> None:
    CATALOG.write(stored, DAY, [publish_recording(stored, "one", "question")])
    CATALOG.write(
        stored,
        NEXT,
        [publish_recording(stored, "two", "answer", day=NEXT), publish_recording(stored, "quiet", day=NEXT)],
    )
    span = {"start": DAY.isoformat(), "end": NEXT.isoformat()}
    tags = {f"dagster/asset_partition_range_{end}": day for end, day in span.items()}
    metadata = metadata_of(run(instance, partition_key=None, tags=tags))
    assert {day: values["transcribed"] for day, values in metadata.items()} == {DAY.isoformat(): 1, NEXT.isoformat(): 2}


def test_no_text_is_shown_if_sample_rows_is_zero(
    stored: Archive, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSCRIPTS_SAMPLE_ROWS", "0")
    CATALOG.write(stored, DAY, [publish_recording(stored, "one", "question")])
    assert metadata_of(run(instance))[DAY.isoformat()]["sample"].records == []


def test_a_recording_that_fails_fails_the_check_but_not_the_run(stored: Archive, instance: dg.DagsterInstance) -> None:
    CATALOG.write(stored, DAY, [publish_recording(stored, "one", "question")])
    run(instance)
    (row,) = TRANSCRIPTS.read(stored, DAY) or []
    engine = TestEngine("2", fails_on=frozenset({row.text}))
    result = run(instance, engine)
    assert metadata_of(result)[DAY.isoformat()]["left_failed"] == 1
    (check,) = result.get_asset_check_evaluations()
    assert (check.passed, check.description) == (False, "1 not transcribed: the test engine fails on this")
    (check,) = run(instance).get_asset_check_evaluations()
    assert check.passed


def test_without_an_engine_a_run_fails_with_one_line_that_states_what_to_install(
    stored: Archive, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)  # as if it were not installed
    CATALOG.write(stored, DAY, [publish_recording(stored, "one", "question")])
    job = defs.resolve_job_def("transcribe_day")
    result = job.execute_in_process(instance=instance, partition_key=DAY.isoformat(), raise_on_error=False)
    (failure,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert failure.user_failure_data is not None
    assert (failure.user_failure_data.description or "").startswith(INSTALL)
    assert "\n" not in (failure.user_failure_data.description or "")
