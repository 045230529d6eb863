"""What code and documents cite exists: documents, their sections, rows of tables, and the targets of links."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recall_pipeline_tests.citations import (
    LINK,
    ROOT,
    broken_citations,
    broken_links,
    files,
    sections_of_nothing,
    text_of,
)

FILES = [path for path in files() if path != Path(__file__)]  # this one cites what does not exist
DESIGN = ROOT / "docs" / "design"


def broken(find: Callable[[Path, str], Iterator[str]], *suffixes: str) -> list[str]:
    """Return what `find` yields in each file with one of these endings; without any, in every file."""
    searched = [path for path in FILES if not suffixes or path.suffix in suffixes]
    assert searched
    return [f"{path.relative_to(ROOT)}: {found}" for path in searched for found in find(path, text_of(path))]


def test_every_document_section_and_row_that_a_file_cites_exists() -> None:
    assert broken(broken_citations) == []


def test_code_cites_a_section_with_its_document() -> None:
    assert broken(lambda _, text: sections_of_nothing(text), ".py", ".sh", ".toml", ".yaml", ".yml") == []


def test_every_relative_link_of_a_document_leads_to_a_file_and_a_heading() -> None:
    assert broken(broken_links, ".md") == []


def test_every_decision_is_in_the_index() -> None:
    folder = DESIGN / "adr"
    linked = [link["file"] for link in LINK.finditer(text_of(folder / "README.md"))]
    assert linked == sorted(path.name for path in folder.glob("[0-9]*.md"))


@pytest.mark.parametrize(
    "text",
    [
        "see docs/design/interface.md, section 4, row 3)",
        "see interface.md section 4, rows 1 to 3",
        "(docs/design/recall-api.md, sections 4 to 6, 10)",
        "# (docs/design/recall-api.md,\n# sections 4-6 and 10)",
        "`docs/tables.md`",
        "hashlib.md5(), dg.MetadataValue.md(text)",
        "https://example.com/absent.md",
    ],
)
def test_a_citation_of_what_is_there_passes(text: str) -> None:
    assert list(broken_citations(DESIGN / "interface.md", text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "see absent.md",
        "see docs/absent.md, section 1",
        "docs/design/interface.md section 7",
        "docs/design/interface.md, sections 5-7",
        "docs/design/recall-api.md, sections 1 and 11",
        "(docs/design/recall-api.md,\n    section 11)",
        "docs/design/interface.md, section 4, row 11",
        "docs/design/interface.md, section 5, row 3",
        "docs/tables.md, section 1",
    ],
)
def test_a_citation_of_what_is_not_there_is_found(text: str) -> None:
    assert len(list(broken_citations(DESIGN / "interface.md", text))) == 1


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("counted in a window (section 2)", 1),
        ("interface.md, section 2, recall-api.md, section 1; and section 3", 1),
        ("RFC 9110 section 14.1.2, ISO/IEC 11172-3 section 2.4.1.3", 0),
        ("interface.md\n# sections 2 and 3", 0),
        ('formatter.section("Commands")', 0),
    ],
)
def test_a_section_cited_alone_is_found(text: str, count: int) -> None:
    assert len(list(sections_of_nothing(text))) == count


@pytest.mark.parametrize(
    ("link", "count"),
    [
        ("[outcomes](#outcomes)", 0),
        ("[bots](recall-api.md#4-bots)", 0),
        ("[elsewhere](https://example.com/absent.md#nothing)", 0),
        ("[gone](absent.md)", 1),
        ("[nowhere](#nothing)", 1),
        ("[nowhere](recall-api.md#nothing)", 1),
    ],
)
def test_a_link_without_a_target_is_found(link: str, count: int) -> None:
    assert len(list(broken_links(DESIGN / "interface.md", link))) == count
