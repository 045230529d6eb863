"""A run that Dagster has ended stops, also in a worker that cannot be terminated from outside."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

PROGRAM = """
    import os, time
    import dagster as dg
    from recall_pipeline.defs import run_watch
    run_watch._EVERY_SECONDS = 0.1

    @dg.op
    def endless(context):
        context.instance.{ended_by}
        give_up_at = time.monotonic() + 60
        while time.monotonic() < give_up_at:
            time.sleep(0.01)
        os._exit(7)

    @dg.resource
    def watched(context):
        with run_watch.interrupted_when_ended(context.instance, context.run.run_id):
            yield

    @dg.job(resource_defs={{"watched": watched}}, executor_def=dg.in_process_executor)
    def job():
        dg.op(name="endless", required_resource_keys={{"watched"}})(endless.compute_fn.decorated_fn)()

    if __name__ == "__main__":
        with dg.DagsterInstance.local_temp() as instance:
            run_id = None
            try:
                run_id = job.execute_in_process(instance=instance, raise_on_error=False).run_id
            except dg.DagsterExecutionInterruptedError:
                pass
            print("ended", instance.get_runs()[0].status.value)
"""


@pytest.mark.parametrize(
    "ended_by", ["report_run_canceling(context.run)", "report_run_failed(context.run, 'too long')"]
)
def test_a_run_that_dagster_has_ended_stops_by_itself(ended_by: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM).format(ended_by=ended_by))
    ended = subprocess.run(  # noqa: S603
        [sys.executable, str(program)], capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert ended.stdout.strip() in ("ended CANCELED", "ended FAILURE")
