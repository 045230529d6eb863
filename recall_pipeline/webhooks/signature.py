"""Verify the signature of a webhook (docs/design/recall-api.md, section 8; Standard Webhooks 1.0).

The library compares in constant time and accepts a clock difference of up to five minutes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from standardwebhooks import Webhook, WebhookVerificationError

_HEADERS = ("id", "timestamp", "signature")
_SPELLINGS = ("webhook-", "svix-")
_SIGNATURE_V1 = re.compile(r"v1,[A-Za-z0-9+/]+={0,2}")
_MAX_SIGNATURES = 10  # each costs a digest of the whole body
_NO_MATCH = "No matching signature found"
_NOT_SIGNED = (
    "Missing the headers webhook-id, webhook-timestamp and webhook-signature: Recall signs nothing before a "
    "verification secret of the workspace is made on the API keys page of its dashboard"
)


class Unsigned(Exception):
    """A webhook without a valid signature; its text is the reason."""


class SignatureVerifier:
    """Accepts a signature by any of its secrets; during rotation there are two."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._webhooks = [Webhook(secret) for secret in secrets]

    def verified_id(self, headers: Mapping[str, str], body: bytes) -> str:
        """Return the id that is signed together with `body`; raise Unsigned with the reason if none is.

        Header names are looked up in lower case. Proxies may add one spelling to the other, so both are tried.
        """
        reasons = []
        for signed in _signed_headers(headers):
            reason = self._rejection_reason(signed, body)
            if reason is None:
                return signed["webhook-id"]
            reasons.append(reason)
        raise Unsigned(reasons[0] if reasons else _NOT_SIGNED)

    def _rejection_reason(self, signed: Mapping[str, str], body: bytes) -> str | None:
        offered = signed["webhook-signature"].split()
        supported = [signature for signature in offered if _SIGNATURE_V1.fullmatch(signature)]
        if not supported:
            return "Unsupported signature version: v1 is expected"
        reason = _NO_MATCH
        for webhook in self._webhooks:
            for signature in supported[:_MAX_SIGNATURES]:
                try:
                    webhook.verify(body, {**signed, "webhook-signature": signature}, json_parse=False)
                except WebhookVerificationError as refused:
                    reason = str(refused)
                except ValueError:  # the signature is not base64, or the body is not text
                    reason = _NO_MATCH
                else:
                    return None
        return reason


def _signed_headers(headers: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield the three signature headers under their standard names, for each spelling that is complete.

    The signature covers no other header, so an id in another header is not trusted.
    """
    for spelling in _SPELLINGS:
        found = {f"webhook-{name}": headers.get(f"{spelling}{name}", "") for name in _HEADERS}
        if all(found.values()):
            yield found
