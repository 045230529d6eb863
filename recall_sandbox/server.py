"""The sandbox server: two HTTP origins on loopback, served from a thread."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from recall_sandbox.access_log import AccessLog, LogAccess, Origin
from recall_sandbox.api import PREFIX, Api
from recall_sandbox.behaviour import Behaviour
from recall_sandbox.clock import Clock, system_now
from recall_sandbox.connection import HttpProtocol
from recall_sandbox.faults import FaultPlan, Faults
from recall_sandbox.like_answers import ApiAsReported, MediaAsReported
from recall_sandbox.links import Links
from recall_sandbox.media import Media
from recall_sandbox.middleware import RequestGuard
from recall_sandbox.world import World

HOST = "127.0.0.1"
API_KEY = "sandbox-key-of-nobody"


class PortTaken(Exception):
    """Another program already listens on a requested port."""


class Sandbox:
    """A mock of the Recall.ai API that serves `world`; port 0 takes any free port.

    `switches` are the fields of `Behaviour`; `sandbox.behaviour` can be changed later. Limits, links, new bots
    and the log use `clock`. `fault_seed` seeds `sandbox.faults`. The two URLs are set while it runs.
    """

    api_url: str
    media_url: str

    def __init__(
        self,
        world: World,
        *,
        api_port: int = 0,
        media_port: int = 0,
        api_key: str = API_KEY,
        clock: Clock = system_now,
        fault_seed: int = 0,
        **switches: Any,
    ) -> None:
        self.world = world
        self.api_key = api_key
        self.behaviour = Behaviour(**switches)
        self.access_log = AccessLog(clock)
        self.faults = FaultPlan(fault_seed)
        self._clock = clock
        self._ports = (api_port, media_port)

    @contextmanager
    def running(self) -> Iterator["Sandbox"]:
        """Serve until the block ends; raises PortTaken when a port is in use."""
        with _open_socket(self._ports[0]) as api, _open_socket(self._ports[1]) as media:
            self.api_url = f"{_url(api)}{PREFIX}"
            self.media_url = _url(media)
            links = Links(self.media_url)
            servers = {_server(self._api_app(links)): api, _server(self._media_app(links)): media}
            thread = threading.Thread(target=lambda: asyncio.run(_serve_app(servers)), name="sandbox")
            thread.start()
            try:
                yield self
            finally:
                for server in servers:
                    server.should_exit = True
                thread.join()

    def serve_forever(self, announce: Callable[["Sandbox"], object]) -> None:
        """Serve until interrupted; `announce` is called once, when the URLs are set."""
        with self.running():
            announce(self)
            threading.Event().wait()

    def _api_app(self, links: Links) -> ASGIApp:
        api = Api(self.world, self.behaviour, links, self._clock)
        return self._instrumented(RequestGuard(ApiAsReported(api.app(), self.behaviour), self.api_key), "api")

    def _media_app(self, links: Links) -> ASGIApp:
        media = Media(self.world, links, self._clock)
        return self._instrumented(MediaAsReported(media.app(), self.behaviour), "media")

    def _instrumented(self, app: ASGIApp, origin: Origin) -> ASGIApp:
        return LogAccess(Faults(app, origin, self.faults), origin, self.access_log)


class _Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn passes it
        """Stop at once; answers that are in progress, also stalled ones, are aborted."""
        for server in self.servers:
            server.close()
        for connection in self.server_state.connections:
            connection.transport.abort()
        for task in self.server_state.tasks:
            task.cancel()


def _server(app: ASGIApp) -> _Server:
    config = uvicorn.Config(
        app,
        http=HttpProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",  # LogAccess logs what fails
        access_log=False,
    )
    return _Server(config)


async def _serve_app(servers: dict[_Server, socket.socket]) -> None:
    serving = (server.serve(sockets=[listener]) for server, listener in servers.items())
    await asyncio.gather(*serving)


def _open_socket(port: int) -> socket.socket:
    # asyncio sets TCP_NODELAY only if the protocol is given; without it an answer takes 40 ms longer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise PortTaken(
            f"The sandbox cannot listen on {HOST}:{port} ({error.strerror}): choose another --port."
        ) from error
    return listener


def _url(listener: socket.socket) -> str:
    return f"http://{HOST}:{listener.getsockname()[1]}"
