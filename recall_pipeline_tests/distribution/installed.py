"""A trial of the wheel, as another team installs it: `python -m recall_pipeline_tests.distribution.installed`.

Builds the wheel, installs it into a virtual environment of its own (dependencies come from the environment of this
interpreter, the checkout does not), and makes a Dagster project with two archives from examples/existing_deployment.
The project is checked with `dg`, a day of both archives is materialized from two servers of another hand with
different keys and equal ids, and Dagster's GraphQL API is asked about everything. It needs `make dev`, and ends with
status 1 if an expectation does not hold.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from recall_pipeline_tests.citations import ROOT
from recall_pipeline_tests.distribution.builds import build, copy_checkout
from recall_pipeline_tests.distribution.graphql import QUERIES
from recall_pipeline_tests.foreign_server.objects import PARTICIPANT, PASSWORD, VIDEO_TOKEN, object_id
from recall_pipeline_tests.foreign_server.server import ForeignServer
from recall_pipeline_tests.storages import stored

DAY = date(2026, 3, 2)
DIALECTS = {"eu": frozenset({"flat", "null", "percent"}), "us": frozenset({"v1.10", "dead_links"})}
KEYS = {"eu": "key-of-the-eu-workspace", "us": "key-of-the-us-workspace"}
ASSETS = ("bots", "recordings", "mixed_audio", "audio_catalog")
_DEFS = """\
type: recall_pipeline.RecallArchiveComponent
attributes:
  {{name: {name}, storage_url: data/{name},
   api_key: "{{{{ env.{NAME}_RECALL_API_KEY }}}}",
   api_url: "{{{{ env.{NAME}_API_URL }}}}"}}
