"""Bring the tables of an archive to the present schema and place (docs/design/interface.md, section 5).

Belongs here: which files are tables, and of which declaration; columns that follow from others; the URIs of an archive
that was moved; one day at a time under its lock.
Does not belong here: the schema of a table, and audio files, which are never written.
Comes in: an archive of any older version, wherever it was before. Goes out: rewritten tables, and a report.
"""

from recall_pipeline.migration.archive_migration import MigrationReport, migrate_archive
from recall_pipeline.migration.places import current_place_of
from recall_pipeline.migration.table_files import TRANSCRIPT_KEYS, table_files

__all__ = ["TRANSCRIPT_KEYS", "MigrationReport", "current_place_of", "migrate_archive", "table_files"]
