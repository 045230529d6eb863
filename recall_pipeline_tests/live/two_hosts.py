"""Two hosts, one bucket, one coordination server: `python -m recall_pipeline_tests.live.two_hosts redis [--kills 50]`.

Each host has namespaces of its own for network, processes, host name and time; the clocks of one are 30 s ahead. It
needs Linux, root and the wheels of the test group, and takes some 15 minutes, in four parts:

1. One syncs some days, then both sync them at once into another bucket: no MP3 is downloaded twice, no file is
   normalized twice. `--talks 250` makes it a thousand recordings.
2. Walks and short looks of both use the budget for some minutes; meanwhile the server is killed and started again.
3. Syncs of both are killed at random moments while recordings are erased and the server is killed and started again.
4. A host is stopped in the middle of a download; the other completes the day, and erases; the first one continues.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from recall_pipeline.catalog import CATALOG
from recall_pipeline.days import start_of, utc_now
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, open_archive
from recall_pipeline_tests.coordination_servers import RunningServer, running_postgres, running_redis
from recall_pipeline_tests.live.hosts.forwarding import serve_sockets
from recall_pipeline_tests.live.hosts.host import Command, Host, can_have_hosts, socket_folder
from recall_pipeline_tests.s3_server import S3Server, running_s3
from recall_pipeline_tests.workspace import an_id, talk
from recall_sandbox import Rule, Sandbox, World
from recall_sandbox.effects import Trickle
from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording, SandboxStatusChange

_DAYS = 4
_LIMIT_SECONDS = 60
_LIST_RPM = 50
_BOUND_SECONDS = 900.0
_STOP_SECONDS = 120.0
_SLOWLY = Rule(Trickle(chunk_bytes=2_000, pause_seconds=0.5), origin="media")


@dataclass
class Trial:
    """The hosts, what they share, and every fault that was found."""

    sandbox: Sandbox
    s3: S3Server
    server: RunningServer
    hosts: list[Host]
    days: list[date]
    talks: int
    rng: random.Random
    bucket: str = ""
    wrong: list[str] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)

    def expect(self, is_so: bool, fault: str) -> None:
        """Note a fault."""
        if not is_so:
            self.wrong.append(fault)
            print(f"WRONG: {fault}", flush=True)

    @property
    def archive(self) -> Archive:
        """The archive of the present bucket, opened without a coordination server."""
        return open_archive(Settings(storage_url=f"s3://{self.bucket}/archive"))

    def new_bucket(self) -> None:
        """Begin with an empty archive."""
        self.bucket = self.s3.new_bucket()

    def run(self, host: Host, *arguments: str, **settings: str) -> Command:
        """Start a command of the product on a host."""
        storage = {"RECALL_STORAGE_URL": f"s3://{self.bucket}/archive"}
        return host.start("recall_pipeline", *arguments, **storage, **settings)

    def load(self, host: Host, seconds: float, *, looks: bool) -> Command:
        """Start what uses the budget."""
        program = "recall_pipeline_tests.live.hosts.load"
        return host.start(program, f"{seconds}", f"{looks:d}", RECALL_LIST_RPM=f"{_LIST_RPM}")


def main() -> int:
    """Run the parts, print numbers and faults, and return 1 for any fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server", choices=("redis", "postgresql"))
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--parts", default="1234")
    parser.add_argument("--talks", type=int, default=3, help="of each of the four days")
    options = parser.parse_args()
    if not can_have_hosts():
        print("namespaces cannot be created here: run it as root on Linux")
        return 2
    with _trial(options.server, options.seed, options.talks) as trial:
        parts = {"1": same_days, "2": whole_budget, "3": lambda t: kills(t, options.kills), "4": stopped_holder}
        for name, part in parts.items():
            if name in options.parts:
                began = time.monotonic()
                part(trial)
                trial.numbers[f"seconds of part {name}"] = round(time.monotonic() - began)
                print(json.dumps(trial.numbers), flush=True)
        print(json.dumps({"server": options.server, **trial.numbers, "wrong": trial.wrong}, indent=1))
        return int(bool(trial.wrong))


