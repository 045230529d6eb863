"""The page of a recording, its rows as JSON, and its audio."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from recall_pipeline.browse.audio_response import audio_response
from recall_pipeline.browse.day_page import requested_day
from recall_pipeline.browse.pages import Pages
from recall_pipeline.browse.row_filter import metadata_pairs
from recall_pipeline.browse.transcripts import TranscriptText
from recall_pipeline.browse.waveforms import HEIGHT, Waveform
from recall_pipeline.catalog import AUDIBLE, CatalogRow
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import Layout

T = TypeVar("T")
AUDIO_KINDS = ("normalized", "original")
_PLACES = re.compile(r"\bat (\d{1,6}(?:\.\d+)?) s\b")
_GONE = ("Erased", "This recording was erased for good, on request or by retention. Only the audit names it.")


@dataclass(frozen=True, slots=True)
class ShownAudio:
    """A row of a recording with what its page shows beside it. `places`: seconds that its findings name."""

    row: CatalogRow
    waveform: Waveform | None
    transcript: TranscriptText | None
    places: Sequence[float]

    @property
    def seconds(self) -> float:
        """The length of the drawing, seconds."""
        return self.row.duration_seconds or (self.waveform.seconds if self.waveform else 0.0)

    @property
    def is_transcript_older(self) -> bool:
        """Whether the transcript was made from another version of the audio."""
        return bool(self.transcript and self.transcript.audio_sha256 != self.row.audio_sha256)


def recording_page(pages: Pages, request: Request) -> Response:
    """Answer with the page of a recording. Raises StorageError."""
    day, rows = _requested_rows(pages, request)
    if rows is None:
        return _absent(pages, day, request)
    assert day is not None  # noqa: S101 -- rows have a day
    recording_id, faults = rows[0].recording_id, list[str]()
    transcripts = _beside_catalog(lambda: pages.reader.transcripts(day, recording_id), faults) or ()
    waveforms = _beside_catalog(lambda: pages.reader.waveforms(day, recording_id), faults) or {}
    return pages.html(
        "recording.html",
        day=day,
        rows=[_shown_audio(row, waveforms, transcripts) for row in rows],
        recording=rows[0],
        metadata=metadata_pairs(rows[0].metadata),
        at_seconds=_seconds(request.query_params.get("t")),
        wanted=request.query_params.get("audio"),
        faults=faults,
        audible=AUDIBLE,
        height=HEIGHT,
    )


def recording_json(pages: Pages, request: Request) -> Response:
    """Answer with the rows of a recording as JSON. Raises StorageError."""
    _, rows = _requested_rows(pages, request)
    if rows is None:
        return JSONResponse({"detail": "The catalog of this day has no such recording"}, 404)
    return JSONResponse([{name: _json_value(value) for name, value in asdict(row).items()} for row in rows])


def recording_audio(pages: Pages, request: Request) -> Response:
    """Answer with the original or the normalized file of an MP3. Raises StorageError."""
    _, rows = _requested_rows(pages, request)
    audio_id = canonical_id(request.path_params["audio_id"])
    row = next((row for row in rows or () if row.audio_id == audio_id is not None), None)
    kind = request.path_params["kind"]
    key, sha256 = _file_of(row, is_original=kind == "original") if row and kind in AUDIO_KINDS else (None, None)
    answer = audio_response(request, pages.archive, key, sha256) if key else None
    return answer or pages.message(404, "No audio", "The archive has no such file. To check it: recall-pipeline verify")


def canonical_id(text: str) -> str | None:
    """Return an id of Recall.ai in its canonical form; None for anything but a UUID."""
    try:
        return str(UUID(text)) if len(text) == 36 else None
    except ValueError:
        return None


def _requested_rows(pages: Pages, request: Request) -> tuple[date | None, list[CatalogRow] | None]:
    day, recording_id = requested_day(request), canonical_id(request.path_params["recording_id"])
    if day is None or recording_id is None:
        return None, None
    found = pages.reader.rows(day)
    own = None if found is None else found.of_recording(recording_id)
    return day, pages.reader.typed(day, own) if own is not None and len(own) else None


def _absent(pages: Pages, day: date | None, request: Request) -> Response:
    """Answer for a recording without a row that may be shown: erased, or never there."""
    recording_id = canonical_id(request.path_params["recording_id"])
    if day is not None and recording_id is not None and pages.reader.is_erased(day, recording_id):
        return pages.message(410, *_GONE)
    return pages.message(404, "No such recording", "The catalog of this day has no such recording.")


def _shown_audio(
    row: CatalogRow, waveforms: dict[tuple[str, str], Waveform], transcripts: Sequence[TranscriptText]
) -> ShownAudio:
    own = next((text for text in transcripts if text.audio_id == row.key), None)
    words = f"{row.outcome_reason or ''} {row.audio_findings or ''}"
    places = sorted({float(found) for found in _PLACES.findall(words)})
    return ShownAudio(row, waveforms.get((row.audio_key or "", row.audio_sha256 or "")), own, places)


def _beside_catalog(read: Callable[[], T], faults: list[str]) -> T | None:
    """Return what `read` returns; None for a table that cannot be read, which is noted in `faults`."""
    try:
        return read()
    except StorageError as error:
        faults.append(str(error))
        return None


def _file_of(row: CatalogRow, *, is_original: bool) -> tuple[str | None, str | None]:
    """Return key and SHA-256 of a file, if its key is one of this recording and MP3 in a folder of audio."""
    key = row.source_key if is_original else row.audio_key
    key = key or Layout.audio_key_in(row.source_uri if is_original else row.audio_uri)
    is_own = key is not None and Layout.audio_key_in(key) == key and Layout.recording_in(key) == row.recording_id
    return (key, row.source_sha256 if is_original else row.audio_sha256) if is_own else (None, None)


def _seconds(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < 1e6 else None


def _json_value(value: Any) -> Any:
    """Return a value as JSON has it, which has no infinite numbers."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.isoformat() if isinstance(value, datetime) else value
