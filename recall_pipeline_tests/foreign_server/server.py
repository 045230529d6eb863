"""The HTTP server: lists with filters, single objects, and signed links to MP3s (docs/design/recall-api.md)."""

import hashlib
import itertools
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from recall_pipeline_tests.foreign_server.mp3 import tone_mp3
from recall_pipeline_tests.foreign_server.objects import Mint, Objects, Row, object_id

DIALECTS: Mapping[str, str] = {
    "flat": "the link is beside a null one",
    "flat_only": "the link is in the artifact itself, which has no `data`",
    "v1.10": "recordings within bots have four fields, and bots those of version 1.10",
    "null": "recordings within bots have null where version 1.11 allows it",
    "null_everywhere": "so have those that are listed",
    "required_only": "bots have the required fields only",
    "percent": "links have `%3A` in their paths, which are compared as they were sent",
    "dead_links": "links in lists answer 400",
    "dead_twice": "so do the first two links of each artifact that was looked up",
    "all_expired": "the recordings are gone, and the histories end with `media_expired`",
    "cleared": "the meeting URLs are gone after `clear`",
}
_PREFIX, _PAGE_SIZE, _DEAD_READS = "/api/v1/", 2, 2
_TIMES = {"bot": "join_at", "recording": "created_at", "audio_mixed": "created_at"}
_ONE_OBJECT = re.compile(r"([a-z_]+)/([0-9a-f-]{36})/")


@dataclass(frozen=True)
class Request:
    """One request as it arrived: the target is not decoded."""

    method: str
    target: str
    authorization: str | None
    range: str | None

    @property
    def is_media(self) -> bool:
        """Whether it is for an MP3."""
        return not self.target.startswith(_PREFIX)


