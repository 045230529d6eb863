"""Signed webhooks, delivered as Svix does: repeated until one is accepted (docs/design/recall-api.md, section 8).

On request some are duplicated, out of order, or forged. The signing follows the specification and shares no code
with the receiver's library, so the two cannot share a mistake.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import random
import string
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from recall_sandbox.changes import Changes, SandboxEvent, in_old_style
from recall_sandbox.world import World

SECRET = "whsec_c2FuZGJveC1zZWNyZXQtb2Ytbm9ib2R5"  # noqa: S105 -- a public value
RETRIES_AFTER_SECONDS = (0, 5, 300, 1800, 7200, 18000, 36000, 36000)
_TIMEOUT_SECONDS = 15
_POLL_SECONDS = 0.05
_MAX_CONCURRENT = 20


@dataclass(frozen=True)
class Delivery:
    """One delivery attempt; `status` is the receiver's HTTP status, None without an answer."""

    event_id: str
    type: str
    status: int | None
    forged: bool = False


@dataclass(frozen=True)
class DeliveryOptions:
    """Faults of the delivery: `duplicated` and `forged` are shares of the events (0 to 1).

    `disorder_seconds`: the longest random delay of an event. `time_scale`: factor for the waits between attempts.
    `includes_past`: start with events for all that is in the world. `old_style`: send `bot.status_change` only.
    """

    time_scale: float = 1.0
    duplicated: float = 0.0
    forged: float = 0.0
    disorder_seconds: float = 0.0
    includes_past: bool = False
    old_style: bool = False
    seed: int = 0


class Webhooks:
    """Sends every change of `world` to `url` while it runs; `deliveries` are all attempts so far."""

    def __init__(self, world: World, url: str, *, secret: str = SECRET, options: DeliveryOptions | None = None) -> None:
        self.deliveries: list[Delivery] = []
        self._world = world
        self._changes = Changes(world)
        self._started_revision = -1
        self._url = url
        self._key = base64.b64decode(secret.removeprefix("whsec_"))
        self._options = options or DeliveryOptions()
        self._random = random.Random(self._options.seed)  # noqa: S311 -- not for secrets
        self._stopping = threading.Event()
        self._concurrency = asyncio.Semaphore(_MAX_CONCURRENT)
        self._in_flight: set[asyncio.Task[None]] = set()

    @contextmanager
    def running(self) -> Iterator["Webhooks"]:
        """Deliver until the block ends."""
        if not self._options.includes_past:
            self._changes.new_events()
        thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="webhooks")
        thread.start()
        try:
            yield self
        finally:
            self._stopping.set()
            thread.join()

    def wait_until_delivered(self, timeout_seconds: float = 300) -> None:
        """Wait until every event is delivered; raises TimeoutError after `timeout_seconds`."""
        until = time.monotonic() + timeout_seconds
        while self._in_flight or self._started_revision != self._world.revision:
            if time.monotonic() > until:
                raise TimeoutError(f"{len(self._in_flight)} webhooks are not delivered yet")
            time.sleep(_POLL_SECONDS)

    async def _serve(self) -> None:
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False) as http:
            while not self._stopping.is_set():
                for event in self._new_events():
                    self._start(http, event)
                self._started_revision = self._changes.revision
                await asyncio.sleep(_POLL_SECONDS)
            left = tuple(self._in_flight)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    def _new_events(self) -> list[SandboxEvent]:
        events = self._changes.new_events()
        return [old for event in events if (old := in_old_style(event))] if self._options.old_style else events

    def _start(self, http: httpx.AsyncClient, event: SandboxEvent) -> None:
        event_id = f"msg_{''.join(self._random.choices(string.ascii_letters + string.digits, k=27))}"
        deliveries = [self._deliver(http, event_id, event)]
        if self._random.random() < self._options.duplicated:
            deliveries.append(self._deliver(http, event_id, event))
        if self._random.random() < self._options.forged:
            deliveries.append(self._forge(http, event))
        for delivery in deliveries:
            task = asyncio.create_task(delivery)
            self._in_flight.add(task)
            task.add_done_callback(self._in_flight.discard)

    async def _deliver(self, http: httpx.AsyncClient, event_id: str, event: SandboxEvent) -> None:
        await asyncio.sleep(self._random.uniform(0, self._options.disorder_seconds))
        body = json.dumps(event.payload).encode()
        for wait_seconds in RETRIES_AFTER_SECONDS:
            await asyncio.sleep(wait_seconds * self._options.time_scale)
            status = await self._post(http, event_id, body, self._key)
            self.deliveries.append(Delivery(event_id, event.type, status))
            if status is not None and 200 <= status < 300:
                return

    async def _forge(self, http: httpx.AsyncClient, event: SandboxEvent) -> None:
        """Send an event with a random id, signed with a wrong key."""
        data = {name: {"id": str(UUID(int=self._random.getrandbits(128), version=4))} for name in event.payload["data"]}
        body = json.dumps({"event": event.type, "data": data}).encode()
        status = await self._post(http, "msg_forged", body, b"a wrong key")
        self.deliveries.append(Delivery("msg_forged", event.type, status, forged=True))

    async def _post(self, http: httpx.AsyncClient, event_id: str, body: bytes, key: bytes) -> int | None:
        async with self._concurrency:  # the queue of httpx gets slower with its length
            headers = self._headers(event_id, body, key)
            try:
                return (await http.post(self._url, content=body, headers=headers)).status_code
            except httpx.HTTPError:
                return None

    def _headers(self, event_id: str, body: bytes, key: bytes) -> dict[str, str]:
        """Return the signed headers, randomly with the prefix `webhook-` or `svix-`."""
        timestamp = str(int(time.time()))
        digest = hmac.new(key, f"{event_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
        signed: dict[str, Any] = {"id": event_id, "timestamp": timestamp}
        signed["signature"] = f"v1,{base64.b64encode(digest).decode()}"
        prefix = self._random.choice(("webhook", "svix"))
        return {"Content-Type": "application/json", **{f"{prefix}-{name}": value for name, value in signed.items()}}
