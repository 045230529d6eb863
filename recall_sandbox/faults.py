"""The fault plan: which requests go wrong, and how often; `effects` says in what way."""

import random
import re
from dataclasses import dataclass
from threading import Lock

from starlette.types import ASGIApp, Receive, Scope, Send

from recall_sandbox.access_log import Origin
from recall_sandbox.effects import Call, Effect


@dataclass(frozen=True, eq=False)
class Rule:
    """Let `effect` happen to requests of an origin, of a method, and of a path.

    `path` is a regular expression found anywhere in the path. The first `skip` matching requests pass,
    then `times` of them are struck (None: all that follow), each with this `probability`.
    """

    effect: Effect
    origin: Origin | None = None
    method: str | None = None
    path: str = ""
    skip: int = 0
    times: int | None = None
    probability: float = 1.0

    def matches(self, origin: Origin, method: str, path: str) -> bool:
        """Whether a request is one of those meant."""
        return (
            self.origin in (None, origin) and self.method in (None, method) and re.search(self.path, path) is not None
        )


@dataclass
class _Tally:
    seen: int = 0
    struck: int = 0


class FaultPlan:
    """Rules in the order in which they were added; the first that strikes a request is the only one.

    Rules may be added and removed from any thread while the sandbox serves. `seed` feeds the dice.
    """

    def __init__(self, seed: int = 0) -> None:
        self._lock = Lock()
        self._dice = random.Random(seed)  # noqa: S311 - dice, not secrets
        self._tallies: dict[Rule, _Tally] = {}

    def add(self, rule: Rule) -> Rule:
        """Add a rule; returns it, so that it can be removed."""
        with self._lock:
            self._tallies[rule] = _Tally()
        return rule

    def remove(self, rule: Rule) -> None:
        """Take a rule out; raises KeyError when it is not there."""
        with self._lock:
            del self._tallies[rule]

    def clear(self) -> None:
        """Take all rules out."""
        with self._lock:
            self._tallies.clear()

    def struck(self, rule: Rule) -> int:
        """How many requests a rule has struck."""
        with self._lock:
            return self._tallies[rule].struck

    def effect_on(self, origin: Origin, method: str, path: str) -> Effect | None:
        """What shall happen to a request; None for nothing."""
        with self._lock:
            for rule, tally in self._tallies.items():
                if rule.matches(origin, method, path) and self._strikes(rule, tally):
                    return rule.effect
        return None

    def _strikes(self, rule: Rule, tally: _Tally) -> bool:
        tally.seen += 1
        if tally.seen <= rule.skip or (rule.times is not None and tally.struck >= rule.times):
            return False
        if self._dice.random() >= rule.probability:
            return False
        tally.struck += 1
        return True


class Faults:
    """ASGI middleware that lets a plan's effects happen to one origin's requests."""

    def __init__(self, app: ASGIApp, origin: Origin, plan: FaultPlan) -> None:
        self._app = app
        self._origin: Origin = origin
        self._plan = plan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, well or badly."""
        effect = self._plan.effect_on(self._origin, scope["method"], scope["path"])
        if effect is None:
            await self._app(scope, receive, send)
        else:
            await effect.happen(Call(self._app, scope, receive, send))
