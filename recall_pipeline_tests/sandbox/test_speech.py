import io
import re
from importlib.resources import files

import av
import numpy as np
import pytest

from recall_sandbox.content import ErrorPage, Truncated, body_of, digest_of
from recall_sandbox.speech import Speech, clip_transcripts

CLIPS = files("recall_sandbox") / "clips"


def decoded_seconds(body: bytes) -> float:
    with av.open(io.BytesIO(body), "r") as container:
        rate = container.streams.audio[0].rate
        return sum(frame.samples for frame in container.decode(audio=0)) / rate


def promised_seconds(body: bytes) -> float:
    """The length that the Xing or Info header states, in seconds, as ffmpeg reads it."""
    with av.open(io.BytesIO(body), "r") as container:
        stream = container.streams.audio[0]
        assert stream.duration is not None
        assert stream.time_base is not None
        return float(stream.duration * stream.time_base)


def peak_dbfs(body: bytes) -> float:
    with av.open(io.BytesIO(body), "r") as container:
        peak = max(np.abs(frame.to_ndarray()).max() for frame in container.decode(audio=0))
    return float(20 * np.log10(max(peak, 1e-9)))


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_an_mp3_has_the_requested_rate_channels_and_length(rate_hz: int, channels: int) -> None:
    body = Speech(3.5, rate_hz, channels).body()
    with av.open(io.BytesIO(body), "r") as container:
        stream = container.streams.audio[0]
        assert (stream.codec_context.name, stream.rate) == ("mp3float", rate_hz)
        assert stream.channels == channels
    assert decoded_seconds(body) == pytest.approx(3.5, abs=0.1)


def test_equal_speech_has_equal_bytes() -> None:
    assert Speech(3).body() == Speech(3).body()
    assert Speech(3).body() != Speech(4).body()


def test_a_constant_bitrate_has_an_info_header_and_a_variable_one_a_xing_header() -> None:
    constant, variable = Speech(5).body(), Speech(5, bitrate_kbps=None).body()
    assert b"Info" in constant[:200]
    assert b"Xing" in variable[:200]


def test_the_length_header_can_be_omitted() -> None:
    body = Speech(5, bitrate_kbps=None, has_length_header=False).body()
    assert not re.search(b"Info|Xing", body)
    assert decoded_seconds(body) == pytest.approx(5, abs=0.1)


def test_a_title_is_an_id3_tag() -> None:
    assert not Speech(1).body().startswith(b"ID3")
    with av.open(io.BytesIO(Speech(1, title="Wöchentliche Runde").body()), "r") as container:
        assert container.metadata["title"] == "Wöchentliche Runde"


def test_gain_makes_speech_quiet_or_clipped() -> None:
    assert peak_dbfs(Speech(6, gain_db=-24).body()) < -20
    assert peak_dbfs(Speech(6, bitrate_kbps=128, gain_db=12).body()) > -3


def test_without_clips_it_is_silence() -> None:
    silence = Speech(2, clips=())
    assert silence.outcome == "silent"
    assert peak_dbfs(silence.body()) < -90


def test_a_truncated_mp3_decodes_to_less_than_98_percent_of_what_its_header_promises() -> None:
    content = Truncated(Speech(10))
    assert content.outcome == "corrupt"
    body = content.body()
    assert promised_seconds(body) == pytest.approx(10, abs=0.1)
    assert decoded_seconds(body) < 0.98 * promised_seconds(body)


def test_an_error_page_is_not_audio() -> None:
    with pytest.raises(av.error.InvalidDataError):
        av.open(io.BytesIO(ErrorPage().body()), "r", format="mp3").close()


def test_equal_contents_are_built_once() -> None:
    assert body_of(Speech(3)) is body_of(Speech(3))
    assert digest_of(Speech(3)).size_bytes == len(body_of(Speech(3)))


def test_every_clip_has_a_sentence_and_all_clips_are_small() -> None:
    clips = {entry.name: entry for entry in files("recall_sandbox").joinpath("clips").iterdir()}
    spoken = {name.removesuffix(".flac") for name in clips if name.endswith(".flac")}
    assert spoken == set(clip_transcripts())
    assert sum(len(entry.read_bytes()) for entry in clips.values()) < 1_000_000
