"""A host that runs commands, each with all its processes in namespaces that end together, as a machine does."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_NAMESPACES = ("unshare", "--net", "--uts", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc", "--time")
_AHEAD = "recall_pipeline_tests.live.hosts.ahead"


def can_have_hosts() -> bool:
    """Return whether namespaces can be created here."""
    try:
        return subprocess.run([*_NAMESPACES, "true"], check=False, capture_output=True).returncode == 0  # noqa: S603
    except OSError:
        return False


@dataclass
class Command:
    """A running command, and where its output goes."""

    process: "subprocess.Popen[bytes]"
    out: Path
    err: Path

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.process.poll() is not None

    def wait(self, seconds: float) -> int | None:
        """Return its status; None if it has not ended in time, and then kill it."""
        with suppress(subprocess.TimeoutExpired):
            return self.process.wait(seconds)
        self.kill()
        return None

    def text(self) -> str:
        """What it has printed so far, both outputs."""
        return self.out.read_text(errors="replace") + self.err.read_text(errors="replace")

    def signal(self, number: int) -> None:
        """Send a signal to all its processes."""
        with suppress(psutil.NoSuchProcess):
            first = psutil.Process(self.process.pid)
            for process in (*first.children(recursive=True), first):
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(number)

    def kill(self) -> None:
        """End all its processes at once, as if the power had failed."""
        self.signal(signal.SIGKILL)
        self.process.wait()


@dataclass
class Host:
    """A host name, a Dagster home, a staging folder, and clocks that are ahead by `clock_ahead_seconds`."""

    name: str
    folder: Path
    sockets: Path
    ports: Sequence[int]
    clock_ahead_seconds: int
    settings: Mapping[str, str]
    commands: list[Command] = field(default_factory=list)

    @property
    def spool(self) -> Path:
        """The staging folder."""
        return self.folder / "spool"

    def power_off(self) -> None:
        """Kill every command that still runs."""
        for command in self.commands:
            if not command.is_over:
                command.kill()

    def start(self, module: str, *arguments: str, **settings: str) -> Command:
        """Start a module of Python."""
        home = self.folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        number = len(self.commands)
        out, err = (self.folder / f"{number}.{kind}" for kind in ("out", "err"))
        ahead = f"{self.clock_ahead_seconds}"
        clocks = ("--monotonic", ahead, "--boottime", ahead)
        ports = ",".join(map(str, self.ports))
        forward = f"{sys.executable} -m recall_pipeline_tests.live.hosts.forwarding {self.sockets} {ports} --"
        shell = f'hostname {self.name} && ip link set lo up && exec {forward} "$@"'
        with out.open("wb") as to_out, err.open("wb") as to_err:
            process = subprocess.Popen(  # noqa: S603 -- of the trial
                [
                    *_NAMESPACES,
                    *clocks,
                    "sh",
                    "-c",
                    shell,
                    "sh",
                    sys.executable,
                    "-m",
                    _AHEAD,
                    ahead,
                    module,
                    *arguments,
                ],
                env={**_environment(), **self.settings, **settings, "DAGSTER_HOME": str(home)}
                | {"RECALL_SPOOL_DIR": str(self.spool)},
                stdin=subprocess.DEVNULL,
                stdout=to_out,
                stderr=to_err,
            )
        self.commands.append(Command(process, out, err))
        return self.commands[-1]


def socket_folder() -> Path:
    """Return a new folder with a short path, as the names of sockets must be."""
    return Path(tempfile.mkdtemp(prefix="hosts-"))


def _environment() -> dict[str, str]:
    hidden = ("RECALL_", "DAGSTER_", "AWS_")
    return {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
