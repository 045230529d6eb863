"""A target refuses at once what would fail for every file, and names all that changes the output."""

from dataclasses import fields, replace
from typing import Any

import pytest

from recall_pipeline.audio import Target
from recall_pipeline.errors import SettingsError


def test_the_recipe_is_one_compact_line() -> None:
    assert Target().recipe == "flac/16000Hz/1ch/-16.0LUFS/-1.5dBTP/12.0dB/engine2"


def test_a_whole_number_is_no_other_recipe() -> None:
    assert Target(loudness_lufs=-16, limiter_max_db=12).recipe == Target().recipe


OTHERS = {
    "format": "mp3",
    "sample_rate_hz": 8000,
    "channels": 2,
    "loudness_lufs": -23.0,
    "true_peak_dbtp": -2.0,
    "limiter_max_db": 6.0,
}


@pytest.mark.parametrize("name", [field.name for field in fields(Target)])
def test_whatever_changes_the_output_changes_the_recipe(name: str) -> None:
    changes: dict[str, Any] = {name: OTHERS[name]}
    assert replace(Target(), **changes).recipe != Target().recipe


@pytest.mark.parametrize(
    "wrong",
    [
        {"format": "aac"},
        {"sample_rate_hz": 44099},
        {"format": "opus", "sample_rate_hz": 44100},
        {"channels": 3},
        {"loudness_lufs": 0.0},
        {"loudness_lufs": float("nan")},
        {"true_peak_dbtp": 1.0},
        {"limiter_max_db": -1.0},
    ],
    ids=str,
)
def test_what_no_encoder_takes_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"normalized audio: .* is not supported; use "):
        Target(**wrong)
