"""The seed guide's way of getting the audio, as a baseline: list bots, look up each one's recordings, look up each
recording's mixed audio, and download one file after another.

`python -m benchmarks.seed_guide API_URL API_KEY FOLDER [MOST_FILES]`
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

_CHUNK_BYTES = 8192  # as in the documentation of requests
_PATIENCE_SECONDS = 60


def main() -> None:
    """Download everything, or the first so many files."""
    api_url, api_key, folder, *most = sys.argv[1:]
    print(download_all(api_url, api_key, Path(folder), int(most[0]) if most else None))


def download_all(api_url: str, api_key: str, folder: Path, most_files: int | None = None) -> int:
    """Download the mixed audio of every recording of every bot into `folder`; return the number of files."""
    headers = {"Authorization": f"Token {api_key}"}
    files = 0
    for bot in _listed(f"{api_url}/bot/", headers):
        for recording in _listed(f"{api_url}/recording/?bot_id={bot['id']}", headers):
            for audio in _listed(f"{api_url}/audio_mixed/?recording_id={recording['id']}", headers):
                if files == most_files:
                    return files
                _download(audio["data"]["download_url"], folder / f"{audio['id']}.mp3")
                files += 1
    return files


def _listed(url: str | None, headers: dict[str, str]) -> Iterator[dict[str, Any]]:
    while url:
        answer = requests.get(url, headers=headers, timeout=_PATIENCE_SECONDS)
        answer.raise_for_status()
        page = answer.json()
        yield from page["results"]
        url = page["next"]


def _download(url: str, path: Path) -> None:
    with requests.get(url, stream=True, timeout=_PATIENCE_SECONDS) as answer, path.open("wb") as file:
        answer.raise_for_status()
        for chunk in answer.iter_content(_CHUNK_BYTES):
            file.write(chunk)


if __name__ == "__main__":
    main()
