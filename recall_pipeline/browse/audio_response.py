"""Serve a stored audio file over HTTP Range: only the bytes that a client takes are read."""

from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from recall_pipeline.browse.byte_ranges import ByteRange, NotSatisfiable, requested_range
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import Archive

_PIECE_BYTES = 128 * 1024  # one request to a bucket
_TYPES = {"mp3": "audio/mpeg", "flac": "audio/flac", "opus": "audio/ogg", "wav": "audio/wav"}


def audio_response(request: Request, archive: Archive, key: str, sha256: str | None) -> Response | None:
    """Return the answer to a request for the file under `key`; None if it is not stored. Raises StorageError."""
    size = archive.size_bytes(key)
    if size is None:
        return None
    tag = f'"{(sha256 or "")[:32]}-{size:x}"'
    headers = {"Accept-Ranges": "bytes", "ETag": tag, "Content-Disposition": "inline"}
    if _names(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    is_same = request.headers.get("if-range", tag) == tag
    try:
        part = requested_range(request.headers.get("range") if is_same and request.method == "GET" else None, size)
    except NotSatisfiable:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    taken = part or ByteRange(0, size, size)
    headers |= {"Content-Length": str(taken.length)} | ({"Content-Range": part.content_range} if part else {})
    content = iter(()) if request.method == "HEAD" else _pieces(archive, key, taken)
    return StreamingResponse(content, 206 if part else 200, headers, _TYPES.get(key.rpartition(".")[2]))


def _names(header: str | None, tag: str) -> bool:
    tags = [each.strip().removeprefix("W/") for each in (header or "").split(",")]
    return "*" in tags or tag in tags


def _pieces(archive: Archive, key: str, taken: ByteRange) -> Iterator[bytes]:
    """Yield the bytes of a range; the next piece is read when the client has taken the one before."""
    for start in range(taken.start, taken.end, _PIECE_BYTES):
        end = min(start + _PIECE_BYTES, taken.end)
        piece = archive.read_range(key, start, end)
        if piece is None or len(piece) != end - start:
            raise StorageError(f"{archive.uri(key)} was replaced while it was read: reload the page")
        yield piece
