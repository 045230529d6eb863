"""A day with two ready meetings and one without audio, and a function that deletes its MP3s at Recall.ai."""

import asyncio
from pathlib import Path
from typing import Protocol

import pytest

from recall_pipeline.progress import StepProgress, no_step_progress
from recall_pipeline.recall_api import open_client
from recall_pipeline.settings import Settings
from recall_pipeline.upstream_deletion import DeletionReport, delete_day
from recall_pipeline_tests.workspace import DAY, Workspace, an_id, talk
from recall_sandbox import Sandbox

REASON = "release --older-than-days 30"
WEEKLY, REVIEW = an_id("weekly mp3 0"), an_id("review mp3 0")


class Release(Protocol):
    """Deletes the MP3s of the day at Recall.ai."""

    def __call__(self, progress: StepProgress = ..., report: DeletionReport | None = ...) -> DeletionReport:
        """Return the counts of deleted MP3s, and a line for each that was kept."""


@pytest.fixture
def workspace(sandbox: Sandbox, settings: Settings) -> Workspace:
    """Two ready meetings, and one without audio."""
    workspace = Workspace(sandbox, settings.model_copy(update={"workers": "1"}))
    workspace.meet("weekly", talk(1))
    workspace.meet("review", talk(2))
    workspace.meet("no audio", platform="webex")
    workspace.sync()
    return workspace


@pytest.fixture
def release(workspace: Workspace) -> Release:
    """A function that deletes the MP3s of the day at Recall.ai."""

    async def run(progress: StepProgress, report: DeletionReport | None) -> DeletionReport:
        async with open_client(workspace.settings) as client:
            return await delete_day(client, workspace.archive, workspace.settings, DAY, REASON, progress, report)

    def delete(progress: StepProgress = no_step_progress, report: DeletionReport | None = None) -> DeletionReport:
        return asyncio.run(run(progress, report))

    return delete


def deletions(workspace: Workspace) -> list[str]:
    """The artifacts that the API was asked to delete."""
    return sorted(Path(access.path).name for access in workspace.accesses(method="DELETE"))
