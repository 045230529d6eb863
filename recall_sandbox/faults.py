"""The fault plan: which requests get a fault, and how often; `effects` defines the faults."""

import random
import re
from dataclasses import dataclass
from threading import Lock

from starlette.types import ASGIApp, Receive, Scope, Send

from recall_sandbox.access_log import Origin
from recall_sandbox.effects import Call, Effect


@dataclass(frozen=True, eq=False)
class Rule:
    """Apply `effect` to the requests that match an origin, a method and a path.

    `path` is a regular expression, searched anywhere in the path. The first `skip` matching requests are served
    normally. Then the effect applies to `times` requests (None: all that follow), each with this `probability`.
    """

    effect: Effect
    origin: Origin | None = None
    method: str | None = None
    path: str = ""
    skip: int = 0
    times: int | None = None
    probability: float = 1.0

    def matches(self, origin: Origin, method: str, path: str) -> bool:
        """Whether the rule is about this request."""
        return (
            self.origin in (None, origin) and self.method in (None, method) and re.search(self.path, path) is not None
        )


@dataclass
class _Counts:
    matched: int = 0
    applied: int = 0


class FaultPlan:
    """Rules in the order of their addition; only the first rule that applies to a request takes effect.

    Rules can be added and removed from any thread while the sandbox serves. `seed` seeds the probabilities.
    """

    def __init__(self, seed: int = 0) -> None:
        self._lock = Lock()
        self._random = random.Random(seed)  # noqa: S311 - not for secrets
        self._counts: dict[Rule, _Counts] = {}

    def add(self, rule: Rule) -> Rule:
        """Add a rule, and return it for `remove` and `applied`."""
        with self._lock:
            self._counts[rule] = _Counts()
        return rule

    def remove(self, rule: Rule) -> None:
        """Remove a rule; raises KeyError for a rule that is not in the plan."""
        with self._lock:
            del self._counts[rule]

    def clear(self) -> None:
        """Remove all rules."""
        with self._lock:
            self._counts.clear()

    def applied(self, rule: Rule) -> int:
        """The number of requests to which a rule was applied."""
        with self._lock:
            return self._counts[rule].applied

    def effect_on(self, origin: Origin, method: str, path: str) -> Effect | None:
        """The effect to apply to a request; None to serve it normally."""
        with self._lock:
            for rule, counts in self._counts.items():
                if rule.matches(origin, method, path) and self._applies(rule, counts):
                    return rule.effect
        return None

    def _applies(self, rule: Rule, counts: _Counts) -> bool:
        counts.matched += 1
        if counts.matched <= rule.skip or (rule.times is not None and counts.applied >= rule.times):
            return False
        if self._random.random() >= rule.probability:
            return False
        counts.applied += 1
        return True


class Faults:
    """ASGI middleware that applies a plan's effects to the requests of one origin."""

    def __init__(self, app: ASGIApp, origin: Origin, plan: FaultPlan) -> None:
        self._app = app
        self._origin: Origin = origin
        self._plan = plan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, with the effect that the plan has for it."""
        effect = self._plan.effect_on(self._origin, scope["method"], scope["path"])
        if effect is None:
            await self._app(scope, receive, send)
        else:
            await effect.apply(Call(self._app, scope, receive, send))