@contextmanager
def _trial(kind: str, seed: int, talks: int) -> Iterator[Trial]:
    days = [utc_now().date() - timedelta(days=number) for number in range(_DAYS + 1, 1, -1)]
    running = {"redis": running_redis, "postgresql": running_postgres}[kind]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="two-hosts-")))
        sandbox = stack.enter_context(
            Sandbox(_world(days, talks), list_per_minute=None, object_per_minute=None).running()
        )
        (folder / "s3").mkdir()
        s3 = stack.enter_context(running_s3(folder / "s3"))
        server = stack.enter_context(running())
        sockets = socket_folder()
        stack.callback(shutil.rmtree, sockets)
        ports = [_port(sandbox.api_url), _port(sandbox.media_url), _port(s3.url), server.port]
        threading.Thread(target=lambda: asyncio.run(serve_sockets(sockets, ports)), daemon=True).start()
        settings = {
            **s3.environment,
            "RECALL_API_URL": sandbox.api_url,
            "RECALL_API_KEY": sandbox.api_key,
            "RECALL_COORDINATION_URL": server.url.get_secret_value(),
            "RECALL_START_DATE": f"{days[0]}",
            "RECALL_WORKERS": "1",
        }
        hosts = [Host(name, folder / name, sockets, ports, 30 * n, settings) for n, name in enumerate(("one", "two"))]
        for host in hosts:
            stack.callback(host.power_off)
        os.environ.update(s3.environment)
        yield Trial(sandbox, s3, server, hosts, days, talks, random.Random(seed))  # noqa: S311 -- not for secrets


def _world(days: list[date], talks: int) -> World:
    world = World()
    for number, day in enumerate(day for day in days for _ in range(talks)):
        _add_talk(world, day, number)
    return world


def _add_talk(world: World, day: date, number: int) -> None:
    start = start_of(day) + timedelta(hours=9, minutes=number % 600)
    end = start + timedelta(seconds=6)
    bot, recording, audio = (an_id(f"{kind} {number}") for kind in ("bot", "recording", "mp3"))
    world.add(SandboxBot(bot, f"Bot {number}", "zoom", None, None, start, (SandboxStatusChange("done", end),)))
    world.add(SandboxRecording(recording, bot, start, start, end, end))
    world.add(Artifact(audio, recording, start, end, talk(number)))


def _port(url: str) -> int:
    return int(url.split("/")[2].rpartition(":")[2])


def same_days(trial: Trial) -> None:
    """Part 1: one host syncs the days, and into another bucket both hosts at once."""
    trial.numbers |= {"one host": _sync_at_once(trial, trial.hosts[:1]), "both": _sync_at_once(trial, trial.hosts)}


def _sync_at_once(trial: Trial, hosts: Sequence[Host]) -> dict[str, Any]:
    """Sync all days on `hosts` at once; return what each host did, requests, wall time and peak memory."""
    trial.new_bucket()
    trial.sandbox.access_log.clear()
    wanted, began = _DAYS * trial.talks, time.monotonic()
    first, last = f"{trial.days[0]}", f"{trial.days[-1]}"
    running = [trial.run(host, "sync", "--from", first, "--to", last, "--json") for host in hosts]
    statuses = [command.wait(_BOUND_SECONDS) for command in running]
    numbers: dict[str, Any] = {"wall seconds": round(time.monotonic() - began)}
    trial.expect(not any(statuses), f"syncs ended with {statuses}: {[command.text()[-600:] for command in running]}")
    results = [
        json.loads(command.out.read_text().splitlines()[-1]) for command in running if not command.process.poll()
    ]
    for name in ("downloaded", "normalized"):
        done = [result[name] for result in results]
        numbers[f"{name} by each"] = done
        trial.expect(sum(done) == wanted, f"{name} {done} instead of {wanted} together")
    trial.expect(_ready(trial) == wanted, f"{_ready(trial)} recordings are ready")
    requests = trial.sandbox.access_log.only
    numbers |= {"API requests": len(requests(origin="api")), "MP3 requests": len(requests(origin="media"))}
    return numbers | {"peak MiB of each": [int(command.err.read_text().split()[-1]) for command in running]}