class ForeignServer:
    """A workspace with the key `key`, whose MP3s are tones from `frequency` Hz on. `requests` are all that arrived."""

    def __init__(self, key: str, day: date, dialects: frozenset[str] = frozenset(), frequency: int = 300) -> None:
        if unknown := dialects - DIALECTS.keys():
            raise ValueError(f"no such dialect: {sorted(unknown)}")
        self.key, self.dialects = key, dialects
        self.objects = Objects(day, dialects)
        places = enumerate(self.objects.takes)
        self.mp3s = {object_id("audio", *take): tone_mp3(frequency + 50 * place) for place, take in places}
        self.requests: list[Request] = []
        self.signatures: list[str] = []
        self._links: dict[str, tuple[str, bool]] = {}
        self._numbers = itertools.count()
        self._reads: Counter[str] = Counter()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._http.daemon_threads = True

    @property
    def origin(self) -> str:
        """Scheme and address."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def api_url(self) -> str:
        """The base URL of the API."""
        return f"{self.origin}{_PREFIX.rstrip('/')}"

    @property
    def keys_seen(self) -> set[str | None]:
        """The authorization headers of all requests to the API, without their scheme."""
        headers = (each.authorization for each in self.requests if not each.is_media)
        return {header.removeprefix("Token ") if header else header for header in headers}

    @contextmanager
    def running(self) -> Iterator["ForeignServer"]:
        """Serve until the block ends."""
        thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._http.shutdown()
            self._http.server_close()
            thread.join()

    def clear(self) -> None:
        """Remove the meeting URLs, as Recall does some days after a meeting."""
        self.objects.is_cleared = "cleared" in self.dialects

    def answer(self, target: str) -> tuple[int, Row]:
        """Return status and JSON of a GET below the API's base URL."""
        parts = urlsplit(target.removeprefix(_PREFIX))
        if one := _ONE_OBJECT.fullmatch(parts.path):
            self._reads[one[2]] += 1
            rows = self._rows(one[1], is_live="dead_twice" not in self.dialects or self._reads[one[2]] > _DEAD_READS)
            found = next((row for row in rows if row["id"] == one[2]), None)
            return (200, found) if found else (404, {"detail": "Not found."})
        kind, query = parts.path.rstrip("/"), {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if kind not in _TIMES:
            return 404, {"detail": "Not found."}
        is_live = self.dialects.isdisjoint({"dead_links", "dead_twice"})
        rows = [row for row in self._rows(kind, is_live=is_live) if _matches(row, kind, query)]
        return 200, self._page(kind, rows, query)

    def mp3_of(self, target: str) -> tuple[int, str | bytes]:
        """Return status and content of a link; the name of an error if it is not one that was given."""
        audio_id, is_live = self._links.get(target, ("", False))
        if not audio_id:
            return 403, "SignatureDoesNotMatch"
        return (200, self.mp3s[audio_id]) if is_live else (400, "ExpiredToken")

    def _rows(self, kind: str, *, is_live: bool) -> list[Row]:
        of_kind = {
            "bot": self.objects.bots,
            "recording": self.objects.recordings,
            "audio_mixed": self.objects.artifacts,
        }
        return list(of_kind[kind](self._mint(is_live=is_live))) if kind in of_kind else []

    def _mint(self, *, is_live: bool) -> Mint:
        """Return what makes links; each is new, and its path is part of what is signed."""

        def mint(audio_id: str) -> str:
            signature = hashlib.sha256(f"{self.key} {next(self._numbers)}".encode()).hexdigest()
            colon = "%3A" if "percent" in self.dialects else "-"
            path = f"/bucket/{audio_id}/2026-03-02T09{colon}00{colon}21/mixed.mp3"
            query = urlencode(
                {"AWSAccessKeyId": "ASIAEXAMPLE", "Signature": signature, "x-amz-security-token": "t" * 80}
            )
            self.signatures.append(signature)
            self._links[f"{path}?{query}"] = audio_id, is_live
            return f"{self.origin}{path}?{query}"

        return mint

    def _page(self, kind: str, rows: list[Row], query: Mapping[str, str]) -> Row:
        """Return a page: bots by number, the others by a cursor that does not show its position."""
        name = "page" if kind == "bot" else "cursor"
        number = int(query.get(name, "1").removeprefix("c"))
        more = number * _PAGE_SIZE < len(rows)
        position = f"{number + 1}" if kind == "bot" else f"c{number + 1}"
        following = f"{self.api_url}/{kind}/?{urlencode({**query, name: position})}" if more else None
        results = rows[(number - 1) * _PAGE_SIZE : number * _PAGE_SIZE]
        count = {"count": len(rows)} if kind == "bot" else {}
        return {**count, "next": following, "previous": None, "results": results}


def _matches(row: Row, kind: str, query: Mapping[str, str]) -> bool:
    """Whether a row passes the filters: from `after` on, and before `before`."""
    moment = (row.get(_TIMES[kind]) or row["status_changes"][0]["created_at"]).replace("Z", "")
    after, before = (query.get(f"{_TIMES[kind]}_{bound}", "").replace("Z", "") for bound in ("after", "before"))
    is_inside = moment >= after and (not before or moment < before)
    wanted = query.get("recording_id")
    return is_inside and (wanted is None or (row.get("recording") or {}).get("id") == wanted)


def _handler_of(server: ForeignServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Answer one request."""
            named = (self.headers.get(name) for name in ("Authorization", "Range"))
            request = Request(self.command, self.path, *named)
            server.requests.append(request)
            if request.is_media:
                self._send_media(request)
            elif self.headers.get("Content-Length") or self.headers.get("Transfer-Encoding"):
                self._send(403, b"<html><body>Request blocked.</body></html>", "text/html")
            elif request.authorization not in (server.key, f"Token {server.key}"):
                self._send_json(401, {"code": "authentication_failed", "detail": "Invalid token."})
            elif not urlsplit(self.path).path.endswith("/"):
                self._send(301, b"", "text/html", Location=self.path.replace("?", "/?", 1))
            else:
                self._send_json(*server.answer(self.path))

        def _send_media(self, request: Request) -> None:
            status, content = server.mp3_of(request.target)
            if isinstance(content, str) or request.authorization is not None:
                code = content if isinstance(content, str) else "InvalidArgument"
                body = f'<?xml version="1.0"?><Error><Code>{code}</Code></Error>'.encode()
                self._send(status if status != 200 else 400, body, "application/xml")
                return
            headers = {"ETag": f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"', "Accept-Ranges": "bytes"}
            if span := re.fullmatch(r"bytes=(\d+)-(\d*)", request.range or ""):
                first, last = int(span[1]), min(int(span[2] or len(content)), len(content) - 1)
                headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
                status, content = 206, content[first : last + 1]
            self._send(status, content, "audio/mpeg", **headers)

        def _send_json(self, status: int, body: Row) -> None:
            self._send(status, json.dumps(body).encode(), "application/json")

        def _send(self, status: int, body: bytes, content_type: str, **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": content_type, "Content-Length": str(len(body)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Write no log."""

    return Handler
