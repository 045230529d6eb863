"""What is reported about a server that refuses or cannot be used; never a secret."""

import asyncio
import logging
import sys
import uuid
from pathlib import Path

import pytest
from pydantic import SecretStr

from recall_pipeline.cli.coordination_check import check_coordination
from recall_pipeline.coordination import RequestLimits, connect
from recall_pipeline.coordination.connection import new_connection
from recall_pipeline.errors import CoordinationError, PipelineError, SettingsError
from recall_pipeline.recall_api import open_client
from recall_pipeline.recall_api.rate_limit import WindowBudget
from recall_pipeline.recall_api.shared_budget import SharedBudget
from recall_pipeline.settings import Settings
from recall_pipeline.storage import ArchiveLocation
from recall_pipeline_tests.coordination_servers import PASSWORD, PLAIN_PASSWORD, RunningServer
from recall_pipeline_tests.forward_proxy import company_certificates, tls_host

pytestmark = pytest.mark.xdist_group("coordination")
WRONG = "another-word"


def error_of(url: str) -> PipelineError:
    """Return the error of a request to a server."""
    server = new_connection(SecretStr(url))
    try:
        with pytest.raises(PipelineError) as failed:
            server.take_request(f"{uuid.uuid4()}", RequestLimits(1, 1), is_short=False)
    finally:
        server.close()
    assert failed.value.__cause__ is None
    return failed.value


def test_a_wrong_password_is_one_line_without_it(server: RunningServer) -> None:
    error = error_of(server.url.get_secret_value().replace(PASSWORD, WRONG))
    assert isinstance(error, SettingsError)
    assert f"RECALL_COORDINATION_URL: {server.scheme}://127.0.0.1:{server.port} refuses (" in str(error)
    assert WRONG not in f"{error} {error!r}"


def test_another_database_is_refused(server: RunningServer) -> None:
    url, _, _ = server.url.get_secret_value().rpartition("/")
    assert isinstance(error_of(f"{url}/99"), SettingsError)


@pytest.mark.parametrize("options", ["sslmode=require", "sslmode=verify-full", "sslmode=nonsense"])
@pytest.mark.parametrize("shared_server", ["postgresql"], indirect=True)
def test_a_server_without_the_tls_that_is_asked_for_is_reported_at_once(server: RunningServer, options: str) -> None:
    error = error_of(f"{server.url.get_secret_value()}?{options}")
    assert isinstance(error, SettingsError)
    assert "cannot be reached with these options for TLS (" in str(error)


