"""Everything that Dagster loads (docs/design/interface.md, section 2). Loading reads settings, nothing else.

It takes what lives by then out of the garbage collector's rounds, which is what Dagster and others have imported.
"""

import gc

import dagster as dg

gc.freeze()  # else the collector goes through all of it again and again, here and in every run

from recall_pipeline.defs import (
    alerts,
    audio_catalog,
    bots,
    checks,
    daily_retention,
    daily_sync,
    finished_bots,
    forget_job,
    mixed_audio,
    recordings,
    retention_job,
    run_context_resource,
    sync_day,
)

defs = dg.Definitions(
    assets=[bots, recordings, mixed_audio, audio_catalog],
    asset_checks=checks,
    jobs=[sync_day, forget_job, retention_job],
    schedules=[daily_sync, daily_retention],
    sensors=[finished_bots, alerts],
    resources={"session": run_context_resource},
    # The steps follow one another and bring their own concurrency; a process a step costs 3-8 s and gains nothing.
    executor=dg.in_process_executor,
)
