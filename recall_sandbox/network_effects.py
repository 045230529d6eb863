"""Faults of the network between a client and the service: proxies, firewalls, compression, closed connections."""

import gzip
import json
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from recall_sandbox.effects import Answer, Call, Reply


@dataclass(frozen=True)
class InnerNext:
    """A reverse proxy before the API that leaves the inner host and path in `next`: `inner_url` replaces both."""

    inner_url: str

    async def apply(self, call: Call) -> None:
        """Send the answer with the inner URL in `next`, if it is a list page with one."""
        answer = await call.normal_answer()
        body = json.loads(answer.body) if answer.status == 200 else None
        if isinstance(body, dict) and body.get("next"):
            body["next"] = f"{self.inner_url}?{urlsplit(body['next']).query}"
            answer = replace(answer, body=json.dumps(body).encode())
        await call.reply(answer)


@dataclass(frozen=True)
class Unpromised:
    """Serve the first `after_bytes` bytes (None: all) with no length, and close the connection, as HTTP/1.0 does."""

    after_bytes: int | None = None

    async def apply(self, call: Call) -> None:
        """Send the bytes after a head without a length."""
        answer = await call.normal_answer()
        head = f"HTTP/1.1 {answer.status} OK\r\nContent-Type: audio/mpeg\r\nConnection: close\r\n\r\n"
        call.connection.send(head.encode() + answer.body[: self.after_bytes])
        call.connection.close()


@dataclass(frozen=True)
class Gzipped:
    """Send the whole body compressed, although the client asked for `identity`."""

    async def apply(self, call: Call) -> None:
        """Compress the normal answer."""
        answer = await call.normal_answer()
        headers = {**answer.headers, "content-encoding": "gzip"}
        await call.reply(Answer(answer.status, gzip.compress(answer.body), headers))


def expired_token() -> Reply:
    """The storage's answer to a link whose temporary credentials have ended: 400."""
    body = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>ExpiredToken</Code></Error>'
    return Reply(400, body, {"Content-Type": "application/xml"})


def firewall_page() -> Reply:
    """A firewall's web page with status 403, because of the address that the request comes from."""
    page = b"<html><head><title>403 Forbidden</title></head><body>Request blocked.</body></html>"
    return Reply(403, page, {"Content-Type": "text/html"})
