"""List the messages of the errors that the code raises, read from its source; what varies in a message is `…`."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from recall_pipeline import errors

PACKAGES = ("recall_pipeline", "recall_transcripts")
CLASSES = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.PipelineError)
}
FEWEST_WORDS = 3  # of a message that can be searched for
OF_ARGUMENTS = "fail"  # click's method for a wrong argument


def message_sections(root: Path) -> Iterator[str]:
    """Yield for each class of errors its definition, and its messages as a block."""
    messages = _messages(root)
    for name, kind in CLASSES.items():
        if messages[name]:
            definition = (kind.__doc__ or "").partition("\n")[0]
            yield from (
                f"### {name}",
                "",
                f"{definition} Dagster retries the step: {'yes' if kind.retry_can_help else 'no'}.",
                "",
            )
            yield from ("```", *sorted(messages[name], key=str.lower), "```", "")


def _messages(root: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for path in (path for package in PACKAGES for path in (root / package).rglob("*.py")):
        is_setting = path.parent.name == "settings"
        for name, text in _raised(ast.parse(path.read_text("utf-8"))):
            if name == "ValueError" and is_setting:
                found["SettingsError"].add(text if text.startswith("RECALL_") else f"RECALL_… {text}")
            elif name == OF_ARGUMENTS and path.parent.name == "cli":
                found["UsageError"].add(text)
            elif name in CLASSES:
                found[name].add(text)
    return found


def _raised(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield class and message wherever an error is made from a text that can be searched for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            name = ast.unparse(node.func).rpartition(".")[2]
            text = re.sub(r"(…\s*)+(?=…)", "", _template(node.args[0])).replace("`", "")
            if len(re.findall(r"[A-Za-z]{2,}", text)) >= FEWEST_WORDS:
                yield name, text


def _template(message: ast.expr) -> str:
    if isinstance(message, ast.Constant):
        return str(message.value)
    parts: Iterable[ast.expr] = message.values if isinstance(message, ast.JoinedStr) else ()
    return "".join(part.value if isinstance(part, ast.Constant) else "…" for part in parts)  # type: ignore[misc]
