"""A process under trial: in its own process group, with a time limit."""

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Printed by Python's resource tracker after its predecessor was killed; no code can catch it.
_RESOURCE_TRACKER = re.compile(
    r"Traceback [^\n]*\n  File [^\n]*/multiprocessing/resource_tracker\.py[^\n]*\n.*\nKeyError.*\n"
)


@dataclass(frozen=True)
class Ended:
    """The result of a process; `status` is None if it exceeded the time limit and was killed."""

    status: int | None
    out: str
    err: str
    seconds: float

    @property
    def has_traceback(self) -> bool:
        """Whether a traceback was printed to the user."""
        return "Traceback (most recent call last)" in _RESOURCE_TRACKER.sub("", self.out + self.err)


class Running:
    """A running process in its own group; its output goes to two files."""

    def __init__(self, program: Sequence[str], environment: Mapping[str, str], output: Path) -> None:
        self._outputs = output.with_suffix(".out"), output.with_suffix(".err")
        self._started = time.monotonic()
        with self._outputs[0].open("wb") as out, self._outputs[1].open("wb") as err:
            self._process = subprocess.Popen(  # noqa: S603 -- this interpreter
                program, stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=environment, start_new_session=True
            )

    @property
    def pid(self) -> int:
        """The id of the process and of its group."""
        return self._process.pid

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def wait(self, bound_seconds: float) -> Ended:
        """Wait for its end, and kill its group then, or after `bound_seconds`."""
        try:
            status: int | None = self._process.wait(bound_seconds)
        except subprocess.TimeoutExpired:
            status = None
        self.kill()
        out, err = (path.read_text(errors="replace") for path in self._outputs)
        return Ended(status, out, err, time.monotonic() - self._started)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process alone."""
        if not self.is_over:
            self._process.send_signal(number)

    def kill(self) -> None:
        """Kill all processes of the group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def outliving(self, bound_seconds: float) -> list[int]:
        """Return the ids of the group's processes that still run after `bound_seconds`."""
        give_up_at = time.monotonic() + bound_seconds
        while (left := self.processes()) and time.monotonic() < give_up_at:
            time.sleep(0.05)
        return left

    def processes(self) -> list[int]:
        """Return the ids of the group's processes, itself included."""
        return [pid for pid, _, group in _processes() if group == self.pid]


def workers_of(pid: int) -> list[int]:
    """Return the ids of the worker processes that a process has started."""
    return [child for child, parent, _ in _processes() if parent == pid and b"spawn_main" in _command(child)]


def _processes() -> list[tuple[int, int, int]]:
    """Return (id, parent's id, group) of every running process."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if fields[0] != "Z":
                found.append((int(folder.name), int(fields[1]), int(fields[2])))
    return found


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
