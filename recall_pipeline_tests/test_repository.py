"""What a maintainer forgets: locks that lag behind, dependencies that nobody imports, settings Dagster would refuse."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
GROUPS: dict[str, list[str]] = {
    "runtime": PROJECT["project"]["dependencies"],
    **PROJECT["project"]["optional-dependencies"],
    **{
        group: [entry for entry in entries if isinstance(entry, str)]
        for group, entries in PROJECT["dependency-groups"].items()
    },
}
PACKAGES = ("recall_pipeline", "recall_sandbox", "recall_transcripts")
IMPORTED_BY_OTHERS = {
    "audioop-lts": "pydub imports it on Python 3.13 and later",
    "dagster-webserver": "dagster dev starts it",
    "s3fs": "fsspec imports it when a URL says s3",
}
TOP_LEVEL = {
    ".ci",
    ".github",
    ".gitattributes",
    ".gitignore",
    ".pre-commit-config.yaml",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "benchmarks",
    "dagster.yaml",
    "deploy",
    "dg.toml",
    "docs",
    "examples",
    "mkdocs.yml",
    "pyproject.toml",
    "recall_pipeline",
    "recall_pipeline_tests",
    "recall_sandbox",
    "recall_transcripts",
    "requirements",
    "tools",
    "workspace.yaml",
}
ONLY_WHEN_ASKED_FOR = {
    "distributed": "RECALL_WORKERS names a Dask scheduler",
    "psycopg": "RECALL_COORDINATION_URL names a PostgreSQL",
    "redis": "RECALL_COORDINATION_URL names a Redis",
}


def pins(group: str) -> dict[str, str]:
    """Return the version that a group's lock pins for each package."""
    lock = (ROOT / "requirements" / f"{group}.txt").read_text("utf-8")
    found = re.findall(r"^([\w.-]+)(?:\[[\w, -]+\])?==(\S+)", lock, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def distributions_imported(package: str = "recall_pipeline") -> set[str]:
    """Return what a package imports, as the names under which it is installed."""
    trees = [ast.parse(path.read_text("utf-8")) for path in (ROOT / package).rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    tops = {module.split(".")[0] for module in modules} - set(sys.stdlib_module_names) - set(PACKAGES)
    known = packages_distributions()
    return {canonicalize_name(known.get(top, [top])[0]) for top in tops}


def test_the_top_level_holds_only_names_that_are_allowed_there() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607
    assert {path.partition("/")[0] for path in tracked.splitlines()} - TOP_LEVEL == set()


@pytest.mark.parametrize("group", GROUPS)
def test_a_lock_holds_a_hash_for_everything_and_no_address(group: str) -> None:
    lock = (ROOT / "requirements" / f"{group}.txt").read_text("utf-8")
    entries = [entry for entry in re.split(r"^(?=[^\s#])", lock, flags=re.MULTILINE) if not entry.startswith("#")]
    assert [entry for entry in entries if not re.match(r"[^=\n]+==[^\\]+\\\n +--hash=sha256:[0-9a-f]{64}", entry)] == []
    assert re.findall(r"://|--(?:extra-)?index|--find-links|^-", lock, re.MULTILINE) == []


@pytest.mark.parametrize("group", GROUPS)
def test_a_lock_pins_what_pyproject_asks_for(group: str) -> None:
    locked = pins(group)
    wanted = [Requirement(text) for text in GROUPS[group]]
    lagging = [
        str(want) for want in wanted if not want.specifier.contains(locked.get(canonicalize_name(want.name), ""))
    ]
    assert lagging == [], "run `make lock`"


def test_one_environment_can_hold_every_lock() -> None:
    everywhere = {pin for group in GROUPS for pin in pins(group).items()}
    assert len(everywhere) == len({name for name, _ in everywhere})


def test_every_runtime_dependency_is_imported() -> None:
    declared = {canonicalize_name(Requirement(text).name) for text in GROUPS["runtime"]}
    assert declared - distributions_imported() - set(IMPORTED_BY_OTHERS) == set()


def test_everything_imported_is_a_runtime_dependency() -> None:
    declared = {canonicalize_name(Requirement(text).name) for text in GROUPS["runtime"]}
    assert distributions_imported() - declared - set(ONLY_WHEN_ASKED_FOR) == set()
    declared |= {canonicalize_name(Requirement(text).name) for text in GROUPS["transcription"]}
    assert distributions_imported("recall_transcripts") - declared == set()


def test_every_package_is_built() -> None:
    assert PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == list(PACKAGES)


def test_the_build_needs_nothing_beside_its_lock() -> None:
    assert PROJECT["build-system"]["requires"] == GROUPS["build"]


def test_pyproject_leaves_dagster_to_workspace_yaml() -> None:
    assert {"dagster", "dg"}.isdisjoint(PROJECT["tool"]), "`dagster dev` would ignore workspace.yaml"


def test_ci_runs_on_every_python_that_pyproject_supports() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    classifier = re.compile(r"Programming Language :: Python :: (3\.\d+)")
    classified = [found[1] for text in PROJECT["project"]["classifiers"] if (found := classifier.fullmatch(text))]
    required = SpecifierSet(PROJECT["project"]["requires-python"])
    supported = [python for python in (f"3.{minor}" for minor in range(100)) if required.contains(f"{python}.0")]
    assert workflow["jobs"]["checks"]["strategy"]["matrix"]["python"] == classified == supported


def test_hooks_run_only_the_tools_of_this_checkout() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    assert {repo["repo"] for repo in config["repos"]} == {"local"}
    assert [hook["id"] for hook in hooks if not hook["entry"].startswith(".venv/bin/")] == []


def test_dagster_accepts_its_settings_and_keeps_everything_in_one_ignored_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path), config_dir=str(ROOT))) as instance:
        assert not instance.telemetry_enabled
        assert instance.run_monitoring_enabled
    assert [path.name for path in tmp_path.iterdir()] == [".dagster"]
    assert ".dagster/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


