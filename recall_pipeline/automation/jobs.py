"""Job `sync_day`: all four assets of one day."""

import dagster as dg

from recall_pipeline.assets import audio_catalog, bots, mixed_audio, recordings

sync_day = dg.define_asset_job(
    "sync_day",
    selection=[bots, recordings, mixed_audio, audio_catalog],
    description="Bring one day home: list it, fetch what is new, prove it, normalize it, catalog it.",
)
