"""Problems of a readable table as a whole: its version, its day, its columns."""

from collections.abc import Iterator
from typing import Any

from recall_pipeline.storage import TableFile
from recall_pipeline.verification.codes import Code
from recall_pipeline.verification.problems import Problem


def content_problems(file: TableFile[Any]) -> Iterator[Problem]:
    """Yield what a table file states differently from its declaration and its place.

    A file of an older version lacks newer columns, which is not a problem.
    """
    for code, message in (*_stated(file), *_columns(file)):
        yield Problem(file.day, code, file.table.key(file.day), message)


def _stated(file: TableFile[Any]) -> Iterator[tuple[Code, str]]:
    if file.version is None:
        yield Code.TABLE_UNVERSIONED, "states no schema version: compare it with a backup, then run migrate"
    if file.stated_day not in (None, file.day.isoformat()):
        yield (
            Code.TABLE_OF_OTHER_DAY,
            f"was written for {file.stated_day}: restore it from a backup, or move it away and sync",
        )


def _columns(file: TableFile[Any]) -> Iterator[tuple[Code, str]]:
    declared, stored = file.table.columns, file.columns
    for name, (kind, _) in declared.items():
        if name in stored and stored[name] != kind:
            yield Code.COLUMN_TYPE_DIFFERS, f"has the column {name} as {stored[name]}, not {kind}: run migrate"
        if name not in stored and file.table.since[name] <= (file.version or 0):
            yield Code.COLUMN_MISSING, f"lacks the column {name}: restore it from a backup, or move it away and sync"
    for name in stored.keys() - declared.keys():
        yield Code.COLUMN_UNEXPECTED, f"has the column {name}, which a sync of the day drops"
