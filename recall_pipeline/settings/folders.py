"""The base folders of this host: the project folder and the Dagster home."""

import os
from pathlib import Path

from recall_pipeline.errors import SettingsError


def project_folder() -> Path:
    """Return the folder of workspace.yaml: the checkout, else the nearest parent of the working folder that has one."""
    checkout = Path(__file__).resolve().parent.parent.parent
    working = Path.cwd()
    for folder in (checkout, working, *working.parents):
        if (folder / "workspace.yaml").is_file():
            return folder
    return working


def dagster_home() -> Path:
    """Return the folder for the state of this host: DAGSTER_HOME, else `.dagster` beside workspace.yaml.

    Raises SettingsError if the variable is not a path.
    """
    home = os.environ.get("DAGSTER_HOME")
    if not home:
        return project_folder() / ".dagster"
    if home[0] in "\"'" or home[-1] in "\"'":
        raise SettingsError(f"DAGSTER_HOME {home} contains quotes, which count as part of the value: remove them")
    if home != home.strip():
        raise SettingsError(f"DAGSTER_HOME {home!r} begins or ends with a space, which counts as part of it: remove it")
    try:
        return Path(home).expanduser()
    except RuntimeError:
        raise SettingsError(f"DAGSTER_HOME {home} starts with an unknown home: use an absolute path") from None


def absolute(path: str | Path) -> Path:
    """Return `path` as absolute, relative to the folder of workspace.yaml; symbolic links are not resolved."""
    try:
        return Path(os.path.abspath(project_folder() / Path(path).expanduser()))  # noqa: PTH100 -- keep symbolic links
    except RuntimeError:
        raise ValueError("starts with the home of an unknown user: use an absolute path") from None
