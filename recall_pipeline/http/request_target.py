"""The path and query of a request exactly as a URL spells them, because they are what a pre-signed URL signs."""

import re
from typing import Any
from urllib.parse import quote

_NOT_SENDABLE = re.compile(r"[^!-~]+")  # HTTP/1.1 has no spelling for spaces, control characters and non-ASCII


def exact_target(url: str) -> dict[str, Any]:
    """Return the request extension of httpx that sends path and query of `url` unchanged.

    httpx resolves `..` and encodes some characters. Only what HTTP cannot send is percent-encoded here.
    """
    after_host = re.match(r"[^/?#]*//[^/?#]*([^#]*)", url.strip())
    path_and_query = after_host[1] if after_host else ""
    path = path_and_query if path_and_query.startswith("/") else f"/{path_and_query}"
    return {"target": _NOT_SENDABLE.sub(lambda found: quote(found[0], safe=""), path).encode("ascii")}
