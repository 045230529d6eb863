"""The codes of problems: stable names, each with its kind, its meaning and its cure (docs/damage.md is generated)."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How the archive differs from its tables."""

    MISSING = "missing"  # a referenced file does not exist
    CHANGED = "changed"  # the file has another size or SHA-256 than its row
    UNDECODABLE = "undecodable"  # the bytes match the row, but do not decode to the full length
    ORPHANED = "orphaned"  # no row references the file
    UNREADABLE = "unreadable"  # a table or a file cannot be read
    DISAGREEING = "disagreeing"  # the tables of a day contradict each other, their day or their place
    ERASED = "erased"  # data of an erased recording or bot is stored


class Code(StrEnum):
    """What is wrong, more closely than its kind. Codes are added, and never renamed."""

    ARCHIVE_UNREADABLE = "archive_unreadable"
    DAY_MISSING = "day_missing"
    TABLE_MISSING = "table_missing"
    FILE_MISSING = "file_missing"
    FILE_EMPTY = "file_empty"
    FILE_SIZE_DIFFERS = "file_size_differs"
    FILE_CHANGED = "file_changed"
    FILE_UNDECODABLE = "file_undecodable"
    FILE_UNREADABLE = "file_unreadable"
    FILE_UNREFERENCED = "file_unreferenced"
    FILE_UNEXPECTED = "file_unexpected"
    NAME_UNEXPECTED = "name_unexpected"
    TABLE_UNREADABLE = "table_unreadable"
    TABLE_NEWER = "table_newer"
    TABLE_UNVERSIONED = "table_unversioned"
    TABLE_OF_OTHER_DAY = "table_of_other_day"
    COLUMN_MISSING = "column_missing"
    COLUMN_UNEXPECTED = "column_unexpected"
    COLUMN_TYPE_DIFFERS = "column_type_differs"
    ROWS_REPEATED = "rows_repeated"
    ROW_MISSING = "row_missing"
    ROW_OF_OTHER_DAY = "row_of_other_day"
    ROW_INCOMPLETE = "row_incomplete"
    ROWS_CONTRADICT = "rows_contradict"
    OUTCOME_UNKNOWN = "outcome_unknown"
    KEY_MISPLACED = "key_misplaced"
    URI_ELSEWHERE = "uri_elsewhere"
    AUDIT_ROW_MISSING = "audit_row_missing"
    ERASED_DATA_STORED = "erased_data_stored"


@dataclass(frozen=True, slots=True)
class Explanation:
    """The kind of a code, what it means, and what to do."""

    kind: Kind
    meaning: str
    cure: str


_REPAIR = "`recall-pipeline verify --repair`"
_WITHOUT_BACKUP = (
    "Without a backup, and when Recall.ai no longer has it, run `recall-pipeline forget --recording ID --reason TEXT`."
)
_RESTORE = "Restore it from a backup, or move it away and sync the day."
_SYNC = f"Sync the day, or run {_REPAIR}. If it stays, restore the tables of the day from a backup."