def whole_budget(trial: Trial) -> None:
    """Part 2: walks and looks of both hosts, and a server that is killed and started again."""
    trial.sandbox.access_log.clear()
    seconds = 300.0
    running = [trial.load(host, seconds, looks=looks) for host in trial.hosts for looks in (False, True)]
    time.sleep(seconds * 0.55)
    trial.server.kill()
    killed_at = utc_now().timestamp()
    time.sleep(5)
    trial.server.start()
    statuses = [command.wait(_BOUND_SECONDS) for command in running]
    trial.expect(statuses == [0] * 4, f"loads ended with {statuses}: {[command.text()[-300:] for command in running]}")
    all_used = _moments(trial, r"/recording/$")
    most = _most_in_a_minute(all_used)
    share = _share_used([moment for moment in all_used if moment < killed_at])
    trial.numbers |= {"limit": _LIST_RPM, "most requests in any 60 s": most, "share of the limit used": round(share, 3)}
    trial.numbers["requests in all, with a restart"] = len(all_used)
    trial.expect(most <= _LIST_RPM, f"{most} requests in 60 s")
    trial.expect(share >= 0.95, f"only {share:.3f} of the limit is used")


def kills(trial: Trial, times: int) -> None:
    """Part 3: random days on both hosts, killed at random moments, beside erasures and restarts of the server."""
    trial.new_bucket()
    trial.sandbox.access_log.clear()
    first = trial.run(trial.hosts[0], "sync", "--from", f"{trial.days[0]}", "--to", f"{trial.days[-1]}")
    trial.expect(first.wait(_BOUND_SECONDS) == 0, f"the first sync: {first.text()[-600:]}")
    erased: list[str] = []
    moments: Counter[str] = Counter()
    running = {host.name: _sync_one(trial, host) for host in trial.hosts}
    restarts = 0
    while moments["killed within a day"] < times:
        host = trial.rng.choice(trial.hosts)
        command = running[host.name]
        began = _wait_until(lambda: command.is_over or any(host.spool.glob("*.lock")))  # noqa: B023 -- called at once
        time.sleep(trial.rng.uniform(0, 5))
        if not command.is_over and began:
            command.kill()
            moments["killed within a day"] += 1
        else:
            moments[f"ended with status {command.process.returncode}"] += 1
            trial.expect(command.process.returncode in (0, 1), f"{host.name}: {command.text()[-800:]}")
        killed = moments["killed within a day"]
        if killed >= 10 * (len(erased) + 1):
            erased.append(an_id(f"recording {len(erased) * 2}"))
            running[host.name] = _forget(trial, host, erased[-1])
        else:
            running[host.name] = _sync_one(trial, host)
        if killed > (restarts + 1) * times / 4:
            restarts += 1
            trial.server.kill()
            time.sleep(trial.rng.uniform(0, 6))
            trial.server.start()
    for command in running.values():
        command.wait(_BOUND_SECONDS)
    trial.numbers |= {"moments": dict(moments), "restarts of the server": restarts}
    print(json.dumps(trial.numbers), flush=True)
    _finish(trial, erased)
    most = max(_most_in_a_minute(_moments(trial, rf"/{kind}/$")) for kind in ("bot", "recording", "audio_mixed"))
    trial.numbers["most list requests in any 60 s of the kills"] = most
    trial.expect(most <= _LIST_RPM, f"{most} list requests in 60 s")


def _wait_until(happened: Callable[[], bool]) -> bool:
    give_up_at = time.monotonic() + _BOUND_SECONDS
    while not happened():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.1)
    return True


def _sync_one(trial: Trial, host: Host) -> Command:
    """Sync a day that has one more meeting than before."""
    day = trial.rng.choice(trial.days)
    _add_talk(trial.sandbox.world, day, len(trial.sandbox.world.recordings))
    return trial.run(host, "sync", "--to", f"{day}")


def _forget(trial: Trial, host: Host, recording_id: str) -> Command:
    return trial.run(host, "forget", "--recording", recording_id, "--reason", "trial", "--yes")


