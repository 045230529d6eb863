"""`doctor --probe` prints its report as text or JSON, or writes it to a file that `sandbox --like` reads."""

import json
from pathlib import Path

import pytest

from recall_pipeline.cli import probe
from recall_pipeline.days import utc_now
from recall_pipeline_tests.cli.conftest import Run
from recall_sandbox import NotAReport, Rule, Sandbox, read_report
from recall_sandbox.effects import Reply


def test_the_text_names_the_dialect_and_the_assumptions(sandboxed: Run, sandbox: Sandbox) -> None:
    sandbox.behaviour.link_place = "flat"
    result = sandboxed("doctor", "--probe")
    assert (result.status, result.err) == (0, "")
    assert "flat-download-url" in result.out
    assert "holds         a finished MP3 has a link, nested or flat" in result.out
    assert sandbox.api_key not in result.out


def test_json_is_one_object_on_one_line(sandboxed: Run) -> None:
    result = sandboxed("doctor", "--probe", "--json")
    (line,) = result.out.splitlines()
    found = json.loads(line)
    assert (found["probe_format"], found["stopped"], found["media"]["status"]) == (1, None, 206)


def test_the_report_file_can_be_read_again_and_the_archive_stays_untouched(
    sandboxed: Run, tmp_path: Path, storage_url: str
) -> None:
    result = sandboxed("doctor", "--probe", "--report", str(tmp_path / "report.json"))
    assert result.status == 0
    assert read_report(tmp_path / "report.json")["requests"] <= 20
    assert not (tmp_path / "data").exists()


def test_a_refused_probe_has_status_1_and_a_report(sandboxed: Run, sandbox: Sandbox) -> None:
    sandbox.faults.add(Rule(Reply(403, b"<html>blocked</html>"), origin="api"))
    result = sandboxed("doctor", "--probe")
    assert result.status == 1
    assert "Stopped at `list bot`: the firewall refuses." in result.out


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("doctor", "--json"), "add --probe"),
        (("doctor", "--report", "x.json"), "add --probe"),
        (("doctor", "--probe", "--report", "/nowhere/x.json"), "choose another --report"),
    ],
)
def test_wrong_usage_is_one_line(sandboxed: Run, arguments: tuple[str, ...], fault: str) -> None:
    result = sandboxed(*arguments)
    assert (result.status, fault in result.error_line) == (2, True)


def test_a_probe_without_a_key_is_one_line(run: Run) -> None:
    result = run("doctor", "--probe")
    assert (result.status, "RECALL_API_KEY is not set" in result.error_line) == (2, True)


def test_an_unexpected_error_is_named_by_its_type_only(sandboxed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError("a value of the service")

    monkeypatch.setattr(probe, "probe_service", broken)
    result = sandboxed("doctor", "--probe")
    assert (result.status, "the probe ended with ZeroDivisionError: " in result.error_line) == (1, True)
    assert "a value" not in result.err


def test_a_report_is_served_by_the_sandbox(
    sandboxed: Run, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.behaviour.link_place, sandbox.behaviour.page_size = "flat", 2
    sandboxed("doctor", "--probe", "--report", str(tmp_path / "report.json"))
    served: list[Sandbox] = []
    monkeypatch.setattr(Sandbox, "serve_forever", lambda self, _: served.append(self))
    assert sandboxed("sandbox", "--port", "0", "--like", str(tmp_path / "report.json")).status == 0
    assert (served[0].behaviour.link_place, served[0].behaviour.page_sizes["bot"]) == ("flat", 2)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, "cannot be read (No such file"),
        ("{", "it is not JSON"),
        ("[]", "is not a report of a probe"),
        ('{"probe_format": true}', "is not a report of a probe"),
        ('{"probe_format": 2}', "has the newer format 2: update"),
        ("[" * 100_000, "it is not JSON"),
    ],
)
def test_a_file_that_is_no_report_is_wrong_usage(content: str | None, fault: str, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    if content is not None:
        file.write_text(content)
    result = run("sandbox", "--port", "0", "--like", str(file))
    assert (result.status, fault in result.error_line) == (2, True)
    with pytest.raises(NotAReport):
        read_report(file)


def test_the_day_of_a_probe_is_not_in_its_report(sandboxed: Run) -> None:
    assert f"{utc_now():%Y}" not in sandboxed("doctor", "--probe", "--json").out
