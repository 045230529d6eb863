"""Serve a stored audio file over HTTP Range: only the bytes that a client takes are read.

A browser's player asks for everything from a place on, several times for one click, and takes what it gets at once: 17
MB for ten seconds out of eight hours. So a player gets 64 KiB at once, and more at three times the speed of listening.
"""

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from recall_pipeline.browse.byte_ranges import ByteRange, NotSatisfiable, requested_range
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import Archive

_PIECE_BYTES = 128 * 1024  # one request to a bucket
_PACED_PIECE_BYTES = 64 * 1024
_PACE = 3.0  # bytes sent to a player, in those of the same time of listening; players play up to twice as fast
_TYPES = {"mp3": "audio/mpeg", "flac": "audio/flac", "opus": "audio/ogg", "wav": "audio/wav"}


def audio_response(
    request: Request, archive: Archive, key: str, sha256: str | None, seconds: float | None
) -> Response | None:
    """Return the answer to a request for the file under `key`; None if it is not stored. Raises StorageError.

    `seconds` is the length of the audio, if it is known.
    """
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
    is_player = request.headers.get("sec-fetch-dest") in ("audio", "video")
    pace = _PACE * size / seconds if is_player and seconds else None
    if request.method == "HEAD":
        taken = ByteRange(0, 0, size)  # the headers only
    return StreamingResponse(
        _pieces(archive, key, taken, pace), 206 if part else 200, headers, _TYPES.get(key.rpartition(".")[2])
    )


def _names(header: str | None, tag: str) -> bool:
    tags = [each.strip().removeprefix("W/") for each in (header or "").split(",")]
    return "*" in tags or tag in tags


async def _pieces(archive: Archive, key: str, taken: ByteRange, pace: float | None) -> AsyncIterator[bytes]:
    """Yield the bytes of a range; the next piece is read when the client has taken the one before.

    `pace` is the most bytes per second after the first piece.
    """
    piece_bytes = _PACED_PIECE_BYTES if pace else _PIECE_BYTES
    began_at = asyncio.get_running_loop().time()
    for start in range(taken.start, taken.end, piece_bytes):
        if pace:
            due_at = began_at + (start - taken.start) / pace
            await asyncio.sleep(due_at - asyncio.get_running_loop().time())
        end = min(start + piece_bytes, taken.end)
        piece = await asyncio.to_thread(archive.read_range, key, start, end)
        if piece is None or len(piece) != end - start:
            raise StorageError(f"{archive.uri(key)} was replaced while it was read: reload the page")
        yield piece
