"""A company's network: a forward proxy that resolves every name itself, and a host with a private certificate."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any
from urllib.parse import urlsplit

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class ForwardProxy:
    """A proxy at `url`; `hosts` maps the names it knows to ports on loopback, `seen` holds the first line of requests.

    With `refusal`, a status line, it answers only that.
    """

    hosts: Mapping[str, int]
    refusal: str | None = None
    url: str = ""
    seen: list[str] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator["ForwardProxy"]:
        """Serve until the block ends."""
        proxy = self

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    proxy.answer(self)

        with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server, _in_a_thread(server):
            self.url = f"http://127.0.0.1:{server.server_address[1]}"
            yield self

    def answer(self, client: StreamRequestHandler) -> None:
        """Answer one request, and relay bytes until both sides have ended."""
        head = [client.rfile.readline().decode("latin-1")]
        while head[-1].strip():
            head.append(client.rfile.readline().decode("latin-1"))
        self.seen.append(head[0].strip())
        method, target, version = head[0].split()
        if self.refusal:
            client.wfile.write(f"HTTP/1.1 {self.refusal}\r\nContent-Length: 0\r\n\r\n".encode())
            return
        host = target.partition(":")[0] if method == "CONNECT" else str(urlsplit(target).hostname)
        with socket.create_connection(("127.0.0.1", self.hosts[host])) as inner:
            if method == "CONNECT":
                client.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                path = f"/{target.split('/', 3)[3]}"
                first = f"{method} {path} {version}\r\nConnection: close\r\n"
                inner.sendall((first + "".join(head[1:])).encode("latin-1"))
            _relay(client.connection, inner)


def _relay(client: socket.socket, inner: socket.socket) -> None:
    outward = threading.Thread(target=_copy, args=(client, inner))
    outward.start()
    _copy(inner, client)
    outward.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def tls_host(behind: str, tls: ssl.SSLContext) -> Iterator[int]:
    """Serve `behind`, a URL, over TLS on loopback, and give the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = httpx.get(f"{behind}{self.path}", headers=dict(self.headers.items()), trust_env=False)
            self.send_response(answer.status_code)
            for name in ("content-type", "content-range", "etag", "retry-after"):
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002 -- http.server's signature
            return

    class Server(ThreadingHTTPServer):
        def finish_request(self, request: Any, client_address: Any) -> None:
            with contextlib.suppress(OSError), tls.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)

    with Server(("127.0.0.1", 0), Handler) as server, _in_a_thread(server):
        yield server.server_port


@contextmanager
def _in_a_thread(server: ThreadingTCPServer | ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def company_certificates(folder: Path, host: str) -> tuple[Path, ssl.SSLContext]:
    """Return the file of a root certificate, and a server's TLS context for `host` that it vouches for."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    root, private = folder / "root.pem", folder / "key.pem"
    root.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(root, private)
    return root, context
