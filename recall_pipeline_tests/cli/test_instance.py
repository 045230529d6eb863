"""Commands open the Dagster instance from any folder, without output of Dagster and without other files."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from recall_pipeline.cli.instance import open_instance
from recall_pipeline.errors import StorageError

CHECKOUT = Path(__file__).parent.parent.parent


def test_a_home_without_settings_uses_those_of_the_checkout(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with open_instance() as instance:
        assert instance.get_runs_count() == 0
        assert not instance.telemetry_enabled
        assert instance.run_monitoring_enabled
        assert Path(instance.root_directory) == home
    assert "".join(capfd.readouterr()) == ""
    assert {path.name for path in home.iterdir()} <= {"history", "schedules", "storage"}


def test_commands_that_start_together_on_a_new_home_all_open_it(home: Path) -> None:
    together = threading.Barrier(4)

    def count_runs(_: int) -> int:
        together.wait()
        with open_instance() as instance:
            return instance.get_runs_count()

    with ThreadPoolExecutor(together.parties) as commands:
        assert list(commands.map(count_runs, range(together.parties))) == [0] * together.parties


def test_a_database_that_cannot_be_opened_is_a_storage_error(home: Path) -> None:
    (home / "history" / "runs.db").mkdir(parents=True)
    with pytest.raises(StorageError, match=r"Dagster cannot open .*: .*unable to open database file"), open_instance():
        pass


def test_a_home_with_settings_uses_them(home: Path) -> None:
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\nrun_monitoring: {enabled: false}\n")
    with open_instance() as instance:
        assert not instance.run_monitoring_enabled


def test_without_dagster_home_it_is_beside_workspace_yaml_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout, elsewhere = tmp_path / "checkout", tmp_path / "elsewhere"
    checkout.mkdir()
    elsewhere.mkdir()
    (checkout / "dagster.yaml").write_bytes((CHECKOUT / "dagster.yaml").read_bytes())
    for module in ("recall_pipeline.settings.folders", "recall_pipeline.cli.instance"):
        monkeypatch.setattr(f"{module}.project_folder", lambda: checkout)
    monkeypatch.delenv("DAGSTER_HOME")
    monkeypatch.chdir(elsewhere)
    with open_instance() as instance:
        assert instance.get_runs_count() == 0
    assert (checkout / ".dagster" / "history").is_dir()
    assert list(elsewhere.iterdir()) == []
