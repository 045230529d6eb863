"""Rebuild lost rows from the rest of the archive, where Recall.ai has removed the media meanwhile.

Belongs here: rows of `recordings` and `mixed_audio` that a day's tables lack, from its catalog, its other tables and
its stored originals; which of two tables was restored from an older backup.
Does not belong here: lost files; rows that Recall.ai still shows, which the sync takes from there; the catalog, which
`catalog` makes from the other tables.
Comes in: an open day of the archive. Goes out: the same day, whose tables read as if they had these rows. They are
stored when the step writes its table.
"""

from recall_pipeline.restoration.restored_mp3s import restore_mp3s
from recall_pipeline.restoration.restored_recordings import restore_recordings

__all__ = ["restore_mp3s", "restore_recordings"]
