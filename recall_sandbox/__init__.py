"""A Recall.ai on loopback that can misbehave on request; the demo, the tests and the docs run on it.

Belongs here: what the service says and does as docs/design/recall-api.md, sections 1 to 6 tell it, the meetings it
tells of, and every way in which it may fail. Does not belong here: anything that reads the archive or
knows how the pipeline works inside; this package imports nothing of it,
so that a mistake of the pipeline cannot hide behind the same mistake here.

Comes in: a `World` of bots, recordings and artifacts, and a fault plan. Goes out: two HTTP origins on
127.0.0.1 (the API and the storage that its download links point to), an access log of what was asked,
and the truth that a right archive must come to.

    world = demo_world(today)
    with Sandbox(world).running() as sandbox:
        ...  # sandbox.api_url, sandbox.api_key, sandbox.faults, sandbox.access_log, sandbox.world.truth()
"""

from recall_sandbox.access_log import Access, AccessLog
from recall_sandbox.demo import demo_world
from recall_sandbox.expected import ExpectedRow
from recall_sandbox.faults import FaultPlan, Rule
from recall_sandbox.server import PortTaken, Sandbox
from recall_sandbox.world import World

__all__ = [
    "Access",
    "AccessLog",
    "ExpectedRow",
    "FaultPlan",
    "PortTaken",
    "Rule",
    "Sandbox",
    "World",
    "demo_world",
]
