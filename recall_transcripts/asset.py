"""Asset `transcripts`: what is said in each recording that the catalog calls ready."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date

import dagster as dg

from recall_pipeline.downstream import (
    DAYS,
    TAGS,
    DayReport,
    RecallCatalog,
    as_dagster_failure,
    day_report,
    days_of,
    materialized,
)
from recall_transcripts.day_transcription import Transcribed, transcribe_recordings
from recall_transcripts.rows import TRANSCRIPTS, TranscriptRow
from recall_transcripts.run_context import Transcription

CATALOG_KEY = dg.AssetKey("audio_catalog")
_CHECK = "every_ready_recording_is_transcribed"
_SHOWN_LETTERS = 120
_RETRY = dg.RetryPolicy(max_retries=2, delay=60, backoff=dg.Backoff.EXPONENTIAL)


@dg.asset(
    deps=[CATALOG_KEY],
    partitions_def=DAYS,
    # Not eager(), which lost the update of a day that changed just after its transcripts were made.
    automation_condition=dg.AutomationCondition.any_deps_updated() & ~dg.AutomationCondition.any_deps_missing(),
    check_specs=[
        dg.AssetCheckSpec(_CHECK, asset="transcripts", description="No recording that is ready was left without text.")
    ],
    group_name="transcripts",
    owners=["team:speech"],
    tags=TAGS,
    kinds={"parquet"},
    pool="transcription",
    retry_policy=_RETRY,
    description="Text, segments with times, and language of every recording that is `ready`, with the hashes of the "
    "audio and of the model that they come from. Only what has changed is transcribed again.",
)
def transcripts(
    context: dg.AssetExecutionContext,
    recall_catalog: dg.ResourceParam[RecallCatalog],
    transcription: dg.ResourceParam[Transcription],
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Bring each day's transcripts up to date with its catalog."""
    reports: dict[date, DayReport] = {}
    failures: dict[str, str] = {}
    for day in days_of(context):
        with as_dagster_failure():
            cataloged = recall_catalog.recordings(first=day, last=day, outcomes=None)
            done = transcribe_recordings(
                transcription.archive, day, cataloged, lambda: transcription.transcriber, _log(context)
            )
            reports[day] = _transcripts_report(transcription, day, done)
        failures |= done.failures
    for recording_id, reason in failures.items():
        context.log.warning("recording %s: %s; tried again at the next run of its day", recording_id, reason)
    yield materialized(context, reports)
    yield _verdict(failures)


def _log(context: dg.AssetExecutionContext) -> Callable[[TranscriptRow], None]:
    """Return what tells the log of each transcript, without its text: a day can take hours."""
    return lambda row: context.log.info(
        "recording %s: %d words, %.0f s of audio in %.0f s",
        row.recording_id,
        row.word_count,
        row.audio_seconds,
        row.transcribing_seconds,
    )


def _transcripts_report(transcription: Transcription, day: date, done: Transcribed) -> DayReport:
    worked, heard = (sum(getattr(row, name) for row in done.anew) for name in ("transcribing_seconds", "audio_seconds"))
    speed = {"real_time_factor": float(f"{worked / heard:.3g}")} if heard else {}  # below 1: faster than spoken
    return day_report(
        transcription.archive,
        TRANSCRIPTS,
        day,
        done.rows,
        transcribed=len(done.anew),
        left_failed=len(done.failures),
        words=sum(row.word_count for row in done.rows),
        hours_of_audio=round(sum(row.audio_seconds for row in done.rows) / 3600, 4),
        **speed,
        languages=dict(Counter(row.language or "none" for row in done.rows)),
        models=dict(Counter(row.model for row in done.rows)),
        sample=_transcripts_sample(done, transcription.settings.sample_rows),
    )


def _transcripts_sample(done: Transcribed, rows: int) -> dg.TableMetadataValue:
    """Show the longest transcripts, by their first words."""
    longest = sorted(done.rows, key=lambda row: row.word_count, reverse=True)[:rows]
    records = [
        dg.TableRecord(
            {
                "recording": row.recording_id,
                "language": row.language or "",
                "words": row.word_count,
                "text": f"{row.text[:_SHOWN_LETTERS]}{'…' if len(row.text) > _SHOWN_LETTERS else ''}",
            }
        )
        for row in longest
    ]
    kinds = {"recording": "string", "language": "string", "words": "int", "text": "string"}
    return dg.MetadataValue.table(records, dg.TableSchema([dg.TableColumn(*column) for column in kinds.items()]))


def _verdict(failures: Mapping[str, str]) -> dg.AssetCheckResult:
    first = next(iter(failures.values()), None)
    return dg.AssetCheckResult(
        check_name=_CHECK,
        passed=not failures,
        description=f"{len(failures)} were left: {first}" if failures else None,
        metadata={"left": len(failures)},
    )
