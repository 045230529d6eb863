"""A sync from a company's network: a proxy that alone resolves names, a private root certificate, a VPC endpoint."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from recall_pipeline_tests.cli.conftest import YESTERDAY, Run
from recall_pipeline_tests.forward_proxy import ForwardProxy, company_certificates, tls_host
from recall_sandbox import Rule, Sandbox
from recall_sandbox.network_effects import InnerNext

HOST = "recall.invalid"


@pytest.fixture
def behind_proxy(sandboxed: Run, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """The command line in a network whose only way to https://recall.invalid is a proxy."""
    root, tls = company_certificates(tmp_path, HOST)
    monkeypatch.setenv("RECALL_API_URL", f"https://{HOST}/api/v1")
    monkeypatch.setenv("SSL_CERT_FILE", str(root))
    with tls_host(sandbox.api_url.removesuffix("/api/v1"), tls) as port, ForwardProxy({HOST: port}).running() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        yield sandboxed


def test_a_sync_reaches_the_api_through_the_proxy_and_media_in_an_allowed_network(
    behind_proxy: Run, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECALL_ALLOWED_NETWORKS", "10.0.0.0/8,127.0.0.0/8")
    sandbox.behaviour.page_size = 2
    sandbox.faults.add(Rule(InnerNext("http://10.9.8.7:8000/inner/v1/"), origin="api"))
    result = behind_proxy("sync", "--from", str(YESTERDAY), "--to", str(YESTERDAY))
    assert (result.status, result.err) == (0, "")
    assert behind_proxy("catalog", "--outcome", "ready", "--format", "csv").out.count("ready") == 1


def test_media_in_a_private_network_names_the_setting_that_allows_it(behind_proxy: Run) -> None:
    result = behind_proxy("sync", "--from", str(YESTERDAY), "--to", str(YESTERDAY))
    assert result.status == 1
    assert "add its network to RECALL_ALLOWED_NETWORKS" in result.err
