"""What another team's code location takes: the catalog as a Dagster resource, and the day partitions that it lies on.

    defs = dg.Definitions(assets=[...], resources={"recall_catalog": RecallCatalog()})

An asset that depends on the asset key `audio_catalog` and is partitioned by `DAYS` gets a run a day, as the catalog
does (docs/downstream.md).
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from recall_pipeline.assets import DAYS
from recall_pipeline.catalog import ArchivedRecording, read_catalog, read_recordings

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DAYS", "RecallCatalog"]


class RecallCatalog:
    """The catalog and the audio it names; wants RECALL_STORAGE_URL where it runs, and never the API's key.

    An asset takes it as `dg.ResourceParam[RecallCatalog]`. Each method raises SettingsError for a wrong setting, and
    StorageError when the archive cannot be read.
    """

    def read(
        self,
        *,
        first: date | None = None,
        last: date | None = None,
        outcomes: Collection[str] | None = None,
        columns: Sequence[str] | None = None,
    ) -> "pd.DataFrame":
        """Return the rows of some days, as `recall_pipeline.catalog.read_catalog` does."""
        return read_catalog(first=first, last=last, outcomes=outcomes, columns=columns)

    def recordings(
        self,
        *,
        first: date | None = None,
        last: date | None = None,
        outcomes: Collection[str] | None = ("ready",),
    ) -> Iterator[ArchivedRecording]:
        """Yield the recordings of some days, as `recall_pipeline.catalog.read_recordings` does."""
        return read_recordings(first=first, last=last, outcomes=outcomes)
