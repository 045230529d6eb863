"""`doctor` looks at everything, a line each, and says what to do where something is wrong."""

from pathlib import Path

import pytest

from recall_pipeline.cli import doctor
from recall_pipeline_tests.cli.conftest import Run, Said
from recall_sandbox import Rule, Sandbox
from recall_sandbox.effects import Reply

CHECKS = ["settings", "key", "storage", "audio", "dagster"]


def faults(said: Said) -> dict[str, str]:
    """The faulty checks and what was said of them; every check has its line."""
    lines = [line.split(maxsplit=2) for line in said.out.splitlines()]
    assert [name for _, name, _ in lines] == CHECKS
    return {name: text for verdict, name, text in lines if verdict != "ok"}


def test_where_all_is_well_every_check_says_so_and_leaves_nothing(sandboxed: Run, tmp_path: Path) -> None:
    said = sandboxed("doctor")
    assert (said.status, said.err) == (0, "")
    assert faults(said) == {}
    assert [path for path in (tmp_path / "data").rglob("*") if path.is_file()] == []


def test_a_missing_key_does_not_hide_the_rest(run: Run) -> None:
    said = run("doctor")
    assert said.status == 1
    assert list(faults(said)) == ["key"]
    assert faults(said)["key"].startswith("RECALL_API_KEY is not set")


def test_a_refused_key_is_told(sandboxed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_API_KEY", "another-key")
    said = sandboxed("doctor")
    assert said.status == 1
    assert "does not accept the key: check RECALL_API_KEY" in faults(said)["key"]
    assert "another-key" not in said.out


@pytest.fixture
def regions(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, run: Run) -> Sandbox:
    """Recall.ai's four regions, which all are the sandbox: only eu-central-1 knows the key."""
    origin = sandbox.api_url.removesuffix("/api/v1")
    base_url = property(lambda settings: settings.api_url or f"{origin}/{settings.region}/api/v1")
    monkeypatch.setattr("recall_pipeline.settings.Settings.base_url", base_url)
    monkeypatch.setenv("RECALL_API_KEY", sandbox.api_key)
    refused = Reply(401, {"detail": "Invalid token."})
    for region in ("us-east-1", "us-west-2", "ap-northeast-1"):
        sandbox.faults.add(Rule(refused, path=region))
    return sandbox


def test_a_key_of_another_region_is_told_from_a_wrong_one(regions: Sandbox, run: Run) -> None:
    regions.faults.add(Rule(Reply(200, {"results": [], "next": None}), path="eu-central-1"))
    assert faults(run("doctor"))["key"] == "the key belongs to another region: set RECALL_REGION=eu-central-1"


def test_a_key_that_no_region_accepts_is_wrong(regions: Sandbox, run: Run) -> None:
    regions.faults.add(Rule(Reply(401, {"detail": "Invalid token."}), path="eu-central-1"))
    assert faults(run("doctor"))["key"].startswith("no region of Recall.ai accepts the key")


def test_a_storage_that_cannot_be_written_is_told(
    sandboxed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RECALL_STORAGE_URL", str(tmp_path / "file" / "data"))
    said = sandboxed("doctor")
    assert said.status == 1
    assert list(faults(said)) == ["storage"]
    assert "RECALL_STORAGE_URL" in faults(said)["storage"]


def test_a_storage_that_gives_back_something_else_is_told(sandboxed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recall_pipeline.storage.Archive.read", lambda *_: b"something else")
    assert "do not trust this storage" in faults(sandboxed("doctor"))["storage"]


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (ImportError("No module named 'soxr'"), "No module named 'soxr': install the project again (make demo)"),
        (RuntimeError("of a\nlibrary"), "RuntimeError: of a library"),
    ],
    ids=["missing", "faulty"],
)
def test_a_library_that_does_not_work_is_told(
    sandboxed: Run, monkeypatch: pytest.MonkeyPatch, broken: Exception, says: str
) -> None:
    def fails(*_: object) -> None:
        raise broken

    monkeypatch.setattr(doctor, "_normalize_a_tone", fails)
    assert faults(sandboxed("doctor")) == {"audio": says}


def test_a_dagster_home_that_dagster_refuses_is_told(sandboxed: Run, home: Path) -> None:
    (home / "dagster.yaml").write_text("nonsense: {a: 1}\n")
    said = sandboxed("doctor")
    assert said.status == 1
    assert "nonsense" in faults(said)["dagster"]