@pytest.mark.parametrize("role", ["may not log in", "may not connect", "may not create"])
@pytest.mark.parametrize("shared_server", ["postgresql"], indirect=True)
def test_a_user_without_rights_is_reported_at_once(server: RunningServer, role: str) -> None:
    import psycopg

    user = f"u{uuid.uuid4().hex}"
    with psycopg.connect(server.url.get_secret_value(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {user} {'NO' * (role == 'may not log in')}LOGIN PASSWORD '{user}'")
        connection.execute(f"CREATE DATABASE {user}")
        if role == "may not connect":
            connection.execute(f"REVOKE CONNECT ON DATABASE {user} FROM PUBLIC")
        if role == "may not create":
            connection.execute(f"REVOKE CREATE ON DATABASE {user} FROM PUBLIC")
    error = error_of(f"postgresql://{user}:{user}@127.0.0.1:{server.port}/{user}")
    assert isinstance(error, SettingsError)
    assert " refuses (" in str(error)


@pytest.mark.parametrize("shared_server", ["postgresql"], indirect=True)
def test_a_user_who_may_not_create_tables_can_use_those_of_another(server: RunningServer) -> None:
    import psycopg

    server.open().describe()  # creates the tables
    user = f"u{uuid.uuid4().hex}"
    with psycopg.connect(server.url.get_secret_value(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {user} LOGIN PASSWORD '{user}'")
        for table in ("recall_pipeline_requests", "recall_pipeline_locks"):
            connection.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {user}")
    other = new_connection(SecretStr(f"postgresql://{user}:{user}@127.0.0.1:{server.port}/postgres"))
    assert other.take_request(user, RequestLimits(1, 1), is_short=False) == 0
    assert other.acquire(user, "token", "process 1") is None
    other.close()


@pytest.mark.parametrize("denied", ["-info", "-evalsha", "resetkeys"])
@pytest.mark.parametrize("shared_server", ["redis"], indirect=True)
def test_a_redis_user_without_rights_is_reported_at_once(server: RunningServer, denied: str) -> None:
    import redis

    user = f"u{uuid.uuid4().hex}"
    with redis.Redis.from_url(server.url.get_secret_value()) as client:
        client.execute_command("ACL", "SETUSER", user, "on", f">{user}", "~*", "+@all", denied)
    error = error_of(f"redis://{user}:{user}@127.0.0.1:{server.port}/0")
    assert isinstance(error, SettingsError)
    assert " refuses (" in str(error)


@pytest.mark.parametrize("trust", ["", "?ssl_ca_certs={root}", "?ssl_ca_certs=missing.pem"])
def test_a_certificate_that_is_not_valid_is_reported_at_once(tmp_path: Path, trust: str) -> None:
    root, tls = company_certificates(tmp_path, "redis.example.com")
    with tls_host("http://127.0.0.1:1", tls) as port:
        error = error_of(f"rediss://:{PASSWORD}@127.0.0.1:{port}/0{trust.format(root=root)}")
    assert isinstance(error, SettingsError)
    assert "cannot be reached with these options for TLS (" in str(error)
    assert PLAIN_PASSWORD not in str(error)


@pytest.mark.parametrize("scheme", ["redis", "postgresql"])
def test_a_port_on_which_nothing_listens_is_one_line_without_the_password(
    scheme: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        error = error_of(f"{scheme}://user:{PASSWORD}@127.0.0.1:1/0")
    assert isinstance(error, CoordinationError)
    assert "does not answer" in str(error)
    assert [word for word in (PASSWORD, PLAIN_PASSWORD) if word in f"{error} {caplog.text}"] == []


@pytest.mark.parametrize(
    ("url", "module", "extra"),
    [
        ("redis://:word-of-nobody@host", "redis", "redis"),
        ("rediss://:word-of-nobody@host", "redis", "redis"),
        ("postgresql://user:word-of-nobody@host", "psycopg", "postgres"),
    ],
)
def test_a_missing_package_is_one_line_with_the_command_that_installs_it(
    url: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    for name in ("redis_server", "postgres_server"):
        monkeypatch.delitem(sys.modules, f"recall_pipeline.coordination.{name}", raising=False)
    with pytest.raises(SettingsError, match=rf"pip install 'recall_pipeline\[{extra}\]'") as missing:
        new_connection(SecretStr(url))
    assert "word-of-nobody" not in str(missing.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:word-of-nobody@127.0.0.1:1/0?db=x",
        "redis://:word-of-nobody@127.0.0.1:1/0?nothing=1",
        "postgresql://user:word-of-nobody@127.0.0.1:1/a?nothing=1",
    ],
)
def test_unknown_options_of_the_url_are_one_line_without_it(url: str) -> None:
    with pytest.raises(SettingsError, match="RECALL_COORDINATION_URL") as wrong:
        new_connection(SecretStr(url)).take_request("list bot", RequestLimits(1, 1), is_short=False)
    assert "word-of-nobody" not in str(wrong.value)


def test_the_url_is_in_no_text_of_what_workers_get(tmp_path: Path) -> None:
    settings = Settings(storage_url=str(tmp_path), coordination_url=SecretStr(f"redis://:{PASSWORD}@host"))
    location = ArchiveLocation.from_settings(settings)
    assert PASSWORD not in f"{settings!r} {settings.model_dump_json()} {location!r} {location}"


def test_doctor_reports_the_server(server: RunningServer) -> None:
    line = check_coordination(Settings(coordination_url=server.url))
    assert line.startswith(f"{server.scheme}://127.0.0.1:{server.port}, ")
    assert ", clock +0 s" in line or ", clock -0 s" in line
    assert "budget and locks work" in line
    assert PLAIN_PASSWORD not in line
    connect(server.url).close()


def test_a_client_of_the_settings_uses_the_shared_budget(server: RunningServer) -> None:
    settings = Settings(api_key=SecretStr("key"), coordination_url=server.url)
    budgets: list[object] = []

    def noted(budget: WindowBudget) -> WindowBudget:
        budgets.append(budget)
        return budget

    async def open_one() -> None:
        async with open_client(settings, limit=noted):
            pass

    asyncio.run(open_one())
    assert [type(budget) for budget in budgets] == [SharedBudget]
