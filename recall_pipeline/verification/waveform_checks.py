"""Problems of the table `waveforms`: unreadable, not as declared, with repeated rows, or with erased recordings."""

from collections import Counter
from collections.abc import Iterator
from datetime import date

from recall_pipeline.audit import ErasedIds
from recall_pipeline.catalog import WAVEFORMS
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import Archive
from recall_pipeline.verification.codes import Code
from recall_pipeline.verification.erased import erased_recording
from recall_pipeline.verification.problems import Problem, table_problem
from recall_pipeline.verification.table_contents import content_problems


def waveform_problems(archive: Archive, day: date, erased: ErasedIds) -> Iterator[Problem]:
    """Yield the problems of the day's waveforms. A day without the table has none: it is optional."""
    key = WAVEFORMS.key(day)
    try:
        file = WAVEFORMS.file(archive, day)
        rows = file.rows() if file else []
    except StorageError as error:
        yield table_problem(day, key, error)
        return
    if file is not None:
        yield from content_problems(file)
    for name, count in Counter(row.audio_id for row in rows).items():
        if count > 1:
            yield Problem(day, Code.ROWS_REPEATED, key, f"has {count} rows of {name}")
    for recording_id in sorted({row.recording_id for row in rows} & erased.recordings):
        yield erased_recording(day, recording_id, "its waveform")
