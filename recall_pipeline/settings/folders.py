"""The base folders of this host: the project folder and the Dagster home."""

import os
from pathlib import Path


def project_folder() -> Path:
    """Return the folder of workspace.yaml: the checkout, else the nearest parent of the working folder that has one."""
    checkout = Path(__file__).resolve().parent.parent.parent
    working = Path.cwd()
    for folder in (checkout, working, *working.parents):
        if (folder / "workspace.yaml").is_file():
            return folder
    return working


def dagster_home() -> Path:
    """Return the folder for the state of this host: DAGSTER_HOME, else `.dagster` beside workspace.yaml."""
    home = os.environ.get("DAGSTER_HOME")
    return Path(home).expanduser() if home else project_folder() / ".dagster"


def absolute(path: str | Path) -> Path:
    """Return `path` as absolute, relative to the folder of workspace.yaml; symbolic links are not resolved."""
    try:
        return Path(os.path.abspath(project_folder() / Path(path).expanduser()))  # noqa: PTH100 -- keep symbolic links
    except RuntimeError:
        raise ValueError("starts with the home of an unknown user: use an absolute path") from None