"""  # five lines; `api_url`, in place of `region`, is for a server that is not Recall.ai's
_WHERE = "import importlib.util as u, recall_pipeline as r; print(r.__file__, u.find_spec('recall_pipeline_tests'))"


class Trial:
    """The project of another team, its environment, and all that its commands printed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project, self.home = folder / "project", folder / "dagster_home"
        self.python = folder / "venv" / "bin" / "python"
        self.printed: list[str] = []
        self.variables: dict[str, str] = {}

    def install(self) -> None:
        """Build the wheel, and install it into a new environment that finds the dependencies of this one."""
        copy_checkout(self.folder / "checkout")
        wheel = build(self.folder / "checkout", "-t", "wheel").wheel
        venv.create(self.folder / "venv", with_pip=False)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "--python", str(self.python)]
        subprocess.run([*pip, "install", "--no-index", "--no-deps", str(wheel)], check=True)  # noqa: S603
        shutil.rmtree(self.folder / "checkout")
        (site,) = (self.folder / "venv" / "lib").glob("python*/site-packages")
        # A .pth in a folder that a .pth names is not read, so the checkout of an editable installation is not found.
        (site / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
        expect("the package comes from the wheel", str(site) in self.run("-c", _WHERE))
        expect("the checkout is not found", self.run("-c", _WHERE).split()[1] == "None")

    def make_project(self) -> None:
        """Copy the example, with two archives of five lines."""
        shutil.copytree(ROOT / "examples" / "existing_deployment", self.project)
        self.home.mkdir()
        (self.home / "dagster.yaml").write_text("telemetry: {enabled: false}\nnux: {enabled: false}\n")
        for name in KEYS:
            text = _DEFS.format(name=name, NAME=name.upper())
            (self.project / "src" / "existing_deployment" / "defs" / name / "defs.yaml").write_text(text)

    def environment(self) -> dict[str, str]:
        """Return the environment of a command: none of this process's settings."""
        return {
            "PATH": f"{self.python.parent}:/usr/bin:/bin",
            "HOME": str(self.folder),
            "PYTHONPATH": str(self.project / "src"),
            "DAGSTER_HOME": str(self.home),
            "DAGSTER_DISABLE_TELEMETRY": "1",
            **self.variables,
        }

    def run(self, *arguments: str) -> str:
        """Run Python of the environment in the project; return what it printed. Raises if it fails."""
        folder = self.project if self.project.exists() else self.folder
        done = subprocess.run(  # noqa: S603  the interpreter of the trial
            [self.python, *arguments], cwd=folder, env=self.environment(), capture_output=True, text=True, check=False
        )
        self.printed += [done.stdout, done.stderr]
        if done.returncode:
            raise SystemExit(f"{' '.join(arguments)}: status {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def dg(self, *arguments: str) -> str:
        """Run a command of `dg`."""
        return self.run("-m", "dagster_dg_cli.cli", *arguments)

    @contextmanager
    def webserver(self) -> Iterator[str]:
        """Serve the project with Dagster's webserver; yield its address."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        module = ["-m", "existing_deployment.definitions"]
        command = [str(self.python), "-m", "dagster_webserver", *module, "-p", port]
        with (self.folder / "webserver.log").open("w") as log:
            process = subprocess.Popen(  # noqa: S603
                command, cwd=self.project, env=self.environment(), stdout=log, stderr=subprocess.STDOUT
            )
            try:
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()
                process.wait(30)


def main() -> int:
    """Run the trial, and print the time of each step."""
    with ExitStack() as stack:
        trial = Trial(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="recall-wheel-"))))
        with step("build and install"):
            trial.install()
            trial.make_project()
        servers = {name: stack.enter_context(serve(trial, name, number)) for number, name in enumerate(KEYS)}
        with step("dg check yaml, dg check defs, dg list defs"):
            trial.dg("check", "yaml")  # one after the other: two at once would both create the home
            trial.dg("check", "defs")
            listed = trial.dg("list", "defs", "--json")
        assets = {asset["asset_key"] for asset in json.loads(listed)["assets"]}
        expect("four assets of each archive", {f"{name}/{asset}" for name in KEYS for asset in ASSETS} <= assets)
        expect("the assets of the project", {"meeting_hours", "exchange_rate"} <= assets)
        with step("a day of both archives"):
            for name in KEYS:
                trial.dg("launch", "--job", f"{name}_sync_day", "--partition", DAY.isoformat())
        check_archives(trial, servers)
        with step("GraphQL"), trial.webserver() as address:
            answers = ask(address)
        expect("GraphQL shows both archives", all(f"{name}_sync_day" in answers for name in KEYS))
        check_secrets(trial, answers)
    return 0


@contextmanager
def serve(trial: Trial, name: str, number: int) -> Iterator[ForeignServer]:
    """Serve a workspace whose ids are those of the other workspace, and whose audio is not."""
    with ForeignServer(KEYS[name], DAY, DIALECTS[name], frequency=300 + 400 * number).running() as server:
        trial.variables[f"{name.upper()}_RECALL_API_KEY"] = KEYS[name]
        trial.variables[f"{name.upper()}_API_URL"] = server.api_url
        yield server


def check_archives(trial: Trial, servers: dict[str, ForeignServer]) -> None:
    """Check that each archive has exactly its own MP3s, and that no server got the key of the other."""
    archives = {name: stored(str(trial.project / "data" / name)) for name in KEYS}
    folder = f"mixed_audio/day={DAY}"
    for name, server in servers.items():
        takes = ((object_id("recording", *take), object_id("audio", *take)) for take in server.objects.takes)
        own = {f"{folder}/{recording}/{audio}.mp3": server.mp3s[audio] for recording, audio in takes}
        found = {key: content for key, content in archives[name].items() if key.endswith(".mp3")}
        expect(f"the archive of {name} has its {len(own)} MP3s, byte for byte, and no other", found == own)
        expect(f"the server of {name} saw no other key than its own", server.keys_seen == {KEYS[name]})
        keys_for_media = {each.authorization for each in server.requests if each.is_media}
        expect(f"no request for an MP3 of {name} carries a key", keys_for_media == {None})
    expect("both archives have equal keys, and each its own audio", archives["eu"].keys() == archives["us"].keys())


def ask(address: str) -> str:
    """Return the answers of Dagster's GraphQL API to all queries, as text. Raises if one has an error."""
    wait_for(address)
    texts = []
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        for query in QUERIES:
            texts.append(client.post("/graphql", json={"query": query}).text)
            if '"errors"' in texts[-1] or '"PythonError"' in texts[-1]:
                raise SystemExit(f"GraphQL has no answer to {query}:\n{texts[-1]}")
        of_runs = [{"query": events_query(run_id)} for run_id in run_ids(json.loads(texts[-1]))]
        texts += [client.post("/graphql", json=query).text for query in of_runs]
    return "\n".join(texts)


def run_ids(answer: dict[str, Any]) -> list[str]:
    """Return the ids of the runs in the answer to the last query."""
    return [run["id"] for run in answer["data"]["runsOrError"]["results"]]


def events_query(run_id: str) -> str:
    """Return the query for the events of a run."""
    values = "... on TextMetadataEntry { text } ... on JsonMetadataEntry { jsonString }"
    of_asset = f"... on MaterializationEvent {{ metadataEntries {{ label {values} }} tags {{ key value }} }}"
    fields = f"events {{ __typename ... on MessageEvent {{ message }} {of_asset} }}"
    return f'{{ logsForRun(runId: "{run_id}") {{ ... on EventConnection {{ {fields} }} }} }}'


def wait_for(address: str) -> None:
    """Wait until the webserver answers. Raises if it does not."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{address}/server_info", trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise SystemExit("the webserver did not answer within two minutes")


def check_secrets(trial: Trial, answers: str) -> None:
    """Check that no key is in an answer, in what a command printed, or in a file of Dagster or of an archive."""
    texts = {"GraphQL": answers.encode(), "what was printed": "\n".join(trial.printed).encode()}
    folders = (trial.home, trial.project)
    files = {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}
    texts |= files | {"the log of the webserver": (trial.folder / "webserver.log").read_bytes()}
    expect("the search finds what is there", any(b"eu_sync_day" in content for content in files.values()))
    secrets = [each.encode() for each in (*KEYS.values(), PASSWORD, VIDEO_TOKEN, PARTICIPANT, "x-amz-security-token")]
    found = [name for name, content in texts.items() if any(secret in content for secret in secrets)]
    expect(f"no key, link, password or participant in {len(texts)} texts and files: {found}", not found)


def expect(sentence: str, holds: bool) -> None:
    """Print a sentence that holds; end the program with one that does not."""
    if not holds:
        raise SystemExit(f"NOT SO: {sentence}")
    print(f"      {sentence}")


@contextmanager
def step(name: str) -> Iterator[None]:
    """Print the duration of a step."""
    began = time.monotonic()
    yield
    print(f"{time.monotonic() - began:5.1f} {name}")


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
