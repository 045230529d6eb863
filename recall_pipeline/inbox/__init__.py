"""Take in what Recall.ai tells by webhook, and keep it until the sensor has looked.

Belongs here: proving who sent a webhook, reducing it to ids, type and times, keeping one small object for each event,
and the ASGI application that answers Recall.
Does not belong here: what an event leads to (`automation`). An event is a hint; the listing stays the truth.
Comes in: signed requests. Goes out: events that wait, in the order in which they were sent. The application is imported
from `receiver`, the server from `serving`: the sensor needs neither.
"""

from recall_pipeline.inbox.events import Event
from recall_pipeline.inbox.keeping import Inbox

__all__ = ["Event", "Inbox"]
