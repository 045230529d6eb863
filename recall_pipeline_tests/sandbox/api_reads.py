"""Requests and rows that several tests need: all rows of a list, the rows of one meeting, a new link."""

from typing import Any

import httpx

from recall_pipeline_tests.sandbox.conftest import TODAY
from recall_sandbox.demo import demo_meetings
from recall_sandbox.meetings import rows_of
from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording


def all_rows(api: httpx.Client, path: str, **filters: Any) -> list[dict[str, Any]]:
    """The rows of all pages of a list, in the order of the API."""
    rows: list[dict[str, Any]] = []
    page = api.get(path, params=filters or None).raise_for_status().json()
    while True:
        rows += page["results"]
        if page["next"] is None:
            return rows
        page = api.get(page["next"]).raise_for_status().json()


def ids(rows: list[dict[str, Any]]) -> set[str]:
    return {row["id"] for row in rows}


def rows_for(key: str) -> tuple[list[SandboxBot], list[SandboxRecording], list[Artifact]]:
    """The bots, recordings and artifacts of the demo's meeting with that key."""
    [meeting] = [meeting for meeting in demo_meetings() if meeting.key == key]
    rows = list(rows_of(meeting, TODAY))
    return (
        [row for row in rows if isinstance(row, SandboxBot)],
        [row for row in rows if isinstance(row, SandboxRecording)],
        [row for row in rows if isinstance(row, Artifact)],
    )


def bot_of(key: str) -> SandboxBot:
    return rows_for(key)[0][0]


def recording_of(key: str) -> SandboxRecording:
    return rows_for(key)[1][0]


def artifact_of(key: str) -> Artifact:
    return rows_for(key)[2][0]


def fresh_link(api: httpx.Client, artifact_id: str) -> str:
    answer = api.get(f"/audio_mixed/{artifact_id}/").raise_for_status().json()
    link: str = answer["data"]["download_url"]
    return link
