"""A live trial of webhooks: `python -m recall_pipeline_tests.live.webhooks [--meetings 200]`, about ten minutes.

Starts the receiver and a real `dagster dev` on the sandbox, which sends its changes by signed webhooks, with six
hours between two polls. It prints for each step the condition and the time it took. It ends with status 1 if an
expected event is missing, or an unexpected one occurs.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

import httpx

from recall_pipeline.days import ONE_DAY, start_of
from recall_pipeline.settings import project_folder
from recall_pipeline.webhooks import EventStore
from recall_pipeline_tests.live.dagster_dev import DAY, Trial, dagster
from recall_sandbox import Sandbox, World
from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording, SandboxStatusChange
from recall_sandbox.speech import Speech
from recall_sandbox.webhooks import SECRET, DeliveryOptions, Webhooks

_PORT, _UI_PORT = 8255, 3255
_URL = f"http://127.0.0.1:{_PORT}/"
_SIX_HOURS = 6 * 3600
_DAYS = [DAY - back * ONE_DAY for back in range(4)]
_BURST = DeliveryOptions(duplicated=0.1, forged=0.1, disorder_seconds=5, time_scale=0.02)


def main() -> int:
    """Run the trial."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--meetings", type=int, default=200, help="in the burst; five events each")
    meetings = parser.parse_args().meetings
    world = World()
    with Sandbox(world).running() as sandbox:
        trial = Trial(
            Path(tempfile.mkdtemp(prefix="recall-webhooks-")),
            900,
            RECALL_API_URL=sandbox.api_url,
            RECALL_WEBHOOK_SECRET=SECRET,
            RECALL_SENSOR_INTERVAL_SECONDS=str(_SIX_HOURS),
        )
        with receiver(trial), dagster(trial, port=_UI_PORT):
            trial.quiet("an empty workspace asks for nothing", 3)
            one_event(trial, world)
            burst(trial, world, meetings)
        killed_receiver(trial, world)
        lost_events(trial, world)
    print(f"runs: {dict(Counter(trial.runs()))}")
    return 1 if trial.failed else 0


def one_event(trial: Trial, world: World) -> None:
    """One recording, from the event of its audio to the catalog."""
    with Webhooks(world, _URL).running():
        started = time.monotonic()
        world.add(*meeting("one", 0))
        trial.until("a recording is cataloged", lambda: trial.ready() == 1)
        seconds = time.monotonic() - started
    trial.say("within a minute of its event", f"{seconds:.0f} s", seconds < 60)


def burst(trial: Trial, world: World, meetings: int) -> None:
    """Many events at once: some duplicated, some forged, all out of order."""
    with Webhooks(world, _URL, options=_BURST).running() as webhooks:
        for number in range(meetings):
            world.add(*meeting(f"burst {number}", number))
        webhooks.wait_until_delivered(600)
    deliveries = webhooks.deliveries
    genuine, forged = [one for one in deliveries if not one.forged], [one for one in deliveries if one.forged]
    events = {one.event_id for one in genuine}
    print(f"     {len(events)} events, {len(genuine) - len(events)} more deliveries of these, {len(forged)} forged")
    trial.say("all genuine ones are taken", f"{len(events)}", {one.status for one in genuine if one.status} <= {204})
    trial.say("no forged one is", f"{len(forged)}", {one.status for one in forged} == {401})
    trial.until("the burst is cataloged", lambda: sum(map(trial.ready, _DAYS)) == meetings + 1)
    trial.until("all of it is heard", lambda: EventStore(trial.archive).pending_count() == 0)
    asked_for = {run.split()[0] for run in trial.runs()}
    trial.say("exactly the right days ran", f"{sorted(asked_for)}", asked_for == {day.isoformat() for day in _DAYS})
    trial.quiet("and nothing else runs", 3)


def killed_receiver(trial: Trial, world: World) -> None:
    """The receiver is killed while an event arrives, and restarted."""
    ready = trial.ready()
    with dagster(trial, port=_UI_PORT), Webhooks(world, _URL, options=DeliveryOptions(time_scale=0.05)).running():
        with receiver(trial) as process:
            process.kill()
            process.wait()
            world.add(*meeting("while it was down", 0))
            time.sleep(1)
        with receiver(trial):
            trial.until("what came while the receiver was dead is cataloged", lambda: trial.ready() == ready + 1)


def lost_events(trial: Trial, world: World) -> None:
    """A meeting without any event is found by the poll."""
    ready = trial.ready()
    world.add(*meeting("without an event", 0))
    trial.settings["RECALL_SENSOR_INTERVAL_SECONDS"] = "30"  # else it would take six hours
    with dagster(trial, port=_UI_PORT):
        trial.until("a meeting without an event is found by the sweep", lambda: trial.ready() == ready + 1)


@contextmanager
def receiver(trial: Trial) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `recall-pipeline webhooks` until the block ends."""
    program = [sys.executable, "-m", "recall_pipeline", "webhooks", "--port", str(_PORT)]
    environment = {**os.environ, "PYTHONPATH": str(project_folder()), **trial.environment()}
    with (trial.folder / "receiver.log").open("a") as log:
        running = subprocess.Popen(program, cwd=trial.folder, env=environment, stdout=log, stderr=log)  # noqa: S603
        try:
            trial.until("the receiver answers", is_healthy)
            yield running
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(timeout=60)


def is_healthy() -> bool:
    """Whether the receiver answers."""
    try:
        return httpx.get(f"{_URL}health", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def meeting(name: str, number: int) -> Iterator[SandboxBot | SandboxRecording | Artifact]:
    """Yield a finished meeting on one of four days, with three seconds of speech."""
    bot_id, recording_id, audio_id = (str(uuid5(NAMESPACE_OID, f"{kind} of {name}")) for kind in ("bot", "it", "mp3"))
    start = start_of(_DAYS[number % len(_DAYS)]) + timedelta(hours=9, seconds=number)
    end = start + timedelta(seconds=3)
    changes = [SandboxStatusChange(code, start) for code in ("joining_call", "in_call_recording", "done")]
    url = {"meeting_id": "1", "platform": "zoom"}
    yield SandboxBot(bot_id, "Archive Bot", "zoom", url, None, start, tuple(changes))
    yield SandboxRecording(recording_id, bot_id, start, start, end, end, shortcut_id=audio_id)
    yield Artifact(audio_id, recording_id, start, end, Speech(3))


if __name__ == "__main__":
    sys.exit(main())
