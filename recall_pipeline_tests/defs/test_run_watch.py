"""A run that was ended from outside stops, also in a worker that cannot be terminated."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import os, signal, threading, time
import dagster as dg
from recall_pipeline.defs import run_watch

run_watch._EVERY_SECONDS = 0.5
ENDED_BY = {
    "terminated in the UI": lambda context: context.instance.report_run_canceling(context.run),
    "too long": lambda context: context.instance.report_run_failed(context.run, "too long"),
    "SIGTERM": lambda context: os.kill(os.getpid(), signal.SIGTERM),
}

@dg.resource
def watched(context):
    with run_watch.interrupted_when_ended(context.instance, context.run.run_id):
        yield

@dg.op(required_resource_keys={"watched"}, config_schema=str)
def endless(context):
    ENDED_BY[context.op_config](context)
    give_up_at = time.monotonic() + 60
    while time.monotonic() < give_up_at:
        time.sleep(0.01)
    os._exit(7)

@dg.job(resource_defs={"watched": watched}, executor_def=dg.in_process_executor)
def job():
    endless()

again = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: again.set())
with dg.DagsterInstance.local_temp() as instance:
    for way in ENDED_BY:
        try:
            config = {"ops": {"endless": {"config": way}}}
            job.execute_in_process(config, instance=instance, raise_on_error=False)
        except dg.DagsterExecutionInterruptedError:
            pass
        print(way, instance.get_runs(limit=1)[0].status.value, sep=": ")
    try:
        print("again" if again.wait(60) else "never again", flush=True)
    except KeyboardInterrupt:  # Dagster leaves SIGTERM with the handler of SIGINT
        print("again", flush=True)
    os._exit(0)
"""


def test_a_run_that_was_ended_from_outside_stops_by_itself(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    ended = subprocess.run(  # noqa: S603
        [sys.executable, str(program)], capture_output=True, text=True, check=False, timeout=180, cwd=tmp_path
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert ended.stdout.splitlines() == [
        "terminated in the UI: CANCELED",
        "too long: FAILURE",
        "SIGTERM: FAILURE",
        "again",
    ]
