"""Asset `transcripts`: text, segments and language of each recording that is `ready`."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date

import dagster as dg

from recall_pipeline.downstream import (
    DayReport,
    RecallCatalog,
    as_dagster_failure,
    day_report,
    days_of,
    failure_log,
    materialized,
)
from recall_transcripts.day_transcription import Transcribed, transcribe_recordings
from recall_transcripts.names import TranscriptNames
from recall_transcripts.rows import TRANSCRIPTS, TranscriptRow
from recall_transcripts.run_context import Transcription

_RESOURCES = ("recall_catalog", "transcription")
_CHECK = "every_ready_recording_is_transcribed"
_SAMPLE_CHARACTERS = 120
_KIND = "dagster/kind/"
_RETRY = dg.RetryPolicy(max_retries=2, delay=60, backoff=dg.Backoff.EXPONENTIAL)


def transcripts_asset(names: TranscriptNames, days: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """Return the asset `transcripts` of an archive."""

    def transcripts(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        catalog, transcription = (getattr(context.resources, names.of(key)) for key in _RESOURCES)
        yield from _transcribe_days(context, catalog, transcription)

    spec = names.spec
    asset: dg.AssetsDefinition = dg.asset(
        key=spec.key,
        deps=[names.catalog],
        partitions_def=days,
        # Not eager(): it misses the update of a day that changes right after its transcripts were made.
        automation_condition=dg.AutomationCondition.any_deps_updated() & ~dg.AutomationCondition.any_deps_missing(),
        check_specs=[dg.AssetCheckSpec(_CHECK, asset=spec.key, description="Every ready recording has a transcript.")],
        group_name=spec.group_name,
        owners=list(spec.owners),
        tags={name: value for name, value in spec.tags.items() if not name.startswith(_KIND)},
        kinds=spec.kinds,
        metadata=spec.metadata,
        pool=names.of("transcription"),
        retry_policy=_RETRY,
        required_resource_keys={names.of(key) for key in _RESOURCES},
        description=spec.description,
    )(transcripts)
    return asset


def _transcribe_days(
    context: dg.AssetExecutionContext, recall_catalog: RecallCatalog, transcription: Transcription
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Update each day's transcripts to match its catalog. Raises dagster.Failure for the errors of the pipeline."""
    reports: dict[date, DayReport] = {}
    failures: dict[str, str] = {}
    for day in days_of(context):
        with as_dagster_failure():
            cataloged = recall_catalog.recordings(first=day, last=day, outcomes=None)
            done = transcribe_recordings(
                transcription.archive, day, cataloged, lambda: transcription.transcriber, _log_transcript(context)
            )
            reports[day] = _transcripts_report(transcription, day, done)
        failures |= done.failures
    with failure_log(context.log, "audio_catalog") as logged:  # the table with rows of all recordings
        for recording_id, reason in failures.items():
            logged.report("recording %s: %s; the next run of its day retries it", recording_id, reason)
    yield materialized(context, reports)
    yield _check_result(context.asset_key, failures)


def _log_transcript(context: dg.AssetExecutionContext) -> Callable[[TranscriptRow], None]:
    """Return a callback that logs the progress of a day, which can take hours, without any text."""
    return lambda row: context.log.info(
        "recording %s: %d words, %.0f s of audio in %.0f s",
        row.recording_id,
        row.word_count,
        row.audio_seconds,
        row.transcribing_seconds,
    )


def _transcripts_report(transcription: Transcription, day: date, done: Transcribed) -> DayReport:
    transcribing_seconds = sum(row.transcribing_seconds for row in done.new_rows)
    audio_seconds = sum(row.audio_seconds for row in done.new_rows)
    # A real-time factor below 1 is faster than the speech itself.
    speed = {"real_time_factor": float(f"{transcribing_seconds / audio_seconds:.3g}")} if audio_seconds else {}
    return day_report(
        transcription.archive,
        TRANSCRIPTS,
        day,
        done.rows,
        transcribed=len(done.new_rows),
        left_failed=len(done.failures),
        words=sum(row.word_count for row in done.rows),
        hours_of_audio=round(sum(row.audio_seconds for row in done.rows) / 3600, 4),
        **speed,
        languages=dict(Counter(row.language or "none" for row in done.rows)),
        models=dict(Counter(row.model for row in done.rows)),
        sample=_transcripts_sample(done, transcription.settings.sample_rows),
    )


def _transcripts_sample(done: Transcribed, rows: int) -> dg.TableMetadataValue:
    """Return a table of the longest transcripts, with their first words."""
    longest = sorted(done.rows, key=lambda row: row.word_count, reverse=True)[:rows]
    records = [
        dg.TableRecord(
            {
                "recording": row.recording_id,
                "language": row.language or "",
                "words": row.word_count,
                "text": f"{row.text[:_SAMPLE_CHARACTERS]}{'…' if len(row.text) > _SAMPLE_CHARACTERS else ''}",
            }
        )
        for row in longest
    ]
    types = {"recording": "string", "language": "string", "words": "int", "text": "string"}
    return dg.MetadataValue.table(records, dg.TableSchema([dg.TableColumn(*column) for column in types.items()]))


def _check_result(asset: dg.AssetKey, failures: Mapping[str, str]) -> dg.AssetCheckResult:
    first_reason = next(iter(failures.values()), None)
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=_CHECK,
        passed=not failures,
        description=f"{len(failures)} not transcribed: {first_reason}" if failures else None,
        metadata={"left": len(failures)},
    )
