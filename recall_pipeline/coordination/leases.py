"""Locks that end unless they are renewed, and that are confirmed before each publication.

A process that was stopped, or that lost the server, does not notice that its lock has ended. So it asks the server
right before it gives a file its final name, and raises LockLost if another process has taken the lock meanwhile.
"""

import contextlib
import logging
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from pydantic import SecretStr

from recall_pipeline.coordination.server import LEASE_SECONDS, CoordinationServer, Renewal
from recall_pipeline.errors import CoordinationError, LockLost, PipelineError

_log = logging.getLogger("recall_pipeline.waits")  # the command line shows these messages
_RENEW_SECONDS = 5.0
_ASK_SECONDS = 0.5  # between two attempts to get a lock
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # it runs while the machine is suspended


@dataclass(frozen=True, slots=True)
class HeldLock:
    """A lock that the caller of a worker process holds, as the worker gets it. Picklable."""

    name: str
    token: str
    holder: str


def _connect(url: SecretStr) -> CoordinationServer:
    from recall_pipeline.coordination.connection import connect  # what it imports is needed with a server only

    return connect(url)


class Leases:
    """The locks on the server that one opened archive holds.

    `url` None: none are needed, since no server is set. `scope` names the archive. `inherited` are those of the process
    that called this worker.
    """

    def __init__(self, url: SecretStr | None, scope: str, inherited: Sequence[HeldLock] = ()) -> None:
        self._server = None if url is None else partial(_connect, url)
        self._scope = scope
        self._leases = [_Lease(self._server, lock) for lock in inherited if self._server]

    @property
    def held(self) -> tuple[HeldLock, ...]:
        """The locks that are held now, for a worker process."""
        return tuple(lease.lock for lease in tuple(self._leases))

    @contextlib.contextmanager
    def hold(self, name: str, holder: str) -> Iterator[None]:
        """Hold a lock among all hosts; wait for the process that holds it, and log which one that is.

        Raises CoordinationError if the server does not answer.
        """
        if self._server is None:
            yield
            return
        lease = _Lease(self._server, HeldLock(f"{self._scope} {name}", uuid.uuid4().hex, holder))
        lease.acquire()
        self._leases.append(lease)
        try:
            with lease.renewed():
                yield
        finally:
            self._leases.remove(lease)
            lease.release()

    def confirm(self) -> None:
        """Ask the server whether every lock is still held. Raises LockLost, or CoordinationError without an answer."""
        for lease in tuple(self._leases):
            lease.confirm()


class _Lease:
    """One lock on the server; `confirmed_at` is the time of the last answer that it is held."""

    def __init__(self, server: Callable[[], CoordinationServer], lock: HeldLock) -> None:
        self.lock = lock
        self._server = server
        self._confirmed_at: float | None = None
        self._is_lost = False

    def acquire(self) -> None:
        """Wait until the server gives the lock to this process."""
        reported: str | None = None
        while True:
            asked_at = _now()
            other = self._server().acquire(self.lock.name, self.lock.token, self.lock.holder)
            if other is None:
                self._confirmed_at = asked_at
                return
            if other != reported:
                _log.warning("waiting for the lock %s: %s holds it", self.lock.name, other)
            reported = other
            time.sleep(random.uniform(_ASK_SECONDS, 2 * _ASK_SECONDS))  # noqa: S311 -- not for secrets

    def confirm(self) -> None:
        """Return if the server says that the lock is held; raise LockLost if another process took it."""
        while not self._is_lost and self._ask() is Renewal.UNKNOWN:
            time.sleep(_ASK_SECONDS)
        if self._is_lost:
            raise LockLost(
                f"the lock {self.lock.name} is lost, since this process was stopped or without the server for over "
                f"{LEASE_SECONDS:.0f} s: nothing more is published; run it again"
            )

    def release(self) -> None:
        """Release the lock; without an answer it ends by itself."""
        with contextlib.suppress(PipelineError):
            self._server().release(self.lock.name, self.lock.token)

    @contextlib.contextmanager
    def renewed(self) -> Iterator[None]:
        """Renew the lock in a thread within the block."""
        ended = threading.Event()
        thread = threading.Thread(target=self._renew_until, args=[ended], daemon=True, name="lease")
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(_RENEW_SECONDS)  # a late renewal could claim the lock again after its release

    def _renew_until(self, ended: threading.Event) -> None:
        while not ended.wait(_RENEW_SECONDS) and not self._is_lost:
            with contextlib.suppress(CoordinationError):  # the next publication reports it, if it lasts
                self._ask(patience_seconds=0)

    def _ask(self, patience_seconds: float | None = None) -> Renewal:
        asked_at, lock = _now(), self.lock
        answer = self._server().renew(
            lock.name, lock.token, lock.holder, may_claim=self._may_claim, patience_seconds=patience_seconds
        )
        if answer is Renewal.HELD:
            self._confirmed_at = asked_at
        self._is_lost |= answer is Renewal.LOST
        return answer

    def _may_claim(self) -> bool:
        """Return whether the lease has not ended, so that no other process can have had the lock."""
        return self._confirmed_at is not None and _now() - self._confirmed_at < LEASE_SECONDS


def _now() -> float:
    return time.clock_gettime(_CLOCK)
