"""Webhook receiver: verify the signature, store a minimal event, let the sensor consume it.

Belongs here: checking who sent a webhook, reducing it to ids, type and times, the event store with one small object per
event, and the ASGI application that answers Recall.
Does not belong here: what an event leads to (`polling`, `defs`). An event is a hint; the listing stays the truth.
Comes in: signed requests. Goes out: pending events in the order in which they were sent. The application and its server
are loaded when they are first used: the sensor needs neither.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from recall_pipeline.webhooks.event_store import EventStore
from recall_pipeline.webhooks.events import Event

if TYPE_CHECKING:
    from recall_pipeline.webhooks.receiver import webhook_app
    from recall_pipeline.webhooks.server import server_of

__all__ = ["Event", "EventStore", "server_of", "webhook_app"]

_LOADED_ON_USE = {"server_of": "server", "webhook_app": "receiver"}


def __getattr__(name: str) -> Any:
    if name not in _LOADED_ON_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LOADED_ON_USE[name]}"), name)
