"""Webhooks as Svix signs them, written from the specification only (docs/design/recall-api.md, section 8)."""

import base64
import hashlib
import hmac
import json
from datetime import datetime

from recall_pipeline.days import utc_now

SECRET = "whsec_c2FuZGJveC1zZWNyZXQtb2Ytbm9ib2R5"  # noqa: S105 -- signs nothing else
OTHER_SECRET = "whsec_YW5vdGhlciBzZWNyZXQgb2Ygbm9ib2R5"  # noqa: S105
RECORDING, BOT, AUDIO = (f"c1a5c4be-0d4a-4b55-8f6e-1a2b3c4d5e{number:02d}" for number in range(3))


def payload(event: str = "audio_mixed.done", **ids: str) -> bytes:
    """The body of an event, with metadata that must not be kept."""
    named = ids or {"audio_mixed": AUDIO, "recording": RECORDING, "bot": BOT}
    objects = {name: {"id": object_id, "metadata": {"customer": "Contoso"}} for name, object_id in named.items()}
    change = {"code": event.partition(".")[2], "sub_code": None, "updated_at": "2026-03-02T09:31:02.5Z"}
    return json.dumps({"event": event, "data": {"data": change, **objects}}).encode()


def signature(body: bytes, event_id: str, timestamp: str, secret: str = SECRET) -> str:
    """One signature of the header."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{event_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def headers(
    body: bytes,
    event_id: str = "msg_1",
    *,
    secret: str = SECRET,
    at: datetime | None = None,
    spelling: str = "webhook",
    **changes: str,
) -> dict[str, str]:
    """The headers of a webhook; `changes` replace one by name."""
    timestamp = str(int((at or utc_now()).timestamp()))
    signed = {"id": event_id, "timestamp": timestamp, "signature": signature(body, event_id, timestamp, secret)}
    return {f"{spelling}-{name}": value for name, value in {**signed, **changes}.items()}
