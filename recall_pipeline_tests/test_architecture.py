"""The rooms keep the order that the package's docstring draws."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import recall_pipeline

PACKAGE = Path(recall_pipeline.__file__).parent
ROOMS = sorted(path.parent for path in PACKAGE.glob("*/__init__.py"))
MAY_IMPORT_DAGSTER = {"assets", "automation", "definitions", "cli"}
JUNK_ROOM = re.compile(r"(^|_)(utils?|helpers?|common|misc|base|core|managers?)(_|$)")


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
            assert not node.level, "relative imports hide the room they come from"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(path: Path) -> str:
    """Return the room of a file: the folder or module right below the package; `__main__` is the command line."""
    name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "cli" if name == "__main__" else name


def imported_room(name: str) -> str | None:
    """Return the room of this package that an imported name lies in."""
    package, _, rest = name.partition(".")
    room = rest.split(".")[0]
    known = (PACKAGE / room).is_dir() or (PACKAGE / f"{room}.py").is_file()
    return room if package == PACKAGE.name and room and known else None


RANKS = drawn_ranks(recall_pipeline.__doc__ or "")
IMPORTS = [
    (path, name)
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.parent != PACKAGE or path.name != "__init__.py"
    for name in imports_in(path.read_text("utf-8"))
]
EDGES = sorted({(room_of(path), room) for path, name in IMPORTS if (room := imported_room(name))})


def test_the_drawing_names_every_room_and_no_other() -> None:
    there = {room_of(path) for path in (*PACKAGE.glob("*.py"), *ROOMS)} - {"__init__", "sandbox"}
    assert set(RANKS) == there


def test_a_room_imports_only_from_rooms_drawn_above_it() -> None:
    drawn = [(room, other) for room, other in EDGES if room in RANKS and other in RANKS]
    assert [f"{room} imports {other}" for room, other in drawn if RANKS[other] > RANKS[room]] == []


def test_the_sandbox_stands_alone() -> None:
    assert {other for room, other in EDGES if room == "sandbox"} <= {"sandbox", "errors"}


def test_only_the_command_line_opens_the_sandbox() -> None:
    assert {room for room, other in EDGES if other == "sandbox"} <= {"sandbox", "cli"}


def test_only_the_rooms_that_face_dagster_import_it() -> None:
    faces = {room_of(path) for path, name in IMPORTS if re.match(r"dagster\w*(\.|$)", name)}
    assert faces <= MAY_IMPORT_DAGSTER


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_the_label_on_a_rooms_door_says_what_belongs_there_and_what_does_not(room: Path) -> None:
    label = ast.get_docstring(ast.parse((room / "__init__.py").read_text("utf-8"))) or ""
    assert "Belongs here" in label
    assert "Does not" in label


def test_no_file_or_folder_is_a_junk_room() -> None:
    assert [str(path) for path in PACKAGE.rglob("*") if JUNK_ROOM.search(path.stem)] == []


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import recall_pipeline.cli as door", ["recall_pipeline.cli"]),
        ("from recall_pipeline import cli", ["recall_pipeline.cli"]),
        ("from recall_pipeline.cli import main", ["recall_pipeline.cli.main"]),
        ("def late():\n    from recall_pipeline.cli import main", ["recall_pipeline.cli.main"]),
    ],
)
def test_every_spelling_of_an_import_is_seen(source: str, names: list[str]) -> None:
    assert list(imports_in(source)) == names
    assert [imported_room(name) for name in names] == ["cli"]