CODES = {
    Code.ARCHIVE_UNREADABLE: Explanation(
        Kind.UNREADABLE,
        "`archive.json` is damaged. Every other command stops.",
        "Restore it from a backup, or remove it and sync with the key of this archive's workspace.",
    ),
    Code.DAY_MISSING: Explanation(
        Kind.MISSING, "A day between stored days has no table.", "Restore it from a backup, or sync the day."
    ),
    Code.TABLE_MISSING: Explanation(
        Kind.MISSING, "A day lacks one of its tables.", "Restore it from a backup, or sync the day."
    ),
    Code.FILE_MISSING: Explanation(
        Kind.MISSING,
        "A row references a file that is not there.",
        f"Restore it from a backup, or run {_REPAIR}. {_WITHOUT_BACKUP}",
    ),
    Code.FILE_EMPTY: Explanation(
        Kind.CHANGED, "The file has no bytes.", f"Restore it from a backup, or run {_REPAIR}. {_WITHOUT_BACKUP}"
    ),
    Code.FILE_SIZE_DIFFERS: Explanation(
        Kind.CHANGED,
        "The file has another size than its row states: it was cut, extended or replaced.",
        f"Restore it from a backup, or run {_REPAIR}. {_WITHOUT_BACKUP}",
    ),
    Code.FILE_CHANGED: Explanation(
        Kind.CHANGED,
        "The file has the size that its row states, and another SHA-256: bytes changed, or the row did.",
        f"Restore it from a backup, or run {_REPAIR}. Check the disk. {_WITHOUT_BACKUP}",
    ),
    Code.FILE_UNDECODABLE: Explanation(
        Kind.UNDECODABLE,
        "The file has the bytes that its row states, and does not decode to its full length.",
        f"Run {_REPAIR}.",
    ),
    Code.FILE_UNREADABLE: Explanation(
        Kind.UNREADABLE, "The storage refuses to read the file.", "Correct its permissions, or check the disk."
    ),
    Code.FILE_UNREFERENCED: Explanation(
        Kind.ORPHANED,
        "No row references the audio file: it has another name than its row states, or its row is lost.",
        f"Run {_REPAIR}. It catalogs an MP3 whose row is lost, and removes a file whose bytes are cataloged under "
        "another name. Inspect every other one, and move it out of the archive.",
    ),
    Code.FILE_UNEXPECTED: Explanation(
        Kind.ORPHANED,
        "A file of a day is neither a table nor audio. A second Parquet file doubles the rows of most readers.",
        "Move it out of the archive.",
    ),
    Code.NAME_UNEXPECTED: Explanation(
        Kind.ORPHANED,
        "A folder beside the days of a table is not a day: it was renamed, or copied.",
        "Rename it to its day, or move it out of the archive.",
    ),
    Code.TABLE_UNREADABLE: Explanation(
        Kind.UNREADABLE,
        "A table is not Parquet, lacks a required column or value, or has a column of a type that does not fit.",
        f"{_RESTORE} Without a backup of an audit, erase again what it named.",
    ),
    Code.TABLE_NEWER: Explanation(
        Kind.UNREADABLE, "A newer version of recall_pipeline wrote the table.", "Update recall_pipeline."
    ),
    Code.TABLE_UNVERSIONED: Explanation(
        Kind.DISAGREEING,
        "A table states no schema version: another program wrote it.",
        "Compare it with a backup. If its rows are right, run `recall-pipeline migrate`.",
    ),
    Code.TABLE_OF_OTHER_DAY: Explanation(
        Kind.DISAGREEING, "A table was written for another day.", _RESTORE
    ),
    Code.COLUMN_MISSING: Explanation(
        Kind.DISAGREEING, "A table lacks a column of its schema version.", _RESTORE
    ),
    Code.COLUMN_UNEXPECTED: Explanation(
        Kind.DISAGREEING,
        "A table has a column that its schema version does not have. The next sync of the day drops it.",
        "Keep what you need of it elsewhere, and sync the day.",
    ),
    Code.COLUMN_TYPE_DIFFERS: Explanation(
        Kind.DISAGREEING,
        "A column has another type than its schema version declares, which can be converted.",
        "Run `recall-pipeline migrate`.",
    ),
    Code.ROWS_REPEATED: Explanation(
        Kind.DISAGREEING, "A table has two rows for the same bot, recording or MP3.", _RESTORE
    ),
    Code.ROW_MISSING: Explanation(
        Kind.DISAGREEING, "A recording or MP3 of one table has no row in another one.", _SYNC
    ),
    Code.ROW_OF_OTHER_DAY: Explanation(
        Kind.DISAGREEING, "A row is in the table of another day than that of its recording.", _RESTORE
    ),
    Code.ROW_INCOMPLETE: Explanation(
        Kind.DISAGREEING, "A row with audio does not state where its files are, or their hashes.", _SYNC
    ),
    Code.ROWS_CONTRADICT: Explanation(
        Kind.DISAGREEING, "The catalog states another SHA-256 or recording of an MP3 than `mixed_audio`.", _SYNC
    ),
    Code.OUTCOME_UNKNOWN: Explanation(
        Kind.DISAGREEING, "A row has an outcome that this version does not know.", "Update, or sync the day."
    ),
    Code.KEY_MISPLACED: Explanation(
        Kind.DISAGREEING,
        "A row references a file outside of its own day and recording, or its URI and its key differ.",
        _SYNC,
    ),
    Code.URI_ELSEWHERE: Explanation(
        Kind.DISAGREEING, "URIs of a table lead elsewhere: the archive was moved.", "Run `recall-pipeline migrate`."
    ),
    Code.AUDIT_ROW_MISSING: Explanation(
        Kind.DISAGREEING,
        "A recording is erased in the tables, and the audit has no row of it: a sync may download it again.",
        "Restore `audit/` from a backup, or run `recall-pipeline forget --recording ID --reason TEXT` again.",
    ),
    Code.ERASED_DATA_STORED: Explanation(
        Kind.ERASED, "Data of an erased recording or bot is stored.", f"Run {_REPAIR}, or erase it again."
    ),
}  # fmt: skip
