"""The published reader: the catalog as a pandas DataFrame, without a key, reading no more than was asked for."""

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
    """Return the catalog of the days from `first` to `last` (both included; None: open), one row per MP3.

    Columns are those of contract.md section 4 and `day`. Days outside the bounds are not opened; `outcomes` and
    `columns` are pushed down into the files. Raises StorageError when the archive cannot be read.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    dataset = CATALOG.dataset(open_archive(settings or load_settings()), first, last)
    chosen = None if outcomes is None else pc.field("outcome").isin(pa.array(outcomes, pa.string()))
    found = dataset.to_table(columns=None if columns is None else list(columns), filter=chosen)
    return found.to_pandas()
