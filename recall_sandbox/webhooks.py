"""Signed webhooks, delivered as Svix does: repeated until one is accepted (docs/design/recall-api.md, section 8).

On request some come twice, out of order, or forged. Signing is written from the specification, so that a mistake of
the receiver's library cannot hide behind the same mistake here.
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

from recall_sandbox.changes import Changes, Told
from recall_sandbox.world import World

SECRET = "whsec_c2FuZGJveC1zZWNyZXQtb2Ytbm9ib2R5"  # noqa: S105 -- known to everybody
RETRIES_AFTER_SECONDS = (0, 5, 300, 1800, 7200, 18000, 36000, 36000)
_TIMEOUT_SECONDS = 15
_LOOK_EVERY_SECONDS = 0.05
_AT_ONCE = 20


@dataclass(frozen=True)
class Delivery:
    """One try: `status` is the receiver's answer, None when there was none."""

    event_id: str
    type: str
    status: int | None
    forged: bool = False


@dataclass(frozen=True)
class DeliveryOptions:
    """How it delivers: `duplicated` and `forged` are shares of the events, `disorder_seconds` the longest delay.

    `time_scale` shortens the waits between tries; `tells_the_past` lets it begin with all that the world holds.
    """

    time_scale: float = 1.0
    duplicated: float = 0.0
    forged: float = 0.0
    disorder_seconds: float = 0.0
    tells_the_past: bool = False
    seed: int = 0


class Webhooks:
    """Tells `url` of every change of `world` while it runs; `deliveries` are all tries so far."""

    def __init__(self, world: World, url: str, *, secret: str = SECRET, manners: DeliveryOptions | None = None) -> None:
        self.deliveries: list[Delivery] = []
        self._world = world
        self._changes = Changes(world)
        self._told_of = -1
        self._url = url
        self._key = base64.b64decode(secret.removeprefix("whsec_"))
        self._manners = manners or DeliveryOptions()
        self._dice = random.Random(self._manners.seed)  # noqa: S311 -- dice
        self._stopping = threading.Event()
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._in_flight: set[asyncio.Task[None]] = set()

    @contextmanager
    def running(self) -> Iterator["Webhooks"]:
        """Deliver until the block ends."""
        if not self._manners.tells_the_past:
            self._changes.look()
        thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="webhooks")
        thread.start()
        try:
            yield self
        finally:
            self._stopping.set()
            thread.join()

    def wait_until_told(self, patience_seconds: float = 300) -> None:
        """Return when nothing is left to deliver; raise TimeoutError when that takes too long."""
        until = time.monotonic() + patience_seconds
        while self._in_flight or self._told_of != self._world.revision:
            if time.monotonic() > until:
                raise TimeoutError(f"{len(self._in_flight)} webhooks are not delivered yet")
            time.sleep(_LOOK_EVERY_SECONDS)

    async def _serve(self) -> None:
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False) as http:
            while not self._stopping.is_set():
                for told in self._changes.look():
                    self._start(http, told)
                self._told_of = self._changes.revision
                await asyncio.sleep(_LOOK_EVERY_SECONDS)
            left = tuple(self._in_flight)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    def _start(self, http: httpx.AsyncClient, told: Told) -> None:
        event_id = f"msg_{''.join(self._dice.choices(string.ascii_letters + string.digits, k=27))}"
        deliveries = [self._deliver(http, event_id, told)]
        if self._dice.random() < self._manners.duplicated:
            deliveries.append(self._deliver(http, event_id, told))
        if self._dice.random() < self._manners.forged:
            deliveries.append(self._forge(http, told))
        for delivery in deliveries:
            task = asyncio.create_task(delivery)
            self._in_flight.add(task)
            task.add_done_callback(self._in_flight.discard)

    async def _deliver(self, http: httpx.AsyncClient, event_id: str, told: Told) -> None:
        await asyncio.sleep(self._dice.uniform(0, self._manners.disorder_seconds))
        body = json.dumps(told.payload).encode()
        for wait_seconds in RETRIES_AFTER_SECONDS:
            await asyncio.sleep(wait_seconds * self._manners.time_scale)
            status = await self._post(http, event_id, body, self._key)
            self.deliveries.append(Delivery(event_id, told.type, status))
            if status is not None and 200 <= status < 300:
                return

    async def _forge(self, http: httpx.AsyncClient, told: Told) -> None:
        """Send an event of a stranger's, who knows neither the secret nor an id."""
        data = {name: {"id": str(UUID(int=self._dice.getrandbits(128), version=4))} for name in told.payload["data"]}
        body = json.dumps({"event": told.type, "data": data}).encode()
        status = await self._post(http, "msg_forged", body, b"a stranger's key")
        self.deliveries.append(Delivery("msg_forged", told.type, status, forged=True))

    async def _post(self, http: httpx.AsyncClient, event_id: str, body: bytes, key: bytes) -> int | None:
        async with self._gate:  # httpx's own queue takes ever longer the longer it is
            headers = self._headers(event_id, body, key)
            try:
                return (await http.post(self._url, content=body, headers=headers)).status_code
            except httpx.HTTPError:
                return None

    def _headers(self, event_id: str, body: bytes, key: bytes) -> dict[str, str]:
        """Return the headers in one of their two spellings, signed for this moment."""
        timestamp = str(int(time.time()))
        digest = hmac.new(key, f"{event_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
        signed: dict[str, Any] = {"id": event_id, "timestamp": timestamp}
        signed["signature"] = f"v1,{base64.b64encode(digest).decode()}"
        spelling = self._dice.choice(("webhook", "svix"))
        return {"Content-Type": "application/json", **{f"{spelling}-{name}": value for name, value in signed.items()}}
