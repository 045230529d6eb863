"""The definitions, with alerts that wait for seconds instead of hours; `live.alerts` loads them."""

from datetime import timedelta

from recall_pipeline.catalog import due_days
from recall_pipeline.defs import alert_sensor

due_days._LATE_AFTER = due_days._YOUNG = timedelta(0)
alert_sensor._TABLES_READ_EVERY = timedelta(seconds=50)

from recall_pipeline.definitions import defs  # noqa: E402 -- they are made at import

__all__ = ["defs"]
