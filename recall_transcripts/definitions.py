"""The Dagster definitions of this code location. Loading reads settings and does no other I/O."""

import dagster as dg

from recall_pipeline.downstream import RecallCatalog
from recall_transcripts.asset import transcripts
from recall_transcripts.automation import catalog_changes, daily_transcripts, transcribe_day
from recall_transcripts.run_context import transcription_resource

defs = dg.Definitions(
    assets=[transcripts],
    jobs=[transcribe_day],
    schedules=[daily_transcripts],
    sensors=[catalog_changes],
    resources={"recall_catalog": RecallCatalog(), "transcription": transcription_resource},
    executor=dg.in_process_executor,
)
