"""Summaries of days, kept in a small file beside the temporary ones, so that the first page reads no table twice.

The file has counts only. It can be removed at any time. A summary is used only with the version of the table that it
was made from.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import date

from recall_pipeline.browse.day_summary import DaySummary, summarize_day
from recall_pipeline.browse.row_filter import CatalogFilter
from recall_pipeline.browse.summary_file import SummaryFile
from recall_pipeline.storage import Archive

_THREADS_LOCAL, _THREADS_BUCKET = 4, 16
_MAX_FILTERED = 20_000  # summaries of filtered days in memory

_Key = tuple[date, str, CatalogFilter]


class Summaries:
    """The summaries of an archive's days. Days that are not summarized yet are read by threads, each once."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._file = SummaryFile(archive.location.root)
        self._threads = ThreadPoolExecutor(_THREADS_LOCAL if archive.is_local else _THREADS_BUCKET, "summaries")
        self._lock = threading.Lock()
        self._whole = self._file.read()
        self._filtered: OrderedDict[_Key, DaySummary] = OrderedDict()
        self._waiting: dict[_Key, Future[DaySummary]] = {}

    def of(
        self, versions: Mapping[date, str], selected: CatalogFilter, seconds: float | None
    ) -> dict[date, DaySummary]:
        """Return the summaries of days by the versions of their tables, as far as they are there in `seconds`.

        None: however long it takes. The others are read meanwhile, so that a later call finds them.
        """
        keys = {day: (day, version, selected) for day, version in versions.items()}
        found = {day: summary for day, key in keys.items() if (summary := self._find(key)) is not None}
        started = {day: self._start(key) for day, key in sorted(keys.items(), reverse=True) if day not in found}
        wait(started.values(), timeout=seconds)
        return found | {day: future.result() for day, future in started.items() if future.done()}

    def close(self) -> None:
        """Stop reading."""
        self._threads.shutdown(cancel_futures=True)
        self._file.close()

    def _find(self, key: _Key) -> DaySummary | None:
        day, version, selected = key
        with self._lock:
            stored_version, stored = self._whole.get(day, ("", None))
            if not selected.is_set:
                return stored if stored_version == version else None
            if key in self._filtered:
                self._filtered.move_to_end(key)
            return self._filtered.get(key)

    def _start(self, key: _Key) -> "Future[DaySummary]":
        with self._lock:
            if key not in self._waiting:
                self._waiting[key] = self._threads.submit(self._summarize, key)
            return self._waiting[key]

    def _summarize(self, key: _Key) -> DaySummary:
        day, _, selected = key
        try:
            summary = summarize_day(self._archive, day, selected)
            if summary.fault is None:
                self._keep(key, summary)
        finally:
            with self._lock:
                self._waiting.pop(key, None)
        return summary

    def _keep(self, key: _Key, summary: DaySummary) -> None:
        day, version, selected = key
        with self._lock:
            if not selected.is_set:
                self._whole[day] = (version, summary)
                self._file.write(day, version, summary)
                return
            self._filtered[key] = summary
            while len(self._filtered) > _MAX_FILTERED:
                self._filtered.popitem(last=False)
