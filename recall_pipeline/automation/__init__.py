"""When the pipeline runs: the jobs, the daily schedules, the sensor that watches for finished bots, the alerts.

Belongs here: which days are due, asking Dagster to run them, and telling people what fails and when it is over.
Does not belong here: what a run does (`assets`).
Comes in: the catalog on file and a look at Recall.ai. Goes out: run requests, each for one day.
"""

from recall_pipeline.automation.alert_sensor import alerts
from recall_pipeline.automation.due import days_due
from recall_pipeline.automation.forgetting_jobs import daily_retention, forget_job, retention_job
from recall_pipeline.automation.jobs import sync_day
from recall_pipeline.automation.schedule import daily_sync
from recall_pipeline.automation.sensor import finished_bots

__all__ = [
    "alerts",
    "daily_retention",
    "daily_sync",
    "days_due",
    "finished_bots",
    "forget_job",
    "retention_job",
    "sync_day",
]
