"""The Dagster definitions of this code location. Loading reads settings and does no other I/O."""

import dagster as dg

from recall_pipeline.downstream import DAYS, RecallCatalog, load_settings
from recall_transcripts.asset import transcripts_asset
from recall_transcripts.automation import (
    catalog_changes_sensor,
    daily_transcripts_schedule,
    is_engine_installed,
    transcribe_day_job,
)
from recall_transcripts.names import TranscriptNames
from recall_transcripts.run_context import Transcription, transcription_resource
from recall_transcripts.settings import load_transcripts_settings

_NAMES = TranscriptNames()
_IS_ENABLED = is_engine_installed(load_transcripts_settings())

transcripts = transcripts_asset(_NAMES, DAYS)
catalog_changes = catalog_changes_sensor(_NAMES, is_enabled=_IS_ENABLED)
daily_transcripts = daily_transcripts_schedule(_NAMES, load_settings, is_enabled=_IS_ENABLED)

defs = dg.Definitions(
    assets=[transcripts],
    jobs=[transcribe_day_job(_NAMES)],
    schedules=[daily_transcripts],
    sensors=[catalog_changes],
    resources={"recall_catalog": RecallCatalog(), "transcription": transcription_resource(Transcription)},
    executor=dg.in_process_executor,
)
