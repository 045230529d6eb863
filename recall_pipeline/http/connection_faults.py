"""Why a connection failed, in one line without secrets, and what the operator can do about it."""

import re

import httpx

from recall_pipeline.errors import MORE_HANDLES, is_out_of_handles
from recall_pipeline.http.proxies import proxy_of
from recall_pipeline.redaction import redact

_HTML = re.compile(rb"<(?:!doctype\s+html|(?:html|head|body|title|center|h1)[\s>])", re.IGNORECASE)
_FIRST_BYTES = 1024  # comments and an XML declaration may come first


def connection_fault(error: Exception, url: str, action: str) -> tuple[str, str]:
    """Return the reason of a failed request to `url`, and the next action: `action` if the environment has no part."""
    reason = " ".join(redact(str(error)).split()) or type(error).__name__
    if is_out_of_handles(error):
        return reason, MORE_HANDLES
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return reason, "set SSL_CERT_FILE to a file with the root certificates of your network"
    proxy = proxy_of(httpx.URL(url))
    if proxy is not None:
        return f"{reason}, through the proxy of {proxy.variable}", f"check {proxy.variable} and NO_PROXY"
    return reason, action


def is_web_page(content_type: str, body: bytes) -> bool:
    """Whether a response is an HTML page, as firewalls and proxies send it, by its header or its first bytes."""
    first = body[:_FIRST_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")
    return "html" in content_type.lower() or (first.startswith(b"<") and _HTML.search(first) is not None)
