from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from recall_sandbox.meeting_file import MeetingFileError, read_meetings
from recall_sandbox.meetings import ArtifactSpec, RecordingSpec, rows_of
from recall_sandbox.records import SandboxRecording
from recall_sandbox.speech import Speech

DEMO = files("recall_sandbox") / "demo_meetings.yaml"
MEETING = """\
- key: kickoff
  purpose: an ordinary meeting
  days_ago: 5
  starts: "09:00"
  outcomes: [ready]
  recordings:
    - seconds: 75
      artifacts:
        - content: {speech: {seconds: 75}}
"""


def meeting_file(folder: Path, text: str) -> Path:
    path = folder / "meetings.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_meeting_has_the_fields_of_its_lines_and_the_defaults_of_its_class(tmp_path: Path) -> None:
    [meeting] = read_meetings(meeting_file(tmp_path, MEETING))
    assert meeting.recordings == (RecordingSpec(75, (ArtifactSpec(Speech(75)),)),)
    assert meeting.bot_name == "Archive Bot"


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("days_ago: 5", "days_ago: five", "line 3, 0.days_ago: Input should be a valid integer"),
        ("days_ago", "days_since", "line 1, 0.days_ago: Field required"),
        ("[ready]", "[ready]\n  color: red", "line 6, 0.color: Unexpected keyword argument"),
        ('"09:00"', "10:30", "line 4, 0.starts: Value error, write the time in quotes"),
        ('"09:00"', '"25:00"', "line 4, 0.starts: Input should be in a valid time format"),
        ("seconds: 75\n", "seconds: long\n", "line 7, 0.recordings.0.seconds: Input should be a valid number"),
        ("{seconds: 75}", "{}", "line 9, 0.recordings.0.artifacts.0.content.speech.seconds: Field required"),
        ("speech", "song", "line 9, 0.recordings.0.artifacts.0.content.song: Unexpected keyword argument"),
        ("{speech: {seconds: 75}}", "{}", "content: Value error, A content has exactly one of the keys speech,"),
        ("{speech:", "{error_page: {}, speech:", "content: Value error, A content has exactly one of the keys speech,"),
        ("[ready]", "[ready", "line 6, the syntax: "),
        (MEETING, MEETING + MEETING, "line 10, 1.key: 'kickoff' is used twice"),
        (MEETING, "", "line 1, the file: Input should be a valid tuple"),
    ],
)
def test_a_wrong_line_gives_one_error_that_states_the_line_and_the_field(
    tmp_path: Path, right: str, wrong: str, message: str
) -> None:
    assert right in MEETING
    path = meeting_file(tmp_path, MEETING.replace(right, wrong, 1))
    with pytest.raises(MeetingFileError) as error:
        read_meetings(path)
    assert message in str(error.value)
    assert str(error.value).startswith("meetings.yaml, line ")
    assert "\n" not in str(error.value)


def test_the_demo_has_the_same_ids_and_times_in_every_version() -> None:
    """An archive of the demo stays valid after an upgrade."""
    bot, recording, artifact = rows_of(read_meetings(DEMO)[0], date(2026, 3, 11))
    assert isinstance(recording, SandboxRecording)
    assert bot.id == "828bed19-7fe3-4c9f-9222-673513c01189"
    assert recording.id == "9001b65a-f4ca-4ec2-b46b-6fa384a32413"
    assert artifact.id == "d69a3a9a-1ad7-4457-98a8-cf10d0ddbe14"
    assert recording.created_at.isoformat() == "2026-03-06T09:00:21+00:00"
