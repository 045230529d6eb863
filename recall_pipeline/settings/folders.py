"""The folders of this host that everything else is found from."""

import os
from pathlib import Path


def project_folder() -> Path:
    """Return the folder of workspace.yaml: the checkout, else the nearest one above the working folder."""
    checkout = Path(__file__).resolve().parent.parent.parent
    working = Path.cwd()
    for folder in (checkout, working, *working.parents):
        if (folder / "workspace.yaml").is_file():
            return folder
    return working


def dagster_home() -> Path:
    """Return the folder where this host keeps its state: DAGSTER_HOME, else `.dagster` beside workspace.yaml."""
    home = os.environ.get("DAGSTER_HOME")
    return Path(home).expanduser() if home else project_folder() / ".dagster"


def absolute(path: str | Path) -> Path:
    """Return `path` from the folder of workspace.yaml on, symbolic links kept."""
    try:
        return Path(os.path.abspath(project_folder() / Path(path).expanduser()))  # noqa: PTH100 -- keep symbolic links
    except RuntimeError:
        raise ValueError("starts in the home of an unknown user: write the whole path") from None
