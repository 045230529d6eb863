"""A build is the same everywhere, and holds the packages and nothing else."""

import os
import re
import tarfile
import tomllib
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

from recall_pipeline_tests.citations import ROOT
from recall_pipeline_tests.distribution.builds import PACKAGES, Built, build, copy_checkout, tracked_files

KEY = "key-in-a-file-of-the-checkout"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
OF_PACKAGES = {path for path in tracked_files() if path.startswith(tuple(f"{package}/" for package in PACKAGES))}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout as a maintainer has it: with files that are ignored, and others that are not tracked."""
    folder = tmp_path_factory.mktemp("checkout")
    copy_checkout(folder)
    (folder / "recall_pipeline" / ".env").write_text(f"RECALL_API_KEY={KEY}\n")
    (folder / "recall_pipeline" / "__pycache__").mkdir()
    (folder / "recall_pipeline" / "__pycache__" / "errors.cpython-311.pyc").touch()
    for name in ("data", "venv", ".venv", ".dagster"):
        (folder / name).mkdir()
        (folder / name / "secret.txt").write_text(KEY)
    (folder / "notes.txt").touch()
    return folder


@pytest.fixture(scope="module")
def built(checkout: Path) -> Built:
    return build(checkout)


def names_in(built: Built) -> tuple[set[str], set[str]]:
    """Return the names of the files in the wheel, and in the source distribution without its top folder."""
    with zipfile.ZipFile(built.wheel) as wheel, tarfile.open(built.sdist) as sdist:
        return set(wheel.namelist()), {name.partition("/")[2] for name in sdist.getnames()}


def test_builds_of_two_folders_are_equal_byte_for_byte(built: Built, tmp_path: Path) -> None:
    other = tmp_path / "with a space" / "deeper"
    copy_checkout(other)
    for path in other.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(path.stat().st_mode & 0o700)  # git tracks the owner's right to execute
    again = build(other)
    assert (built.wheel.name, built.sdist.name) == (again.wheel.name, again.sdist.name)
    assert built.wheel.read_bytes() == again.wheel.read_bytes()
    assert built.sdist.read_bytes() == again.sdist.read_bytes()


def test_the_wheel_of_the_source_distribution_is_that_of_the_checkout(built: Built, tmp_path: Path) -> None:
    with tarfile.open(built.sdist) as sdist:
        sdist.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    assert build(unpacked, "-t", "wheel").wheel.read_bytes() == built.wheel.read_bytes()


def test_the_wheel_holds_the_tracked_files_of_the_packages_and_its_own_metadata(built: Built) -> None:
    wheel, _ = names_in(built)
    info = f"recall_pipeline-{VERSION}.dist-info"
    metadata = {f"{info}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")}
    assert wheel == OF_PACKAGES | metadata


def test_the_source_distribution_adds_only_what_a_build_reads_and_what_a_user_is_shown(built: Built) -> None:
    _, sdist = names_in(built)
    shown = {".gitignore", "CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "SECURITY.md", "pyproject.toml"}
    assert sdist == OF_PACKAGES | shown


def test_what_the_packages_read_beside_their_code_is_there(built: Built) -> None:
    wheel, _ = names_in(built)
    read = {"recall_pipeline/py.typed", "recall_transcripts/py.typed", "recall_sandbox/demo_meetings.yaml"}
    assert read <= wheel
    assert {path for path in wheel if path.endswith((".flac", ".yaml", ".json", ".html", ".css", ".js", ".svg"))} == {
        path for path in OF_PACKAGES if not path.endswith((".py", ".md", ".sh", ".typed"))
    }


def test_no_file_of_a_build_has_a_secret_or_a_path_of_this_machine(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel, tarfile.open(built.sdist) as sdist:
        contents = {name: wheel.read(name) for name in wheel.namelist()}
        contents |= {each.name: file.read() for each in sdist if (file := sdist.extractfile(each)) is not None}
    found = re.compile(rb"%s|%s|BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16}" % (KEY.encode(), re.escape(bytes(ROOT))))
    assert [name for name, content in contents.items() if found.search(content)] == []


def test_the_metadata_states_version_licence_and_supported_pythons(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        text = wheel.read(f"recall_pipeline-{VERSION}.dist-info/METADATA").decode()
        points = wheel.read(f"recall_pipeline-{VERSION}.dist-info/entry_points.txt").decode()
    metadata = HeaderParser().parsestr(text)
    assert (metadata["Name"], metadata["Version"]) == ("recall_pipeline", VERSION)
    assert (metadata["License-Expression"], metadata["Requires-Python"]) == ("Apache-2.0", "<3.15,>=3.11")
    assert "recall-pipeline = recall_pipeline.cli:main" in points
    assert "[dagster_dg_cli.registry_modules]" in points
