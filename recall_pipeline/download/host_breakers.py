"""Circuit breakers: a media host that fails for every download is left alone until the next sync (ADR 21).

A failure is an attempt that the host or the way to it ends: DNS, connection, TLS, time-out, 5xx, 408, 429, a firewall's
page, a connection cut off. A 400, 403 or 404 concerns one link, and counts neither as failure nor as success.
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx

from recall_pipeline.errors import MediaHostDown, TransferError
from recall_pipeline.http import connection_fault

FAILURES = 20
"""Failed attempts in a row, without a success from the same host, that open its breaker at once."""
FAILING_SECONDS = 60.0
"""Seconds from the first failed attempt in a row after which fewer open it: each time-out takes long."""
_FAILING_MP3S = 5  # a few MP3s that always fail do not show that the host is down
_PROBES = 3  # failed attempts, each of another MP3, that open the breaker again in the next sync
WORKING_BYTES = 64 * 1024
"""Bytes of one response that show that a host works, before its body is complete."""


@dataclass(slots=True)
class _Circuit:
    """State of one host: failed attempts in a row, when the first of them began, and the MP3s that they belong to."""

    worked_at: float = -math.inf
    failing_since: float = math.inf
    failures: int = 0
    failing: set[str] = field(default_factory=set)
    is_open: bool = False
    is_probed: bool = False
    last_fault: str = ""

    def add(self, mp3: str, fault: str, began_at: float, now: float) -> None:
        self.failures, self.last_fault = self.failures + 1, fault
        self.failing_since = min(self.failing_since, max(began_at, self.worked_at))
        self.failing.add(mp3)
        failures, mp3s = (_PROBES, _PROBES) if self.is_probed else (FAILURES, _FAILING_MP3S)
        is_failing = self.failures >= failures or now - self.failing_since >= FAILING_SECONDS
        self.is_open |= is_failing and len(self.failing) >= mp3s

    def reset(self, now: float) -> None:
        self.failures, self.is_probed, self.worked_at, self.failing_since = 0, False, now, math.inf
        self.failing.clear()


@dataclass(slots=True)
class HostBreakers:
    """The breakers of all media hosts of a run, by host. They outlive a step, so that its retry only probes."""

    clock: Callable[[], float] = time.monotonic
    _circuits: dict[str, _Circuit] = field(default_factory=dict, init=False)

    def begin(self) -> None:
        """Let downloads through again: the first of each host that was down are its probe."""
        for host, circuit in list(self._circuits.items()):
            self._circuits[host] = _Circuit(is_probed=circuit.is_open or circuit.is_probed)

    @contextlib.contextmanager
    def attempt(self, url: str, mp3: str) -> Iterator[None]:
        """Count the attempt to download `mp3` from `url` if it fails, for the host of `url`.

        Raises MediaHostDown, before anything is sent, if the breaker of the host is open.
        """
        host = _host_of(httpx.URL(url))
        circuit = self._circuits.setdefault(host, _Circuit())
        if circuit.is_open:
            raise _down(host, circuit)
        began_at = self.clock()
        try:
            yield
        except httpx.HTTPError as error:
            circuit.add(mp3, connection_fault(error, url, "")[0], began_at, self.clock())
            raise
        except TransferError as error:
            if error.is_host_fault:
                circuit.add(mp3, str(error), began_at, self.clock())
            raise

    def add_success(self, url: httpx.URL) -> None:
        """Count a completed body from the host of `url`, or a good part of one: the host works."""
        circuit = self._circuits.setdefault(_host_of(url), _Circuit())
        if not circuit.is_open:  # else the rest of the day was passed over already
            circuit.reset(self.clock())

    @property
    def failing(self) -> frozenset[str]:
        """The MP3s that failed since the last success of a host whose breaker is open."""
        return frozenset(mp3 for circuit in self._circuits.values() if circuit.is_open for mp3 in circuit.failing)


def _host_of(url: httpx.URL) -> str:
    """Return the host in lower case, with its port if it is not the default one."""
    return url.netloc.decode("ascii")


def _down(host: str, circuit: _Circuit) -> MediaHostDown:
    return MediaHostDown(
        f"the media host {host} fails for every download ({circuit.last_fault}): "
        "check the network and the host, or wait: the next sync continues"
    )
