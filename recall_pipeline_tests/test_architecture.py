"""The packages keep the order that the docstring of `recall_pipeline` draws."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import recall_pipeline

PACKAGE = Path(recall_pipeline.__file__).parent
ROOT = PACKAGE.parent
SANDBOX, TRANSCRIPTS = ROOT / "recall_sandbox", ROOT / "recall_transcripts"
PRODUCT = (PACKAGE, SANDBOX, TRANSCRIPTS)
SUBPACKAGES = sorted(path.parent for path in PACKAGE.glob("*/__init__.py"))
MAY_IMPORT_DAGSTER = {"defs", "components", "downstream", "definitions", "cli"}
MAY_OPEN_THE_SANDBOX = {"cli"}
JUNK_NAME = re.compile(r"(^|_)(utils?|helpers?|common|misc|base|core|managers?)(_|$)")


def drawn_ranks(docstring: str) -> dict[str, int]:
    """Return each name of the drawing with the number of its line; names on one line are equals."""
    lines = re.findall(r"^ {4}(\w+(?:, \w+)*) {2,}\S", docstring, re.MULTILINE)
    return {name: rank for rank, line in enumerate(lines) for name in line.split(", ")}


def imports_in(source: str) -> Iterator[str]:
    """Yield the full name of all that `source` imports, inside functions too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports hide the package they come from"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def package_of(path: Path) -> str:
    """Return the folder or module right below `recall_pipeline`; `__main__` is the command line."""
    name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "cli" if name == "__main__" else name


def imported_package(name: str) -> str | None:
    """Return the package of `recall_pipeline` that an imported name is in."""
    top, _, rest = name.partition(".")
    package = rest.split(".")[0]
    known = (PACKAGE / package).is_dir() or (PACKAGE / f"{package}.py").is_file()
    return package if top == PACKAGE.name and package and known else None


def imports_of(folder: Path) -> list[tuple[Path, str]]:
    """Return every import of every file below a folder."""
    return [(path, name) for path in sorted(folder.rglob("*.py")) for name in imports_in(path.read_text("utf-8"))]


RANKS = drawn_ranks(recall_pipeline.__doc__ or "")
IMPORTS = [(path, name) for path, name in imports_of(PACKAGE) if path != PACKAGE / "__init__.py"]
EDGES = sorted({(package_of(path), other) for path, name in IMPORTS if (other := imported_package(name))})


def test_the_drawing_names_every_package_and_no_other() -> None:
    assert set(RANKS) == {package_of(path) for path in (*PACKAGE.glob("*.py"), *SUBPACKAGES)} - {"__init__"}


def test_a_package_imports_only_from_packages_drawn_above_it() -> None:
    drawn = [(package, other) for package, other in EDGES if package in RANKS and other in RANKS]
    assert [f"{package} imports {other}" for package, other in drawn if RANKS[other] > RANKS[package]] == []


def test_the_sandbox_imports_nothing_of_the_pipeline() -> None:
    assert [f"{path.name} imports {name}" for path, name in imports_of(SANDBOX) if name.startswith("recall_pi")] == []


def test_only_the_command_line_opens_the_sandbox() -> None:
    opened_by = {package_of(path) for path, name in IMPORTS if name.startswith("recall_sandbox")}
    assert opened_by <= MAY_OPEN_THE_SANDBOX


def test_the_transcripts_import_only_what_the_pipeline_publishes() -> None:
    names = {name for _, name in imports_of(TRANSCRIPTS) if name.startswith("recall_pipeline")}
    public = ("recall_pipeline.downstream.", "recall_pipeline.audio.", "recall_pipeline.RecallArchiveComponent")
    assert sorted(name for name in names if not name.startswith(public) or name.count(".") > 2) == []


def test_only_the_packages_that_face_dagster_import_it() -> None:
    faces = {package_of(path) for path, name in IMPORTS if re.match(r"dagster\w*(\.|$)", name)}
    assert faces <= MAY_IMPORT_DAGSTER


def test_a_package_is_imported_by_the_names_that_it_exports() -> None:
    """`from recall_pipeline.storage import Archive`, never `from recall_pipeline.storage.archive import Archive`."""
    bypassing = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path, name in IMPORTS
        if (other := imported_package(name)) and other != package_of(path) and name.count(".") > 2
    ]
    assert bypassing == []


@pytest.mark.parametrize("package", SUBPACKAGES, ids=lambda package: package.name)
def test_the_docstring_of_a_package_states_what_belongs_there_and_what_does_not(package: Path) -> None:
    label = ast.get_docstring(ast.parse((package / "__init__.py").read_text("utf-8"))) or ""
    assert "Belongs here" in label
    assert "Does not" in label


def test_no_file_or_folder_is_a_junk_drawer() -> None:
    files = [path for package in PRODUCT for path in package.rglob("*")]
    assert [str(path) for path in files if JUNK_NAME.search(path.stem)] == []


def test_a_grep_for_a_class_or_function_gives_one_definition() -> None:
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    trees = [ast.parse(path.read_text("utf-8")) for package in PRODUCT for path in package.rglob("*.py")]
    names = Counter(node.name for tree in trees for node in tree.body if isinstance(node, kinds))
    assert sorted(name for name, count in names.items() if count > 1 and not name.startswith("__")) == []


def test_no_two_modules_are_called_day() -> None:
    assert len([path for package in PRODUCT for path in package.rglob("day.py")]) <= 1


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import recall_pipeline.cli as program", ["recall_pipeline.cli"]),
        ("from recall_pipeline import cli", ["recall_pipeline.cli"]),
        ("from recall_pipeline.cli import main", ["recall_pipeline.cli.main"]),
        ("def late():\n    from recall_pipeline.cli import main", ["recall_pipeline.cli.main"]),
    ],
)
def test_every_spelling_of_an_import_is_seen(source: str, names: list[str]) -> None:
    assert list(imports_in(source)) == names
    assert [imported_package(name) for name in names] == ["cli"]
