"""`doctor` runs all checks, prints one line per check, and prints how to fix a failed one."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from recall_pipeline.catalog import CATALOG, uses_in
from recall_pipeline.catalog.audio_targets import with_use
from recall_pipeline.cli import doctor
from recall_pipeline.days import utc_now
from recall_pipeline.discovery import BOTS
from recall_pipeline.storage import Archive, accept_api
from recall_pipeline_tests.cli.conftest import YESTERDAY, CommandResult, Run
from recall_sandbox import Rule, Sandbox
from recall_sandbox.effects import EditJson, Effect, Reply, Reset, expired_link
from recall_sandbox.network_effects import firewall_page

CHECKS = ["settings", "network", "key", "media", "storage", "archive", "days", "audio", "dagster"]


def failures(result: CommandResult) -> dict[str, str]:
    """The failed checks with their messages; every check has one line."""
    lines = [line.split(maxsplit=2) for line in result.out.splitlines()]
    assert [name for _, name, _ in lines] == CHECKS
    assert {result for result, _, _ in lines} <= {"ok", "FAIL"}
    return {name: text for result, name, text in lines if result == "FAIL"}


def test_in_a_working_setup_every_check_is_ok_and_leaves_no_file(sandboxed: Run, tmp_path: Path) -> None:
    result = sandboxed("doctor")
    assert (result.status, result.err) == (0, "")
    assert failures(result) == {}
    assert [path for path in (tmp_path / "data").rglob("*") if path.is_file()] == []


def test_a_missing_key_does_not_stop_the_other_checks(run: Run) -> None:
    result = run("doctor")
    assert result.status == 1
    assert list(failures(result)) == ["key"]
    assert failures(result)["key"].startswith("RECALL_API_KEY is not set")


def test_a_refused_key_fails_the_check(sandboxed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_API_KEY", "another-key")
    result = sandboxed("doctor")
    assert result.status == 1
    assert "does not accept the key: check RECALL_API_KEY" in failures(result)["key"]
    assert "another-key" not in result.out


def test_an_archive_of_another_api_fails_the_check(sandboxed: Run, archive: Archive) -> None:
    assert "no archive.json yet" in sandboxed("doctor").out
    accept_api(archive, "eu-central-1.recall.ai")
    result = sandboxed("doctor")
    assert result.status == 2
    assert list(failures(result)) == ["archive"]
    assert "has recordings of eu-central-1.recall.ai, but the settings name 127.0.0.1" in failures(result)["archive"]
    accept_api(archive, "localhost")
    assert sandboxed("doctor").status == 0


@pytest.fixture
def regions(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, run: Run) -> Sandbox:
    """The four regions of Recall.ai, all served by the sandbox; three of them refuse the key."""
    origin = sandbox.api_url.removesuffix("/api/v1")
    base_url = property(lambda settings: settings.api_url or f"{origin}/{settings.region}/api/v1")
    monkeypatch.setattr("recall_pipeline.settings.Settings.base_url", base_url)
    monkeypatch.setenv("RECALL_API_KEY", sandbox.api_key)
    refused = Reply(401, {"detail": "Invalid token."})
    for region in ("us-east-1", "us-west-2", "ap-northeast-1"):
        sandbox.faults.add(Rule(refused, path=region))
    return sandbox


def test_a_key_of_another_region_is_distinguished_from_a_wrong_one(regions: Sandbox, run: Run) -> None:
    regions.faults.add(Rule(Reply(200, {"results": [], "next": None}), path="eu-central-1"))
    assert failures(run("doctor"))["key"] == "the key belongs to another region: set RECALL_REGION=eu-central-1"


def test_a_key_that_no_region_accepts_is_wrong(regions: Sandbox, run: Run) -> None:
    regions.faults.add(Rule(Reply(401, {"detail": "Invalid token."}), path="eu-central-1"))
    assert failures(run("doctor"))["key"].startswith("no region of Recall.ai accepts the key")


def test_a_region_whose_workspace_is_out_of_credit_has_accepted_the_key(regions: Sandbox, run: Run) -> None:
    regions.faults.add(Rule(Reply(402, {"detail": "Out of credit."}), path="eu-central-1"))
    assert failures(run("doctor"))["key"] == "the key belongs to another region: set RECALL_REGION=eu-central-1"


@pytest.mark.parametrize("effect", [Reset(), firewall_page()])
def test_a_region_that_cannot_be_asked_is_named_and_not_taken_as_a_refusal(
    effect: Effect, regions: Sandbox, run: Run
) -> None:
    regions.faults.add(Rule(effect, path="eu-central-1"))
    key = failures(run("doctor"))["key"]
    assert key.startswith("no region that answers accepts the key, and eu-central-1 could not be asked")


def test_a_storage_that_is_not_writable_fails_the_check(
    sandboxed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RECALL_STORAGE_URL", str(tmp_path / "file" / "data"))
    result = sandboxed("doctor")
    assert result.status == 1
    assert list(failures(result)) == ["storage"]
    assert "RECALL_STORAGE_URL" in failures(result)["storage"]


def test_a_storage_that_returns_other_bytes_fails_the_check(sandboxed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(archive: Archive, key: str) -> bytes | None:
        return b"something else" if key.startswith("_doctor") else None

    monkeypatch.setattr("recall_pipeline.storage.Archive.read", read)
    assert "do not trust this storage" in failures(sandboxed("doctor"))["storage"]


def days_line(result: CommandResult) -> str:
    return next(line for line in result.out.splitlines() if line.split()[1] == "days")


def test_the_days_that_are_due_and_those_that_were_never_requested_are_information(
    sandboxed: Run, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert days_line(sandboxed("doctor")).startswith("ok     days      due: 7 days: ")
    BOTS.write(archive, YESTERDAY - timedelta(days=20), [])
    result = sandboxed("doctor")
    first = YESTERDAY - timedelta(days=21)
    assert result.status == 0
    assert "due: 14 days: " in days_line(result)
    assert "due in later nights: 7 days: " in days_line(result)
    assert f"never requested: 2025-01-01 to {first} (" in days_line(result)
    assert f"sync --from 2025-01-01 --to {first} archives what Recall still has" in days_line(result)


def test_an_unreadable_table_fails_the_check_and_no_other(sandboxed: Run, archive: Archive) -> None:
    file = archive.local_path(BOTS.key(YESTERDAY))
    file.parent.mkdir(parents=True)
    file.write_bytes(b"garbage")
    found = failures(sandboxed("doctor"))
    assert list(found) == ["days"]
    assert f"{file} is not a readable Parquet file" in found["days"]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ImportError("No module named 'soxr'"), "No module named 'soxr': install the project again (make demo)"),
        (RuntimeError("of a\nlibrary"), "RuntimeError: of a library"),
    ],
    ids=["missing", "broken"],
)
def test_a_library_that_does_not_work_fails_the_check(
    sandboxed: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(doctor, "_normalize_a_tone", fails)
    assert failures(sandboxed("doctor")) == {"audio": message}


def test_a_dagster_home_with_invalid_settings_fails_the_check(sandboxed: Run, home: Path) -> None:
    (home / "dagster.yaml").write_text("nonsense: {a: 1}\n")
    result = sandboxed("doctor")
    assert result.status == 1
    assert "nonsense" in failures(result)["dagster"]


def without_links(page: dict[str, Any]) -> object:
    """A page of a list whose artifacts have no link."""
    return {**page, "results": [{**row, "data": {"download_url": None}} for row in page["results"]]}


class TestNetwork:
    def test_it_reports_how_each_client_connects(self, sandboxed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
        monkeypatch.setenv("RECALL_ALERT_URL", "https://hooks.example/secret")
        lines = sandboxed("doctor").out.splitlines()
        assert "ok     network   API direct, media direct, alerts through the proxy of HTTPS_PROXY" in lines

    def test_one_byte_of_one_mp3_is_fetched(self, sandboxed: Run, sandbox: Sandbox) -> None:
        lines = sandboxed("doctor").out.splitlines()
        assert "ok     media     fetched one byte of one MP3 from 127.0.0.1 (HTTP 206)" in lines
        assert [access.range for access in sandbox.access_log if access.origin == "media"] == ["bytes=0-0"]

    def test_without_an_mp3_none_is_tried(self, sandboxed: Run, sandbox: Sandbox) -> None:
        sandbox.faults.add(Rule(Reply(200, {"next": None, "results": []}), path="/audio_mixed/"))
        assert "not tried, because there is no MP3 of the last 7 days" in sandboxed("doctor").out

    def test_a_link_that_is_refused_or_missing_in_the_list_is_replaced_as_a_download_does(
        self, sandboxed: Run, sandbox: Sandbox
    ) -> None:
        sandbox.faults.add(Rule(expired_link(), origin="media", times=2))
        assert "ok     media     fetched one byte" in sandboxed("doctor").out
        sandbox.faults.add(Rule(EditJson(without_links), path="/audio_mixed/$"))
        assert "ok     media     fetched one byte" in sandboxed("doctor").out

    def test_links_that_are_never_honoured_are_a_failure_after_three_fresh_ones(
        self, sandboxed: Run, sandbox: Sandbox
    ) -> None:
        sandbox.faults.add(Rule(expired_link(), origin="media"))
        assert failures(sandboxed("doctor"))["media"] == "the media host answers 403, even to a fresh URL"
        assert len(sandbox.access_log.only(origin="media")) == 4

    def test_a_firewall_before_the_media_host_is_a_failure(self, sandboxed: Run, sandbox: Sandbox) -> None:
        sandbox.faults.add(Rule(firewall_page(), origin="media"))
        message = failures(sandboxed("doctor"))["media"]
        assert "a firewall refuses the IP address that this machine sends from" in message

    def test_a_media_host_that_ends_the_connection_is_a_failure(self, sandboxed: Run, sandbox: Sandbox) -> None:
        sandbox.faults.add(Rule(Reset(), origin="media"))
        message = failures(sandboxed("doctor"))["media"]
        assert message.startswith("the media host cannot be reached (")
        assert "?" not in message

    @pytest.mark.parametrize(
        ("variable", "value", "fault"),
        [
            ("SSL_CERT_FILE", "/nonexistent/root.pem", "SSL_CERT_FILE '/nonexistent/root.pem' cannot be read"),
            ("ALL_PROXY", "socks5://proxy.example:1080", "ALL_PROXY names a SOCKS proxy, which needs a package"),
            ("https_proxy", "http://[::1", "https_proxy is not a proxy URL"),
        ],
    )
    def test_what_the_environment_breaks_is_a_failure_that_names_the_variable(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, fault: str
    ) -> None:
        monkeypatch.setenv("RECALL_API_KEY", "some-key")
        monkeypatch.setenv(variable, value)
        failed = failures(run("doctor"))
        assert set(failed) == {"network", "key"}
        assert all(message.startswith(fault) for message in failed.values())


def test_names_that_are_not_of_an_archive_are_listed_and_refused_by_nothing(sandboxed: Run, archive: Archive) -> None:
    for name in ("holiday.jpg", "bots/day=backup/x", "audio_catalog/readme/x", "bots/_ignored/x"):
        path = archive.local_path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    result = sandboxed("doctor")
    assert result.status == 0
    assert "names that are not of an archive: holiday.jpg, bots/day=backup, audio_catalog/readme\n" in result.out


def test_two_deployments_with_other_settings_fail_the_check(sandboxed: Run, archive: Archive) -> None:
    accept_api(archive, "localhost")
    facts: dict[str, str] = {}
    for ago, target, deployment in ((3, "flac", "a"), (2, "wav", "b"), (1, "flac", "a")):
        facts = with_use(uses_in(facts), target, deployment, utc_now() - timedelta(hours=ago))
        CATALOG.write(archive, YESTERDAY, [], facts)
    result = sandboxed("doctor")
    assert "two deployments normalize with other settings: wav at" in failures(result)["archive"]
