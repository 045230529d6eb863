"""docs/downstream.md: each example runs as it stands, and what it promises of formats and settings is so."""

import json
import re
import shlex
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
import soundfile

from recall_pipeline.catalog import CATALOG, CatalogRow
from recall_pipeline.cli import main
from recall_pipeline.manifests import FORMATS
from recall_pipeline.storage import Archive
from recall_pipeline_tests.transcripts.meetings import publish_recording
from recall_pipeline_tests.workspace import NINE, an_id
from recall_transcripts.definitions import daily_transcripts
from recall_transcripts.rows import TRANSCRIPTS, TranscriptRow

DOCUMENT = (Path(__file__).parent.parent / "docs" / "downstream.md").read_text("utf-8")
EXAMPLES = dict(re.findall(r"^### \d\. (.+?)\n(.*?)(?=^##)", DOCUMENT, re.MULTILINE | re.DOTALL))
DAY = date(2026, 3, 2)
SENTENCE = "I am worried about the database migration."


@pytest.fixture(autouse=True)
def team(archive: Archive, folder_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the archive as `data`: two recordings ready, one of them transcribed, and one without audio."""
    risk, quiet = (
        replace(
            publish_recording(archive, name, *clips, day=DAY), platform="zoom", speech_ratio=ratio, duration_seconds=6.0
        )
        for name, clips, ratio in (("risk", ["risk"], 0.9), ("quiet", [], 0.1))
    )
    missing = CatalogRow(recording_id=an_id("missing"), platform="webex", outcome="expired", created_at=NINE)
    CATALOG.write(archive, DAY, [risk, quiet, missing])
    TRANSCRIPTS.write(archive, DAY, [_transcript(risk), replace(_transcript(quiet), text="", segments=[])])
    monkeypatch.setenv("RECALL_STORAGE_URL", folder_url)
    monkeypatch.chdir(tmp_path)


def _transcript(row: CatalogRow) -> TranscriptRow:
    return TranscriptRow(
        recording_id=row.recording_id, audio_id=row.audio_id or "", audio_sha256=row.audio_sha256 or "",
        audio_seconds=6.0, language="en", text=SENTENCE, word_count=7, model="whisper-base", model_sha256="0" * 64,
        segments=[{"start_seconds": 0.5, "end_seconds": 5.5, "text": SENTENCE}], transcribing_seconds=1.0,
        transcribed_at=NINE,
    )  # fmt: skip


def blocks(example: str, language: str = "python") -> list[str]:
    """The code blocks of an example."""
    (text,) = (text for title, text in EXAMPLES.items() if example in title)
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def run(example: str) -> dict[str, object]:
    """Run the only Python of an example as it stands, and return the names it made."""
    (code,) = blocks(example)
    names: dict[str, object] = {"__name__": "example"}
    exec(compile(code, f"docs/downstream.md, {example}", "exec"), names)  # noqa: S102  our own
    return names


def test_there_are_five() -> None:
    assert len(EXAMPLES) == 5


def test_pandas_lists_and_listens(capsys: pytest.CaptureFixture[str]) -> None:
    run("pandas")
    table, listened = capsys.readouterr().out.split(an_id("risk"))
    assert re.search(r"zoom +ready +2 +12\.0", table)
    assert re.search(r"webex +expired +1", table)
    assert re.match(r" \(\d+, 1\) 16000\n", listened)
    assert an_id("quiet") in listened


def test_duckdb_finds_spoken_words(capfd: pytest.CaptureFixture[str]) -> None:
    found = run("DuckDB")["said"]
    assert found.fetchall() == [(DAY, "zoom", 0.5, SENTENCE)]  # type: ignore[attr-defined]


def test_polars_chooses_good_material(capsys: pytest.CaptureFixture[str]) -> None:
    material = run("Polars")["material"]
    assert material["audio_id"].to_list() == [an_id("risk mp3")]  # type: ignore[index]
    (path,) = material["audio_uri"].to_list()  # type: ignore[index]
    assert soundfile.info(path.removeprefix("file://")).duration == material["seconds"].item()  # type: ignore[index]
    assert "2026-03-02" in capsys.readouterr().out


def test_another_teams_asset_loads_and_runs() -> None:
    defs = run("asset")["defs"]
    assert isinstance(defs, dg.Definitions)
    job = defs.resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(partition_key=DAY.isoformat(), instance=instance)
    (event,) = result.get_asset_materialization_events()
    metadata = {name: value.value for name, value in event.materialization.metadata.items()}
    assert metadata["recordings"] == 2
    assert 0.1 < float(str(metadata["loudest"])) <= 1


def test_a_training_manifest_gets_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    (command,) = blocks("manifest", "")
    monkeypatch.setattr(sys, "argv", shlex.split(command))
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    run("manifest")
    (line,) = (json.loads(line) for line in Path("training/train.jsonl").read_text().splitlines())
    assert (line["audio_id"], line["text"]) == (an_id("risk mp3"), SENTENCE)
    assert soundfile.info(f"training/{line['audio_filepath']}").frames == line["num_samples"]


def test_the_page_states_when_the_daily_schedule_runs() -> None:
    minute, hour, *_ = str(daily_transcripts.cron_schedule).split()
    assert re.search(rf"`daily_transcripts`, at {int(hour):02d}:{int(minute):02d}\s+UTC", DOCUMENT)


def test_every_kind_of_manifest_is_documented() -> None:
    documented = dict(re.findall(r"^\| `([a-z]+)` \| `([\w.]+)` \|", DOCUMENT, re.MULTILINE))
    assert documented == {kind: form.file_name for kind, form in FORMATS.items()}
