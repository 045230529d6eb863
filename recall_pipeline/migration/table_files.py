"""The files of an archive that are tables, by day, each with the declaration of its table."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from recall_pipeline.audit import AUDIT
from recall_pipeline.catalog import CATALOG, WAVEFORMS
from recall_pipeline.discovery import BOTS, RECORDINGS
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.storage import Archive, Layout, Table, column

_OF_AUDIT = re.compile(r"(audit|transcripts)(-[0-9a-f]{8})?\.parquet")


@dataclass(frozen=True, slots=True)
class _TranscriptKey:
    """The only column of `transcripts` that is declared here; the package of the transcripts declares all."""

    recording_id: str = column("Recall's id of the recording")


TRANSCRIPT_KEYS = Table("transcripts", _TranscriptKey)
_TABLES: tuple[Table[Any], ...] = (BOTS, RECORDINGS, MIXED_AUDIO, CATALOG, WAVEFORMS, TRANSCRIPT_KEYS)


@dataclass(frozen=True, slots=True)
class DayTableFile:
    """One Parquet file of a day, and the table that it has to be."""

    table: Table[Any]
    day: date
    key: str


def table_files(archive: Archive) -> dict[date, Sequence[DayTableFile]]:
    """Return the table files of each day, oldest day first. Raises StorageError if the archive cannot be listed."""
    files: dict[date, list[DayTableFile]] = {}
    for file in (*_of_tables(archive), *_of_audit(archive)):
        files.setdefault(file.day, []).append(file)
    return dict(sorted(files.items()))


def _of_tables(archive: Archive) -> Iterator[DayTableFile]:
    for table in _TABLES:
        for day in archive.days(table.name):
            yield DayTableFile(table, day, table.key(day))


def _of_audit(archive: Archive) -> Iterator[DayTableFile]:
    """Yield the merged audits of each day, and those of each host."""
    for key in archive.sizes_below("audit"):
        folder, _, name = key.rpartition("/")
        day = Layout.day_in(folder)
        if (
            day is not None
            and _OF_AUDIT.fullmatch(name)
            and folder in (Layout.folder("audit", day), Layout.audit_hosts(day))
        ):
            yield DayTableFile(AUDIT, day, key)
