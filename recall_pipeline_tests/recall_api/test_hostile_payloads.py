"""Whatever the API says of a day: a small part of what `recall_pipeline_tests.chaos.fuzz_api` tries at night."""

from hypothesis import HealthCheck, given
from hypothesis import settings as examples

from recall_pipeline_tests.chaos.fuzz_api import borne
from recall_pipeline_tests.chaos.payloads import Workspace, workspaces


@examples(max_examples=200, deadline=None, derandomize=True, database=None, suppress_health_check=[*HealthCheck])
@given(workspaces())
def test_only_errors_of_this_project_come_out_and_no_bad_row_costs_a_good_one(workspace: Workspace) -> None:
    assert borne(workspace) in ("taken in", "refused with RecallProtocolError")
