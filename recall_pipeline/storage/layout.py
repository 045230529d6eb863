"""Every path of the archive, relative to its root (contract.md section 3)."""

from datetime import date
from typing import Literal

TableName = Literal["bots", "recordings", "mixed_audio", "audio_catalog"]


class Layout:
    """Keys are relative, with forward slashes; ids have been checked to be UUIDs when a record was read."""

    @staticmethod
    def table(name: TableName, day: date) -> str:
        """Return the key of a day's table."""
        return f"{name}/day={day.isoformat()}/{name}.parquet"

    @staticmethod
    def source(day: date, recording_id: str, audio_id: str, version: str | None = None) -> str:
        """Return the key of an MP3 as Recall served it; `version` tells a later one from the first."""
        return f"mixed_audio/{_leaf(day, recording_id, audio_id, version)}.mp3"

    @staticmethod
    def normalized(day: date, recording_id: str, audio_id: str, audio_format: str, version: str | None = None) -> str:
        """Return the key of a normalized file; `version` tells a later one from the first."""
        return f"normalized_audio/{_leaf(day, recording_id, audio_id, version)}.{audio_format}"


def _leaf(day: date, recording_id: str, audio_id: str, version: str | None) -> str:
    suffix = f".{version}" if version else ""
    return f"day={day.isoformat()}/{recording_id}/{audio_id}{suffix}"
