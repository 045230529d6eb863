"""Job `sync_day`: all four assets of one day."""

import dagster as dg

from recall_pipeline.defs.audio_catalog_asset import audio_catalog
from recall_pipeline.defs.bots_asset import bots
from recall_pipeline.defs.mixed_audio_asset import mixed_audio
from recall_pipeline.defs.recordings_asset import recordings

sync_day = dg.define_asset_job(
    "sync_day",
    selection=[bots, recordings, mixed_audio, audio_catalog],
    description="Bring one day home: list it, fetch what is new, prove it, normalize it, catalog it.",
)
