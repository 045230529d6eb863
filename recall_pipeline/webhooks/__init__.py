"""Webhook receiver: verify the signature, store a minimal event, let the sensor consume it.

Belongs here: signature checks, the reduction of a webhook to ids, type and times, the event store with one object per
event, and the ASGI application with its server.
Does not belong here: the effect of an event (`polling`, `defs`). An event is a hint: only a lookup decides.
Comes in: signed requests. Goes out: pending events in the order of their arrival. The application and its server are
imported on first use, because the sensor needs neither.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from recall_pipeline.webhooks.event_store import EventStore
from recall_pipeline.webhooks.events import AwaitedChange, Event

if TYPE_CHECKING:
    from recall_pipeline.webhooks.receiver import webhook_app
    from recall_pipeline.webhooks.server import webhook_server

__all__ = ["AwaitedChange", "Event", "EventStore", "webhook_app", "webhook_server"]

_LOADED_ON_USE = {"webhook_server": "server", "webhook_app": "receiver"}


def __getattr__(name: str) -> Any:
    if name not in _LOADED_ON_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LOADED_ON_USE[name]}"), name)
