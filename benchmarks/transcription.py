"""How well and how fast a model transcribes clips of yours: `python -m benchmarks.transcription FOLDER`.

FOLDER has recordings and `transcripts.json`, an object with the text of each. They are normalized as the pipeline
does, and transcribed with the engine and model that the TRANSCRIPTS_ variables name. Words are compared as lower-case
letters and digits; the error rate is the edit distance over the words spoken. The first clip takes longer: it loads
the model.
"""

import argparse
import json
import re
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from recall_pipeline.audio import Target, normalize, segments
from recall_transcripts.engines import open_transcriber
from recall_transcripts.settings import load_transcripts_settings
from recall_transcripts.transcriber import Transcriber


def main() -> None:
    """Print a line for each clip, and one for all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    spoken: dict[str, str] = json.loads((folder / "transcripts.json").read_text("utf-8"))
    transcriber = open_transcriber(load_transcripts_settings())
    errors = words = 0
    seconds = worked = 0.0
    for name, text in spoken.items():
        if not (folder / name).is_file():
            print(f"{name}: not there")
            continue
        transcribed, duration, took = transcribe(transcriber, folder / name)
        wrong, count = edit_distance(words_of(text), words_of(transcribed)), len(words_of(text))
        print(f"{name}: {wrong} of {count} words wrong, {took / duration:.2f} of real time: {transcribed}")
        errors, words, seconds, worked = errors + wrong, words + count, seconds + duration, worked + took
    print(f"{transcriber.model.name}: word error rate {errors / words:.3f}, real-time factor {worked / seconds:.2f}")


def transcribe(transcriber: Transcriber, path: Path) -> tuple[str, float, float]:
    """Return the transcript of a clip, its length, and the processing time, in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        normalized = Path(folder) / "normalized.flac"
        facts = normalize(path, normalized, Target())
        begun = time.perf_counter()
        transcribed = transcriber.transcribe(segments(normalized))
        took = time.perf_counter() - begun
    text = " ".join(segment["text"] for segment in transcribed.segments)
    return text, facts.audio_samples / facts.audio_sample_rate_hz, took


def words_of(text: str) -> list[str]:
    """Return the normalized words of a text."""
    return re.findall(r"[a-z0-9']+", text.lower())


def edit_distance(spoken: Sequence[str], transcribed: Sequence[str]) -> int:
    """Return the number of word insertions, deletions and replacements between two texts."""
    row = list(range(len(transcribed) + 1))
    for number, word in enumerate(spoken, start=1):
        above, row[0] = row[0], number
        for place, other in enumerate(transcribed, start=1):
            above, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, above + (word != other))
    return row[-1]


if __name__ == "__main__":
    main()
