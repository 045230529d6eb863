"""Every path of the archive, relative to its root (docs/design/interface.md, section 3)."""

from datetime import date
from typing import Literal

TableName = Literal["bots", "recordings", "mixed_audio", "audio_catalog", "transcripts", "audit"]
FolderName = Literal[TableName, "normalized_audio"]

AUDIO_FOLDERS: tuple[FolderName, ...] = ("mixed_audio", "normalized_audio")
EVENTS = "_events"
DRAINED_EVENTS = f"{EVENTS}/drained"


class Layout:
    """Keys are relative, with forward slashes; ids have been checked to be UUIDs when a record was read."""

    @staticmethod
    def table(name: TableName, day: date, part: str | None = None) -> str:
        """Return the key of a day's table, or of a part of it that another writer keeps."""
        return f"{Layout.folder(name, day)}/{part or name}.parquet"

    @staticmethod
    def folder(name: FolderName, day: date) -> str:
        """Return the folder of a day's table, and of the files that lie beside it, or of its normalized files."""
        return f"{name}/day={day.isoformat()}"

    @staticmethod
    def source(day: date, recording_id: str, audio_id: str, version: str | None = None) -> str:
        """Return the key of an MP3 as Recall served it; `version` tells a later one from the first."""
        return f"mixed_audio/{_leaf(day, recording_id, audio_id, version)}.mp3"

    @staticmethod
    def normalized(day: date, recording_id: str, audio_id: str, audio_format: str, version: str | None = None) -> str:
        """Return the key of a normalized file; `version` tells a later one from the first."""
        return f"normalized_audio/{_leaf(day, recording_id, audio_id, version)}.{audio_format}"

    @staticmethod
    def event(event_id: str) -> str:
        """Return the key of an event that waits for the sensor; its id has been checked to be a plain name."""
        return f"{EVENTS}/{event_id}.json"

    @staticmethod
    def drained_event(day: date, event_id: str) -> str:
        """Return the key of an event that the sensor has looked at on `day`."""
        return f"{DRAINED_EVENTS}/day={day.isoformat()}/{event_id}.json"

    @staticmethod
    def day_in(path: str) -> date | None:
        """Return the day of a partition's folder; None for anything else."""
        name = path.rstrip("/").rpartition("/")[2]
        try:
            return date.fromisoformat(name.removeprefix("day=")) if name.startswith("day=") else None
        except ValueError:
            return None

    @staticmethod
    def key_in(uri: str) -> str:
        """Return the key within the URI of an MP3 or a normalized file, wherever the archive was at the time."""
        return uri[max(uri.rindex(start) for folder in AUDIO_FOLDERS if (start := f"{folder}/day=") in uri) :]


def _leaf(day: date, recording_id: str, audio_id: str, version: str | None) -> str:
    suffix = f".{version}" if version else ""
    return f"day={day.isoformat()}/{recording_id}/{audio_id}{suffix}"
