"""Whatever the API answers, the report holds no value of it: a small part of `recall_pipeline_tests.chaos.canaries`."""

import os

from hypothesis import HealthCheck, given
from hypothesis import settings as examples

from recall_pipeline_tests.chaos.canaries import probed
from recall_pipeline_tests.chaos.payloads import Workspace, workspaces

_EXAMPLES = int(os.environ.get("PROBE_EXAMPLES", "200"))  # 10,000 were run once: chaos/canaries.py


@examples(max_examples=_EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=[*HealthCheck])
@given(workspaces())
def test_no_canary_of_a_value_key_header_or_url_reaches_the_report(workspace: Workspace) -> None:
    report = probed(workspace)
    assert report.requests > 0
    assert report.dialect
