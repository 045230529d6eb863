from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from recall_pipeline_tests.sandbox.api_reads import rows_for
from recall_pipeline_tests.sandbox.conftest import NOON
from recall_sandbox import ExpectedRow, World
from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording
from recall_sandbox.speech import Speech

SPEECH = Speech(1)
HOUR = timedelta(hours=1)
CONFIG_OF_VIDEO: dict[str, Any] = {"video_mixed_mp4": {}}


def expected(
    *,
    bot: dict[str, Any] | None = None,
    recording: dict[str, Any] | None = None,
    audio: dict[str, Any] | None = None,
) -> ExpectedRow:
    """The expected row of a recording that ended two hours ago, with these changes; without `audio` it has no MP3."""
    [a_bot], [a_recording], [an_artifact] = rows_for("kickoff")
    done = {"completed_at": NOON - 2 * HOUR, "expires_at": None, **(recording or {})}
    world = World()
    rows: list[SandboxBot | SandboxRecording | Artifact] = [
        replace(a_bot, **(bot or {})),
        replace(a_recording, **{"shortcut_id": None, **done}),
    ]
    if audio is not None:
        rows.append(replace(an_artifact, **{"content": SPEECH, **audio}))
    world.add(*rows)
    [row] = world.expected_rows(NOON)
    return row


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        ({"audio": {}}, "ready"),
        ({"audio": {"content": Speech(1, clips=())}}, "silent"),
        ({"audio": {}, "recording": {"status": "failed"}}, "ready"),
        ({"audio": {"status": "failed", "content": None}}, "failed_upstream"),
        ({"recording": {"status": "failed"}}, "failed_upstream"),
        ({"audio": {"status": "deleted", "content": None}}, "deleted"),
        ({"audio": {"content": None}, "recording": {"status": "deleted"}}, "deleted"),
        ({"recording": {"gone": True}}, "deleted"),
        ({"recording": {"gone": True, "expires_at": NOON - HOUR}}, "expired"),
        ({"recording": {"expires_at": NOON - HOUR}}, "expired"),
        ({"audio": {"content": None, "status": "processing"}}, "processing"),
        ({"audio": {"content": None}}, "processing"),
        ({"recording": {"status": "paused", "completed_at": None}}, "processing"),
        (
            {"audio": {"content": None}, "recording": {"completed_at": NOON - 25 * HOUR}},
            "failed_upstream",
        ),
        ({"bot": {"platform": "webex"}}, "unsupported_platform"),
        ({"bot": {"platform": "webex"}, "audio": {}}, "ready"),
        ({"recording": {"completed_at": NOON - HOUR / 2}}, "processing"),
        (
            {
                "recording": {"completed_at": NOON - HOUR / 2},
                "bot": {"recording_config": CONFIG_OF_VIDEO},
            },
            "not_requested",
        ),
        (
            {
                "recording": {"completed_at": NOON - HOUR / 2},
                "bot": {"recording_config": None},
            },
            "processing",
        ),
        ({}, "not_requested"),
        ({"audio": {"format": "raw"}}, "not_requested"),
    ],
)
def test_the_first_matching_row_of_the_outcome_table_decides(facts: dict[str, Any], outcome: str) -> None:
    assert expected(**facts).outcome == outcome


def test_a_row_without_an_mp3_has_no_bytes() -> None:
    row = expected()
    assert (row.audio_id, row.is_archived) == (None, False)
    with pytest.raises(ValueError, match="serves no audio: it is not_requested"):
        assert row.body


def test_a_row_with_an_mp3_has_the_served_bytes() -> None:
    row = expected(audio={})
    assert row.is_archived
    assert row.digest.size_bytes == len(row.body)


def test_a_recording_that_the_api_does_not_show_is_not_expected() -> None:
    [bot], [recording], _ = rows_for("kickoff")
    world = World()
    world.add(bot, replace(recording, listed=False, embedded=False))
    assert world.expected_rows(NOON) == []
