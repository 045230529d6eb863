"""Every client connects by the same rule, or a wrong variable of the environment is named in one line."""

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from recall_pipeline.errors import SettingsError
from recall_pipeline.http import async_client, connection_fault, sync_client
from recall_pipeline_tests.forward_proxy import ForwardProxy, company_certificates, tls_host
from recall_pipeline_tests.open_files import no_more_files
from recall_sandbox import Sandbox

HOST = "recall.invalid"
Get = Callable[[str], int]


async def _get(url: str) -> int:
    async with async_client(url) as http:
        return (await http.get(url)).status_code


def get_with_async_client(url: str) -> int:
    """Request `url` as the API's and the media host's clients do."""
    return asyncio.run(_get(url))


def get_with_sync_client(url: str) -> int:
    """Request `url` as the client for alerts does."""
    with sync_client(url) as http:
        return http.get(url).status_code


@pytest.fixture(params=[get_with_async_client, get_with_sync_client])
def get(request: pytest.FixtureRequest) -> Get:
    function: Get = request.param
    return function


@pytest.fixture
def company(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ForwardProxy, Path]]:
    """A network whose only way out is a proxy, with the sandbox as https://recall.invalid and its root certificate."""
    root, tls = company_certificates(tmp_path, HOST)
    with tls_host(sandbox.api_url.removesuffix("/api/v1"), tls) as port, ForwardProxy({HOST: port}).running() as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        yield proxy, root


def test_a_name_that_only_the_proxy_resolves_is_reached(
    company: tuple[ForwardProxy, Path], get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, root = company
    monkeypatch.setenv("SSL_CERT_FILE", str(root))
    assert get(f"https://{HOST}/api/v1/bot/") == httpx.codes.UNAUTHORIZED
    assert proxy.seen == [f"CONNECT {HOST}:443 HTTP/1.1"]


def test_a_folder_of_hashed_certificates_is_trusted(
    company: tuple[ForwardProxy, Path], get: Get, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "certs"
    folder.mkdir()
    (folder / "root.pem").write_bytes(company[1].read_bytes())
    if subprocess.run(["openssl", "rehash", str(folder)], check=False).returncode:  # noqa: S603, S607
        pytest.skip("openssl cannot rehash a folder here")
    monkeypatch.setenv("SSL_CERT_DIR", f"{tmp_path}{os.pathsep}{folder}")
    assert get(f"https://{HOST}/api/v1/bot/") == httpx.codes.UNAUTHORIZED


def test_a_certificate_that_is_not_trusted_names_the_variable(company: tuple[ForwardProxy, Path], get: Get) -> None:
    url = f"https://{HOST}/api/v1/bot/"
    with pytest.raises(httpx.ConnectError) as raised:
        get(url)
    assert connection_fault(raised.value, url, "")[1].startswith("set SSL_CERT_FILE to a file")


@pytest.mark.parametrize("refusal", ["407 Proxy Authentication Required", "403 Forbidden", "502 Bad Gateway"])
def test_a_proxy_that_refuses_is_named_by_its_variable(
    company: tuple[ForwardProxy, Path], get: Get, refusal: str
) -> None:
    company[0].refusal = refusal
    url = f"https://{HOST}/api/v1/bot/?Signature=secret"
    with pytest.raises(httpx.ProxyError) as raised:
        get(url)
    reason, action = connection_fault(raised.value, url, "check the network")
    assert reason == f"{refusal}, through the proxy of https_proxy"
    assert action == "check https_proxy and NO_PROXY"


def test_a_low_limit_of_open_files_is_named() -> None:
    url = "http://127.0.0.1:9"  # no server: its thread would be short of files too

    async def get_without_files() -> tuple[str, str]:
        async with async_client(url) as http:
            with no_more_files(), pytest.raises(httpx.ConnectError) as raised:
                await http.get(url)
        return connection_fault(raised.value, url, "check the network")

    reason, action = asyncio.run(get_without_files())
    assert "ulimit -n" in action, (reason, action)


def test_loopback_is_reached_directly_with_any_proxy_variables(
    sandbox: Sandbox, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "socks://[broken")
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"):
        monkeypatch.setenv(name, "/nonexistent/file")
    assert get(f"{sandbox.api_url}/bot/") == httpx.codes.UNAUTHORIZED


def test_a_wrong_variable_is_an_error_before_the_first_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://proxy.example:1080")
    with pytest.raises(SettingsError, match="HTTPS_PROXY names a SOCKS proxy"):
        async_client(f"https://{HOST}")
    with pytest.raises(SettingsError, match="HTTPS_PROXY names a SOCKS proxy"):
        sync_client(f"https://{HOST}")


@pytest.fixture
def wrong_files(tmp_path: Path) -> dict[str, str]:
    """Paths that are not what the certificate variables need, by what is wrong."""
    garbage, empty, folder = tmp_path / "garbage.pem", tmp_path / "empty.pem", tmp_path / "folder"
    garbage.write_bytes(b"\x00\xff not a certificate \n")
    empty.touch()
    folder.mkdir()
    (folder / "root.pem").touch()
    files = {"garbage": garbage, "empty": empty, "folder": folder, "missing": tmp_path / "missing", "file": garbage}
    return {name: str(path) for name, path in files.items()} | {"too long": "x" * 5000}


@pytest.mark.parametrize(
    ("variable", "wrong", "fault"),
    [
        ("SSL_CERT_FILE", "missing", "cannot be read (No such file or directory): correct it or unset it"),
        ("SSL_CERT_FILE", "folder", "cannot be read (Is a directory): correct it or unset it"),
        ("SSL_CERT_FILE", "too long", "cannot be read (File name too long): correct it or unset it"),
        ("SSL_CERT_FILE", "garbage", "contains no certificates: name a file of certificates in PEM format"),
        ("SSL_CERT_FILE", "empty", "contains no certificates: name a file of certificates in PEM format"),
        ("SSL_CERT_DIR", "missing", "cannot be read (No such file or directory): correct it or unset it"),
        ("SSL_CERT_DIR", "file", "cannot be read (Not a directory): correct it or unset it"),
        ("SSL_CERT_DIR", "folder", "contains no certificates with hashed names: run `openssl rehash`"),
        ("SSLKEYLOGFILE", "folder", "is not writable (Is a directory): correct it or unset it"),
        ("SSLKEYLOGFILE", "too long", "is not writable (File name too long): correct it or unset it"),
    ],
)
def test_a_wrong_certificate_variable_is_a_settings_error_with_the_fault_and_the_fix(
    monkeypatch: pytest.MonkeyPatch, wrong_files: dict[str, str], variable: str, wrong: str, fault: str
) -> None:
    monkeypatch.setenv(variable, wrong_files[wrong])
    for build in (async_client, sync_client):
        with pytest.raises(SettingsError) as raised:
            build(f"https://{HOST}")
        assert str(raised.value).startswith(variable)
        assert fault in str(raised.value)
        assert len(str(raised.value).splitlines()) == 1


def test_the_clients_are_built_without_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SSL")]:
        monkeypatch.delenv(name)
    sync_client(f"https://{HOST}").close()
