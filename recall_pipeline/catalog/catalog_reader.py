"""Public reader: the catalog as a pandas DataFrame. Needs no key, and reads only the requested days and columns."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import TYPE_CHECKING

from recall_pipeline.catalog.rows import CATALOG
from recall_pipeline.settings import Settings, load_settings
from recall_pipeline.storage import open_archive

if TYPE_CHECKING:
    import pandas as pd


def read_catalog(
    *,
    first: date | None = None,
    last: date | None = None,
    outcomes: Collection[str] | None = None,
    columns: Sequence[str] | None = None,
    settings: Settings | None = None,
) -> "pd.DataFrame":
    """Return the catalog of the days from `first` to `last` (both included; None: open).

    One row per MP3, and per recording without one. Columns are those of docs/design/interface.md, section 4, and
    `day`. Days outside the bounds are not opened, and other columns are not decoded.
    Raises StorageError when the archive cannot be read.
    """
    archive = open_archive(settings or load_settings())
    where = None if outcomes is None else ("outcome", outcomes)
    return CATALOG.read_days(archive, first, last, columns=columns, where=where).to_pandas()
