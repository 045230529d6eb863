"""Pre-signed download links with an expiry; each read makes a new one (docs/design/recall-api.md, section 6)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from urllib.parse import urlencode

from recall_sandbox.like_switches import LinkPath
from recall_sandbox.records import Artifact

_ACCESS_KEY_ID = "SANDBOXACCESSKEY"


class Links:
    """Makes and checks links to `media_url`; the signing key is random for each run of the sandbox."""

    def __init__(self, media_url: str) -> None:
        self._media_url = media_url
        self._secret = secrets.token_bytes(32)

    def mint(self, artifact: Artifact, expires_at_seconds: int, shape: LinkPath = "plain") -> str:
        """A link that is valid until that Unix time in seconds; each link has its own session token.

        With the shape `colon` its path has an encoded colon, and the signature covers the path as it was sent
        (docs/design/recall-api.md, section 6).
        """
        folder = "recordings" if shape == "plain" else "recordings%3Aaudio"
        path = f"/{folder}/{artifact.recording_id}/{artifact.id}.{artifact.format}"
        token = secrets.token_urlsafe(24)
        query = {
            "AWSAccessKeyId": _ACCESS_KEY_ID,
            "Expires": str(expires_at_seconds),
            "x-amz-security-token": token,
            "Signature": self._signature(path, str(expires_at_seconds), token),
        }
        return f"{self._media_url}{path}?{urlencode(query)}"

    def error_code(self, path: str, query: Mapping[str, str], now_seconds: float) -> str | None:
        """The S3 error code for a wrong or expired link; None for a valid link. `path` is as it was sent."""
        expires = query.get("Expires", "")
        signature = self._signature(path, expires, query.get("x-amz-security-token", ""))
        if not hmac.compare_digest(signature, query.get("Signature", "")):
            return "SignatureDoesNotMatch"
        return "AccessDenied" if int(expires) < now_seconds else None

    def _signature(self, path: str, expires: str, token: str) -> str:
        signed = f"GET\n{path}\n{expires}\n{token}".encode()
        return base64.b64encode(hmac.digest(self._secret, signed, hashlib.sha256)).decode()
