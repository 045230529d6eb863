"""A local mock of the Recall.ai API that can misbehave on request; the demo, the tests and the docs run on it.

Belongs here: what the service does by docs/design/recall-api.md, sections 1 to 8; the sample meetings; every fault
that a test may request. Does not belong here: code that reads the archive or depends on the pipeline. The sandbox
imports nothing from `recall_pipeline`, so the two cannot share a mistake
(docs/design/adr/0014-sandbox-independence.md).

Comes in: a `World` of bots, recordings and artifacts, and a fault plan. Goes out: two HTTP origins on 127.0.0.1 (the
API, and the storage that its download links point to), an access log of all requests, and the expected catalog rows.

    world = demo_world(today)
    with Sandbox(world).running() as sandbox:
        ...  # sandbox.api_url, sandbox.api_key, sandbox.faults, sandbox.access_log, sandbox.world.expected_rows()
"""

from recall_sandbox.access_log import Access, AccessLog
from recall_sandbox.behaviour import AS_SEEN_IN_2026
from recall_sandbox.demo import demo_world
from recall_sandbox.expected import ExpectedRow
from recall_sandbox.faults import FaultPlan, Rule
from recall_sandbox.like import NotAReport, read_report, switches_like
from recall_sandbox.server import PortTaken, Sandbox
from recall_sandbox.world import World

__all__ = [
    "AS_SEEN_IN_2026",
    "Access",
    "AccessLog",
    "ExpectedRow",
    "FaultPlan",
    "NotAReport",
    "PortTaken",
    "Rule",
    "Sandbox",
    "World",
    "demo_world",
    "read_report",
    "switches_like",
]
