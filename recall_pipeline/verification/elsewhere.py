"""URIs of the catalog that lead to another place than the archive is opened at: it was moved."""

from collections.abc import Iterator, Sequence
from datetime import date

from recall_pipeline.catalog import CATALOG
from recall_pipeline.migration import current_place_of
from recall_pipeline.storage import Archive, stream_days
from recall_pipeline.verification.codes import Code
from recall_pipeline.verification.problems import Problem

_PAIRS = (("source_uri", "source_key"), ("audio_uri", "audio_key"))


def elsewhere(archive: Archive, days: Sequence[date]) -> Iterator[Problem]:
    """Yield one problem for each day with such URIs; unreadable tables are skipped, and reported by `verify_days`.

    Raises StorageError if the storage does not answer.
    """
    names = [name for pair in _PAIRS for name in pair]
    for day, scanned in stream_days(archive, CATALOG, days, *names):
        columns = scanned.stored.values if scanned.stored else {}
        pairs = [pair for names in _PAIRS for pair in zip(*(columns.get(name, ()) for name in names), strict=True)]
        moved = [uri for uri, key in pairs if uri and current_place_of(archive, uri, key)[0] != uri]
        if moved:
            message = f"has {len(moved)} URIs that lead elsewhere, such as {moved[0]}: run recall-pipeline migrate"
            yield Problem(day, Code.URI_ELSEWHERE, CATALOG.key(day), message)
