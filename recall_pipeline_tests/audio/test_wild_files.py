"""Files as found in the wild: whole ones are audio, halves and rubbish are not, and every loss has a finding."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from recall_pipeline.audio import Target, decode_whole, normalize
from recall_pipeline.audio.decoder import Decoder
from recall_pipeline.errors import NotAudio
from recall_pipeline_tests.audio import wild_bytes as wild
from recall_pipeline_tests.audio.sounds import decoded
from recall_pipeline_tests.audio.wild_files import CUT, LEVELED, NOT_AUDIO, WHOLE, opposite


def written(folder: Path, body: bytes, name: str = "a.mp3") -> Path:
    (folder / name).write_bytes(body)
    return folder / name


@pytest.mark.parametrize("kind", WHOLE)
def test_what_is_audio_decodes_to_its_length_with_exactly_its_findings(kind: str, tmp_path: Path) -> None:
    expected = WHOLE[kind]
    result = decode_whole(written(tmp_path, expected.make()))
    assert result.duration_seconds == pytest.approx(expected.seconds, abs=0.1)
    assert {finding.code for finding in result.findings} == expected.codes
    assert not result.is_truncated


@pytest.mark.parametrize("kind", CUT)
def test_a_part_of_a_file_that_states_its_length_is_truncated(kind: str, tmp_path: Path) -> None:
    result = decode_whole(written(tmp_path, CUT[kind]()))
    assert result.is_truncated
    assert {"shorter_than_promised"} <= {str(finding.code) for finding in result.findings} or (
        result.header_seconds or 0
    ) < 2


@pytest.mark.parametrize("kind", NOT_AUDIO)
def test_what_is_not_audio_is_named(kind: str, tmp_path: Path) -> None:
    make, appearance = NOT_AUDIO[kind]
    with pytest.raises(NotAudio, match=f"it looks like {appearance}$"):
        decode_whole(written(tmp_path, make()))


@pytest.mark.parametrize("kind", LEVELED)
def test_damaged_audio_reaches_its_loudness_and_the_damage_is_named(kind: str, tmp_path: Path) -> None:
    expected = LEVELED[kind]
    result = normalize(written(tmp_path, expected.make()), tmp_path / "out.flac", Target())
    assert result.audio_lufs == pytest.approx(-16, abs=0.3)
    assert expected.codes <= set(result.finding_codes)
    assert len(result.findings) == len(result.finding_codes)


@pytest.mark.parametrize("name", ["a", "a.part", "a.mp3", "a.flac", "a.wav", "a.txt", "a.aac", "a.m3u8"])
@pytest.mark.parametrize("kind", ["with a length header", "after an open brace", "MP4", "MPEG layer II"])
def test_the_name_of_a_file_changes_nothing(name: str, kind: str, tmp_path: Path) -> None:
    body = WHOLE[kind].make()
    one, other = decode_whole(written(tmp_path, body, name)), decode_whole(written(tmp_path, body, "b.bin"))
    assert one == other


def test_words_after_a_hole_are_where_they_were(tmp_path: Path) -> None:
    body = wild.meeting(20.0)
    intact, _ = decoded(written(tmp_path, body))
    blocks = Decoder(written(tmp_path, wild.overwritten(body, 0.5, bytes(1000)))).blocks()
    damaged = np.concatenate([block.samples for block in blocks])
    late = slice(12 * 16000, None)
    assert len(damaged) == len(intact)
    np.testing.assert_allclose(damaged[late], intact[late], atol=1e-4)


def test_a_damaged_frame_becomes_silence_and_no_burst(tmp_path: Path) -> None:
    body = wild.meeting(20.0)
    intact, _ = decoded(written(tmp_path, body))
    for filler in (bytes(1000), wild.random_bytes(1000)):
        blocks = Decoder(written(tmp_path, wild.overwritten(body, 0.5, filler))).blocks()
        damaged = np.concatenate([block.samples for block in blocks])
        assert np.abs(damaged).max() <= np.abs(intact).max() * 1.01


def test_channels_in_opposite_phase_for_a_part_are_not_silent_there(tmp_path: Path) -> None:
    normalize(written(tmp_path, opposite(0.5)), tmp_path / "out.wav", Target(format="wav"))
    normalize(written(tmp_path, opposite(1.0)), tmp_path / "same.wav", Target(format="wav"))
    (out, _), (same, _) = decoded(tmp_path / "out.wav"), decoded(tmp_path / "same.wav")
    second_half = slice(len(out) // 2, None)
    assert np.square(out[second_half]).mean() == pytest.approx(np.square(same[second_half]).mean(), rel=0.1)


def test_the_source_is_never_changed(tmp_path: Path) -> None:
    source = written(tmp_path, WHOLE["a run of zeros"].make())
    shutil.copy(source, tmp_path / "copy")
    normalize(source, tmp_path / "out.flac", Target())
    assert source.read_bytes() == (tmp_path / "copy").read_bytes()
