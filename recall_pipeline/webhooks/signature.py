"""Prove that a webhook comes from Recall.ai (docs/design/recall-api.md, section 8; Standard Webhooks 1.0).

The library compares in constant time and allows five minutes between the sender's clock and ours.
"""

import re
from collections.abc import Mapping, Sequence

from standardwebhooks import Webhook, WebhookVerificationError

_HEADERS = ("id", "timestamp", "signature")
_SPELLINGS = ("webhook-", "svix-")
_KNOWN_VERSION = re.compile(r"v1,[A-Za-z0-9+/]+={0,2}")
_MOST_SIGNATURES = 10  # each costs a digest of the whole body
_UNPROVEN = "No matching signature found"


class SignatureVerifier:
    """Accepts what any of its secrets has signed: two while one replaces the other."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._webhooks = [Webhook(secret) for secret in secrets]

    def fault(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """Say why `body` is not proven; None when it is. `headers` are looked up in lower case."""
        signed = signed_headers(headers)
        if signed is None:
            return "Missing the headers webhook-id, webhook-timestamp and webhook-signature"
        offered = signed["webhook-signature"].split()
        known = [signature for signature in offered if _KNOWN_VERSION.fullmatch(signature)]
        if not known:
            return "Signed in a version that is not known here: v1 is expected"
        fault = _UNPROVEN
        for webhook in self._webhooks:
            for signature in known[:_MOST_SIGNATURES]:
                try:
                    webhook.verify(body, {**signed, "webhook-signature": signature}, json_parse=False)
                except WebhookVerificationError as refused:
                    fault = str(refused)
                except ValueError:  # a signature of no whole bytes, or a body that is no text
                    fault = _UNPROVEN
                else:
                    return None
        return fault


def signed_headers(headers: Mapping[str, str]) -> dict[str, str] | None:
    """Return the three headers of one spelling under their standard names; None where none is complete.

    Nothing else of the headers is signed: an id beside them is anybody's.
    """
    for spelling in _SPELLINGS:
        found = {f"webhook-{name}": headers.get(f"{spelling}{name}", "") for name in _HEADERS}
        if all(found.values()):
            return found
    return None