def _finish(trial: Trial, erased: list[str]) -> None:
    """Complete the erasures and every day, then look for what is left of the erased, in the bucket and on each host."""
    for recording_id in erased:
        command = _forget(trial, trial.hosts[0], recording_id)
        trial.expect(command.wait(_BOUND_SECONDS) == 0, f"forget: {command.text()[-600:]}")
    for host in trial.hosts:
        last = trial.run(host, "sync", "--from", f"{trial.days[0]}", "--to", f"{trial.days[-1]}", "--json")
        trial.expect(last.wait(_BOUND_SECONDS) == 0, f"the last sync of {host.name}: {last.text()[-600:]}")
    again = json.loads(last.out.read_text().splitlines()[-1])
    trial.expect(not again["downloaded"] and not again["normalized"], f"the last sync did {again}")
    ready, wanted = _ready(trial), len(trial.sandbox.world.recordings) - len(erased)
    trial.expect(ready == wanted, f"{ready} recordings are ready instead of {wanted}")
    verify = trial.run(trial.hosts[1], "verify")
    trial.expect(verify.wait(_BOUND_SECONDS) == 0, f"verify: {verify.text()[-800:]}")
    left = [key for key in trial.archive.sizes_below("") if any(name in key for name in erased)]
    audio = {an_id(f"mp3 {number * 2}") for number in range(len(erased))}
    left += [f"{path}" for host in trial.hosts for path in host.spool.rglob("*") if path.name[:36] in audio]
    trial.numbers |= {"erased": len(erased), "left of the erased": left}
    trial.expect(not left, f"left of the erased: {left}")


def stopped_holder(trial: Trial) -> None:
    """Part 4: one host is stopped for two minutes within a day."""
    trial.new_bucket()
    one, two = trial.hosts
    day, recording_id = f"{trial.days[0]}", an_id("recording 0")
    trial.sandbox.faults.add(_SLOWLY)
    stopped = trial.run(one, "sync", "--to", day)
    applied = trial.sandbox.faults.applied(_SLOWLY)
    while trial.sandbox.faults.applied(_SLOWLY) == applied and not stopped.is_over:
        time.sleep(0.2)
    time.sleep(2)
    stopped.signal(signal.SIGSTOP)
    stopped_at = time.monotonic()
    trial.sandbox.faults.clear()
    other = trial.run(two, "sync", "--to", day)
    trial.expect(other.wait(_BOUND_SECONDS) == 0, f"the other host: {other.text()[-600:]}")
    trial.numbers["seconds until another host had done the day of the stopped one"] = round(
        time.monotonic() - stopped_at
    )
    trial.numbers["the waiting host says"] = [line for line in other.text().splitlines() if "waiting" in line][:1]
    erase = _forget(trial, two, recording_id)
    trial.expect(erase.wait(_BOUND_SECONDS) == 0, f"forget: {erase.text()[-600:]}")
    before = trial.archive.sizes_below("")
    time.sleep(max(0.0, _STOP_SECONDS - (time.monotonic() - stopped_at)))
    stopped.signal(signal.SIGCONT)
    status = stopped.wait(_BOUND_SECONDS)
    after = trial.archive.sizes_below("")
    trial.expect(status == 1 and "is lost" in stopped.text(), f"status {status}: {stopped.text()[-800:]}")
    trial.expect(before == after, f"published after the other host took over: {sorted(set(after) ^ set(before))}")
    trial.numbers["the stopped host says"] = [line for line in stopped.text().splitlines() if "is lost" in line][:1]
    last = trial.run(one, "sync", "--to", day)
    trial.expect(last.wait(_BOUND_SECONDS) == 0, f"a last sync: {last.text()[-600:]}")
    left = [key for key in trial.archive.sizes_below("") if recording_id in key]
    left += [f"{path}" for host in trial.hosts for path in host.spool.rglob("*") if path.name[:36] == an_id("mp3 0")]
    trial.expect(not left, f"left of the erased: {left}")


def _ready(trial: Trial) -> int:
    rows = [row for day in trial.days for row in CATALOG.read(trial.archive, day) or []]
    return sum(row.outcome == "ready" for row in rows)


def _moments(trial: Trial, path: str) -> list[float]:
    return sorted(access.at.timestamp() for access in trial.sandbox.access_log.only(origin="api", path=path))


def _share_used(moments: list[float]) -> float:
    """Return the share of the limit that is used: how soon each request is followed by as many as the limit allows.

    A count of whole windows would depend on their phase, because a budget that is used up is used in bursts.
    """
    spans = [later - earlier for earlier, later in zip(moments, moments[_LIST_RPM:], strict=False)]
    return _LIMIT_SECONDS * len(spans) / sum(spans)


def _most_in_a_minute(moments: list[float]) -> int:
    most, begin = 0, 0
    for end, moment in enumerate(moments):
        while moments[begin] <= moment - _LIMIT_SECONDS:
            begin += 1
        most = max(most, end - begin + 1)
    return most


if __name__ == "__main__":
    sys.exit(main())