def test_no_secrets_beside_any_file_get_into_the_image() -> None:
    assert "**/.env" in (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()


def test_the_changelog_knows_the_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    first, *released = re.findall(r"^## \[(.+?)\](?: - \d{4}-\d\d-\d\d)?$", changelog, re.MULTILINE)
    assert first == "Unreleased"
    assert released[:1] in ([], [PROJECT["project"]["version"]])


def test_the_deployment_names_the_image_of_this_version() -> None:
    values = yaml.safe_load((ROOT / "deploy" / "helm-values.yaml").read_text("utf-8"))
    (deployment,) = values["dagster-user-deployments"]["deployments"]
    assert deployment["image"]["tag"] == PROJECT["project"]["version"]


def test_the_helm_values_have_the_limits_of_the_other_deployments() -> None:
    instance = yaml.safe_load((ROOT / "deploy" / "dagster.yaml").read_text("utf-8"))
    daemon = yaml.safe_load((ROOT / "deploy" / "helm-values.yaml").read_text("utf-8"))["dagsterDaemon"]
    monitoring = {key: value for key, value in daemon["runMonitoring"].items() if key != "maxResumeRunAttempts"}
    assert snake_case_keys(monitoring) == instance["run_monitoring"]
    assert snake_case_keys(daemon["runRetries"]) == instance["run_retries"]
    coordinator = daemon["runCoordinator"]["config"]["queuedRunCoordinator"]
    assert snake_case_keys(coordinator) == instance["concurrency"]["runs"]


def snake_case_keys(camel_case: dict[str, Any]) -> dict[str, Any]:
    """Return a section of the chart's values as it is named in dagster.yaml."""
    return {re.sub("([A-Z])", lambda found: f"_{found[1].lower()}", key): value for key, value in camel_case.items()}


def test_a_setup_without_a_supported_python_fails_with_one_line(tmp_path: Path) -> None:
    script = tmp_path / "requirements" / "install"
    script.parent.mkdir()
    script.write_bytes((ROOT / "requirements" / "install").read_bytes())
    answer = subprocess.run(  # noqa: S603  the script is this checkout's own
        ["/bin/sh", script, "runtime"],
        env={**os.environ, "PYTHON": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert answer.stderr == (
        "No Python 3.11 to 3.14 with venv at PYTHON=false: install one, or name it: make PYTHON=/path/to/python3\n"
    )
    assert not (tmp_path / ".venv").exists()
