"""Reader of YAML files that hold sample meetings."""

from importlib.resources.abc import Traversable
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from recall_sandbox.meetings import SampleMeeting

_MEETINGS = TypeAdapter(tuple[SampleMeeting, ...])


class MeetingFileError(Exception):
    """A meeting file has a wrong line; the text states the file, the line, the field and the reason."""


def read_meetings(file: Traversable) -> tuple[SampleMeeting, ...]:
    """Read a YAML list of meetings with the fields of `SampleMeeting`; raise MeetingFileError for the first error."""
    text = file.read_text(encoding="utf-8")
    try:
        meetings = _MEETINGS.validate_python(yaml.safe_load(text), extra="forbid")
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _wrong(file, line, "the syntax", error.problem or "is not YAML") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise _wrong(file, _line_of(text, first["loc"]), where, first["msg"]) from error
    keys = [meeting.key for meeting in meetings]
    for index, key in enumerate(keys):
        if key in keys[:index]:
            raise _wrong(file, _line_of(text, (index, "key")), f"{index}.key", f"{key!r} is used twice")
    return meetings


def _wrong(file: Traversable, line: int, where: str, reason: str) -> MeetingFileError:
    return MeetingFileError(f"{file.name}, line {line}, {where}: {reason}: correct this line.")


def _line_of(text: str, location: tuple[Any, ...]) -> int:
    """The line (from 1) of the node at `location`, or of its nearest parent."""
    node = yaml.compose(text, yaml.SafeLoader)
    for part in location:
        match node:
            case yaml.SequenceNode():
                node = node.value[part]
            case yaml.MappingNode():
                node = next((value for key, value in node.value if key.value == part), node)
    return node.start_mark.line + 1 if node else 1
