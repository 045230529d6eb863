"""Every path of the archive, relative to its root (docs/design/interface.md, section 3)."""

import re
from datetime import date
from pathlib import PurePosixPath
from typing import Literal

from recall_pipeline.errors import TableUnreadable

TableName = Literal["bots", "recordings", "mixed_audio", "audio_catalog", "waveforms", "transcripts", "audit", "fixity"]
FolderName = Literal[TableName, "normalized_audio"]

AUDIO_FOLDERS: tuple[FolderName, ...] = ("mixed_audio", "normalized_audio")
EVENTS = "_events"
AWAITED_EVENTS = f"{EVENTS}/awaited"
"""The file with the looked-up events whose changes the tables do not show yet."""
CONSUMED_EVENTS = f"{EVENTS}/drained"
CHECKPOINTS = "_normalized"

_FOLDERS = (
    "bots",
    "recordings",
    "mixed_audio",
    "audio_catalog",
    "normalized_audio",
    "waveforms",
    "transcripts",
    "audit",
)
ROOT_NAMES = frozenset((*_FOLDERS, "fixity", EVENTS, CHECKPOINTS, "_spool", "archive.json", "README.txt"))
"""The names in the root of an archive."""


class Layout:
    """Builds keys: relative paths with forward slashes. Ids in them are UUIDs, checked when a record is parsed."""

    @staticmethod
    def table(name: TableName, day: date, part: str | None = None) -> str:
        """Return the key of a day's table, or of its `part` that has another writer."""
        return f"{Layout.folder(name, day)}/{part or name}.parquet"

    @staticmethod
    def folder(name: FolderName, day: date) -> str:
        """Return the folder with a day's table and the files beside it, or with the day's normalized files."""
        return f"{name}/day={day.isoformat()}"

    @staticmethod
    def audit_hosts(day: date) -> str:
        """Return the folder with the audit of each host; readers of tables skip names that begin with `_`."""
        return f"audit/_hosts/day={day.isoformat()}"

    @staticmethod
    def recording_in(key: str) -> str | None:
        """Return the id of the recording whose folder contains a file; None for a file next to the day's table."""
        parts = PurePosixPath(key).parts
        return parts[2] if len(parts) > 3 else None

    @staticmethod
    def source(day: date, recording_id: str, audio_id: str, version: str | None = None) -> str:
        """Return the key of an original MP3; `version` is None for the first one."""
        return f"mixed_audio/{_leaf(day, recording_id, audio_id, version)}.mp3"

    @staticmethod
    def normalized(day: date, recording_id: str, audio_id: str, audio_format: str, version: str | None = None) -> str:
        """Return the key of a normalized file; `version` is None for the first one."""
        return f"normalized_audio/{_leaf(day, recording_id, audio_id, version)}.{audio_format}"

    @staticmethod
    def checkpoints(day: date, recording_id: str | None = None) -> str:
        """Return the folder with the records of a day's normalization, or with those of one recording."""
        return f"{CHECKPOINTS}/day={day.isoformat()}" + (f"/{recording_id}" if recording_id else "")

    @staticmethod
    def checkpoint(day: date, recording_id: str, audio_id: str) -> str:
        """Return the key of the record of an MP3 that is normalized and not cataloged yet."""
        return f"{Layout.checkpoints(day, recording_id)}/{audio_id}.json"

    @staticmethod
    def event(event_id: str) -> str:
        """Return the key of an event that waits for the sensor; its id is a valid file name, checked when parsed."""
        return f"{EVENTS}/{event_id}.json"

    @staticmethod
    def consumed_event(day: date, event_id: str) -> str:
        """Return the key of an event that the sensor consumed on `day`."""
        return f"{CONSUMED_EVENTS}/day={day.isoformat()}/{event_id}.json"

    @staticmethod
    def day_in(path: str) -> date | None:
        """Return the day of a partition folder; None for any other path."""
        name = path.rstrip("/").rpartition("/")[2]
        try:
            return date.fromisoformat(name.removeprefix("day=")) if name.startswith("day=") else None
        except ValueError:
            return None

    @staticmethod
    def key_in(uri: str) -> str:
        """Return the key in the URI of an MP3 or a normalized file; the archive may have moved since.

        Raises TableUnreadable for a text that is not such a URI.
        """
        starts = [uri.rindex(start) for folder in AUDIO_FOLDERS if (start := f"{folder}/day=") in uri]
        if not starts:
            raise TableUnreadable(
                f"a catalog has the URI {uri!r}, which is not of a file in an archive: "
                "run recall-pipeline verify, which names its row"
            )
        return uri[max(starts) :]

    @staticmethod
    def audio_key_in(uri: str | None) -> str | None:
        """Return the key in the URI of an audio file; None for a text that is not one."""
        found = [uri.rindex(start) for folder in AUDIO_FOLDERS if uri and (start := f"{folder}/day=") in uri]
        key = uri[max(found) :] if uri and found else ""
        return key if _AUDIO_KEY.fullmatch(key) else None


_AUDIO_KEY = re.compile(r"\w+/day=\d{4}-\d\d-\d\d/[^/.][^/]*/[^/.][^/]*\.\w+")


def _leaf(day: date, recording_id: str, audio_id: str, version: str | None) -> str:
    suffix = f".{version}" if version else ""
    return f"day={day.isoformat()}/{recording_id}/{audio_id}{suffix}"
