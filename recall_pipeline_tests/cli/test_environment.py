"""What the environment of a command gets wrong is one line, never a traceback."""

import logging
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from recall_pipeline.cli.ui import _passing_stop_signals
from recall_pipeline.errors import SettingsError
from recall_pipeline.settings import Settings, dagster_home
from recall_pipeline.settings.environment import _report_unknown
from recall_pipeline.storage import open_archive
from recall_pipeline_tests.cli.conftest import Run

COMMAND = [sys.executable, "-m", "recall_pipeline"]
PATIENCE_SECONDS = 60


def run_with(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONIOENCODING", "LC_ALL", "LANG")}
    return subprocess.run(  # noqa: S603
        [*COMMAND, *arguments],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


@pytest.mark.parametrize(
    "endpoint",
    [
        "minio:9000", "minio.example.com", "//minio:9000", "http//minio:9000", "ftp://minio", "http://", "http://minio:99999",
        "http://minio:port", "http://mi nio:9000", "'http://minio:9000'", "http://user@minio", "http://my_minio:9000",
        "/srv/minio", "http://[::1", "http://minio:0", "http://minio:9000?x=1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_a_malformed_endpoint_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, variable: str
) -> None:
    monkeypatch.setenv(variable, endpoint)
    with pytest.raises(SettingsError, match=f"^{variable} .* is not a URL: use the form https://host"):
        open_archive(Settings(storage_url="s3://bucket/prefix"))
    open_archive(Settings(storage_url="/somewhere"))


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:9000", "https://x.example.co/storage/v1/s3", "http://[::1]:9000"]
)
def test_a_valid_endpoint_is_accepted(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    open_archive(Settings(storage_url="s3://bucket/prefix"))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AWS_MAX_ATTEMPTS", "x"),
        ("AWS_MAX_ATTEMPTS", "0"),
        ("AWS_METADATA_SERVICE_TIMEOUT", "1s"),
        ("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "1.5"),
        ("AWS_RETRY_MODE", "fast"),
        ("AWS_REQUEST_CHECKSUM_CALCULATION", "whenrequired"),
        ("AWS_RESPONSE_CHECKSUM_VALIDATION", "no"),
        ("AWS_CA_BUNDLE", "/no/such/file.pem"),
        ("AWS_CA_BUNDLE", __file__),
    ],
)
def test_an_aws_variable_that_no_client_can_use_is_one_line_with_its_name(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv("RECALL_STORAGE_URL", "s3://bucket/prefix")
    monkeypatch.setenv(variable, value)
    result = run("verify")
    assert result.status == 2
    assert result.error_line.startswith(f"recall-pipeline: {variable} {value} ")


@pytest.mark.parametrize(
    ("home", "fault"),
    [
        ("~no-such-user/dagster", "starts with an unknown home"),
        ('"/srv/dagster"', "contains quotes"),
        ("'/srv/dagster", "contains quotes"),
        ("srv/dagster", "is a relative path"),
        ("/dev/null", "is not a folder"),
        ("/no/such/folder", "is not a folder"),
    ],
)
def test_a_wrong_dagster_home_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch, home: str, fault: str) -> None:
    monkeypatch.setenv("DAGSTER_HOME", home)
    monkeypatch.setenv("RECALL_API_KEY", "key")
    result = run("sync", "--from", "2026-03-02", "--to", "2026-03-02")
    assert result.status == 2
    assert f"DAGSTER_HOME {home} {fault}" in result.error_line


def test_a_dagster_home_of_an_unknown_user_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", unknown)
    monkeypatch.setenv("DAGSTER_HOME", "~/dagster")
    with pytest.raises(SettingsError, match="use an absolute path"):
        dagster_home()


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_output_that_cannot_show_a_name_shows_it_escaped(tmp_path: Path, encoding: str) -> None:
    environment = {"PYTHONIOENCODING": encoding, "RECALL_STORAGE_URL": str(tmp_path / "会议 \N{GRINNING FACE}")}
    ran = run_with(environment, "verify")
    assert "Traceback" not in ran.stderr
    shown = "会议 \N{GRINNING FACE}" if encoding == "ascii" else "\\u4f1a\\u8bae \\U0001f600"  # click corrects ASCII
    assert shown in ran.stdout + ran.stderr


@pytest.mark.parametrize("locale", [{"LC_ALL": "C", "PYTHONUTF8": "0"}, {"LC_ALL": "POSIX"}])
def test_names_with_umlauts_work_in_the_locale_c(tmp_path: Path, locale: dict[str, str]) -> None:
    folder = tmp_path / "Größe"
    ran = run_with({**locale, "RECALL_STORAGE_URL": str(folder), "RECALL_WEBHOOK_SECRET": ""}, "doctor")
    assert "Traceback" not in ran.stderr
    assert f"below {folder}" in ran.stdout


def test_a_value_that_the_locale_does_not_decode_is_one_line() -> None:
    with pytest.raises(ValueError, match="is not text in this locale: set PYTHONUTF8=1"):
        Settings(storage_url="/data/Gr\udcc3\udcb6\udcc3\udc9fe")


@pytest.mark.parametrize(
    ("value", "fault"),
    [('"/data"', "has quotes around it"), ('"/data', "begins with a quote"), ("/data'", "ends with a")],
)
def test_quotes_are_described_as_they_are(value: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Settings(storage_url=value)


@pytest.mark.parametrize(
    ("name", "reported"),
    [
        ("RECALL_STORAGE_ROL", "RECALL_STORAGE_ROL is not a setting: did you mean RECALL_STORAGE_URL?"),
        ("RECALL_RETENTION_DAY", "did you mean RECALL_RETENTION_DAYS?"),
        ("RECALL_COMPLETELY_DIFFERENT_THING", "is not a setting: it has no effect"),
        ("RECALL_STORAGE_URL", None),
    ],
)
def test_a_misspelt_variable_is_reported_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str, reported: str | None
) -> None:
    _report_unknown.cache_clear()
    monkeypatch.setenv(name, "/data/value-of-nobody")
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            Settings.from_environment()
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == (reported is not None)
    assert (reported or "") in "".join(messages)
    assert "value-of-nobody" not in "".join(messages)


def test_a_low_limit_of_open_files_is_named(tmp_path: Path) -> None:
    program = (
        "import os, resource, sys\n"
        "import recall_pipeline.cli.verify\n"
        "from recall_pipeline.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30))\n"
        "try:\n"
        "    while True: os.open('/dev/null', os.O_RDONLY)\n"
        "except OSError: pass\n"
        "sys.argv = ['recall-pipeline', 'verify']\n"
        "main()\n"
    )
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= 30
    ran = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program],
        env={**os.environ, "RECALL_STORAGE_URL": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in ran.stderr
    assert "ulimit -n" in ran.stderr


class TestSignals:
    def test_sigterm_is_handled_before_a_command_is_imported(self) -> None:
        """As the first process of a container, this one would otherwise ignore it."""
        program = (
            "import signal, sys\n"
            "from recall_pipeline.cli import main\n"
            "module = sys.modules['recall_pipeline.cli.main']\n"
            "def find(*_):\n"
            "    assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler\n"
            "    signal.raise_signal(signal.SIGTERM)\n"
            "module.import_module = find\n"
            "sys.argv = ['recall-pipeline', 'sync']\n"
            "main()\n"
        )
        ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)  # noqa: S603
        assert ran.returncode == 130
        assert ran.stderr.strip().startswith("recall-pipeline: interrupted")

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_stop_signal_reaches_a_server_although_the_shell_ignored_sigint(self, number: signal.Signals) -> None:
        program = (
            "import signal, subprocess, sys\n"
            "from recall_pipeline.cli.ui import _passing_stop_signals\n"
            "with _passing_stop_signals() as pass_to:\n"
            "    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
            "    pass_to(child)\n"
            "    print('ready', flush=True)\n"
            "    sys.exit(child.wait() != 0)\n"
        )

        def ignore() -> None:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

        with subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            preexec_fn=ignore,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.send_signal(number)
            assert process.wait(PATIENCE_SECONDS) == 1

    def test_a_signal_before_the_server_started_reaches_it_too(self) -> None:
        with _passing_stop_signals() as pass_to:
            signal.raise_signal(signal.SIGTERM)
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], stderr=subprocess.DEVNULL)
            pass_to(child)
            assert child.wait(PATIENCE_SECONDS) != 0
