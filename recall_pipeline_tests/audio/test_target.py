"""A target rejects what would fail for every file; its recipe has everything that affects the output."""

from dataclasses import fields, replace
from typing import Any

import pytest

from recall_pipeline.audio import Target
from recall_pipeline.errors import SettingsError


def test_the_recipe_is_one_compact_line() -> None:
    assert Target().recipe == "flac/16000Hz/1ch/-16.0LUFS/-1.5dBTP/12.0dB/engine3"


def test_integers_and_floats_give_the_same_recipe() -> None:
    assert Target(loudness_lufs=-16, limiter_max_db=12).recipe == Target().recipe


def test_a_file_of_another_engine_was_made_for_the_same_target() -> None:
    assert Target().made(Target().recipe.replace("engine3", "engine2"))
    assert not Target().made(Target(format="mp3").recipe)
    assert not Target().made(None)


OTHER_VALUES = {
    "format": "mp3",
    "sample_rate_hz": 8000,
    "channels": 2,
    "loudness_lufs": -23.0,
    "true_peak_dbtp": -2.0,
    "limiter_max_db": 6.0,
}


@pytest.mark.parametrize("name", [field.name for field in fields(Target)])
def test_every_field_changes_the_recipe(name: str) -> None:
    changes: dict[str, Any] = {name: OTHER_VALUES[name]}
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
def test_an_unsupported_value_is_rejected_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"normalized audio: .* is not supported; use "):
        Target(**wrong)
