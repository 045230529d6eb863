"""HTTP error responses, raised as exceptions."""

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response


class Refusal(HTTPException):
    """An HTTP error status with its JSON body (docs/design/recall-api.md, section 2)."""

    def __init__(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, headers=headers)
        self.body = body


def not_found() -> Refusal:
    """404 for an object that does not exist."""
    return Refusal(404, {"code": "not_found", "detail": "Not found."})


def invalid(field: str, message: str) -> Refusal:
    """400 with one field error."""
    return Refusal(400, {field: [message]})


def throttled(retry_after_seconds: int) -> Refusal:
    """429 with the seconds to wait."""
    detail = f"Request was throttled. Expected available in {retry_after_seconds} seconds."
    return Refusal(429, {"code": "throttled", "detail": detail}, {"Retry-After": str(retry_after_seconds)})


async def answer_refusal(request: Request, refused: Exception) -> Response:
    """Starlette exception handler: render a `Refusal`, or Starlette's own 404 and 405, as JSON."""
    if isinstance(refused, Refusal):
        return JSONResponse(refused.body, refused.status_code, refused.headers)
    if not isinstance(refused, HTTPException):
        raise refused
    body = {"detail": refused.detail, "path": request.url.path}
    return JSONResponse(body, refused.status_code, refused.headers)
