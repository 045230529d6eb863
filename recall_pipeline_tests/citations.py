"""Find what files cite, and which of it does not exist: documents, sections, rows of tables, targets of links."""

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
READ = (".md", ".py", ".pyi", ".sh", ".toml", ".yaml", ".yml")
READ_BY_NAME = ("Makefile", "Dockerfile", "install", "run")
IGNORED = [line.strip("/") for line in (ROOT / ".gitignore").read_text("utf-8").splitlines() if line] + [".git"]

DOCUMENT = r"(?<![\w./:-])(?P<document>(?:\.{1,2}/)*(?:[\w-]+/)*[\w-]+\.md)\b(?!\()"
NUMBERS = r"\d+(?:(?:\s*(?:-|,|to\b|and\b)[\s#]*)\d+)*"
CITED = re.compile(
    rf"{DOCUMENT}`?(?:,?[\s#]+sections?[\s#]+(?P<sections>{NUMBERS}))?(?:,[\s#]+rows?[\s#]+(?P<rows>{NUMBERS}))?"
)
SECTION = re.compile(r"\bsections?[\s#]+\d")
STANDARD = re.compile(r"(?:RFC|ISO)[\w/ -]*[\s#]+$")  # their sections are not ours
LINK = re.compile(r"\]\((?!\w+:)(?P<file>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def is_ours(path: Path) -> bool:
    """Say whether a file or folder belongs to the repository, by its .gitignore."""
    return not any(fnmatch(path.name, pattern) for pattern in IGNORED)


def files(folder: Path = ROOT) -> Iterator[Path]:
    """Yield every file of the repository that may cite a document."""
    for path in sorted(filter(is_ours, folder.iterdir())):
        if path.is_dir():
            yield from files(path)
        elif path.suffix in READ or path.name in READ_BY_NAME:
            yield path


@cache
def text_of(path: Path) -> str:
    """Return a file's text."""
    return path.read_text("utf-8")


def cited_document(citing: Path, name: str) -> Path | None:
    """Return the document that a name means in a file, None where it means none."""
    folders = (citing.parent, ROOT, ROOT / "docs", ROOT / "docs" / "design")
    return next((found for folder in folders if (found := (folder / name).resolve()).is_file()), None)


def numbers_in(cited: str) -> set[int]:
    """Return the numbers of `3`, `1 and 2`, `4-6`, or `4 to 6, 10`."""
    numbers: set[int] = set()
    for first, last in re.findall(r"(\d+)(?:\s*(?:-|to\b)[\s#]*(\d+))?", cited):
        numbers |= set(range(int(first), int(last or first) + 1))
    return numbers


def without_code(text: str) -> str:
    """Return a document's text without its blocks of code, whose comments look like headings."""
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


@cache
def sections(document: Path) -> dict[int, str]:
    """Return the text of each numbered section of the second level."""
    parts = re.split(r"^## (\d+)\. ", text_of(document), flags=re.MULTILINE)
    return {int(number): text for number, text in zip(parts[1::2], parts[2::2], strict=True)}


def rows(text: str) -> set[int]:
    """Return the numbers in the first column of a section's tables."""
    return {int(number) for number in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}


@cache
def anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub makes of a document's headings."""
    made: dict[str, int] = {}
    found = set()
    for heading in HEADING.findall(without_code(text_of(document))):
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        count = made[anchor] = made.get(anchor, -1) + 1
        found.add(f"{anchor}-{count}" if count else anchor)
    return found


def broken_citations(citing: Path, text: str) -> Iterator[str]:
    """Yield each citation in a file's text that leads nowhere."""
    for citation in CITED.finditer(text):
        document = cited_document(citing, citation["document"])
        if document is None:
            yield citation[0]
            continue
        cited = numbers_in(citation["sections"] or "")
        there = sections(document)
        within = "".join(there.get(number, "") for number in cited) or text_of(document)
        if cited - there.keys() or numbers_in(citation["rows"] or "") - rows(within):
            yield citation[0]


def sections_of_nothing(text: str) -> Iterator[str]:
    """Yield each section that is cited without its document or standard."""
    cited = [citation.span() for citation in CITED.finditer(text)]
    for section in SECTION.finditer(text):
        is_within = any(start <= section.start() < end for start, end in cited)
        if not is_within and not STANDARD.search(text[: section.start()]):
            yield text[max(section.start() - 40, 0) : section.end()]


def broken_links(document: Path, text: str) -> Iterator[str]:
    """Yield each relative link whose file or anchor does not exist."""
    for link in LINK.finditer(without_code(text)):
        target = (document.parent / link["file"]).resolve() if link["file"] else document
        if not target.exists() or (link["anchor"] and link["anchor"] not in anchors(target)):
            yield link[0]
