"""Contestants of `benchmarks.audio`: one function each, from a source path to a destination path.

Each has to write 16 kHz mono at -16 LUFS and at most -1.5 dBTP. The exception is `floor`, which only
decodes, resamples and encodes: the minimum that any contestant has to do.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

Contestant = Callable[[Path, Path], None]


def ours(source: Path, destination: Path) -> None:
    """Call `normalize`, which includes the decode check."""
    from recall_pipeline.audio import Target, normalize

    normalize(source, destination, Target(format="mp3" if destination.suffix == ".mp3" else "flac"))


def sync(source: Path, destination: Path) -> None:
    """Do what a sync does with a file: hash it, and normalize it, which checks it (decision 19)."""
    from recall_pipeline.storage import sha256_of

    sha256_of(source)
    ours(source, destination)


def floor(source: Path, destination: Path) -> None:
    """Decode, resample and encode with the same libraries in one pass, without any measurement."""
    import numpy as np

    from recall_pipeline.audio.channels import averaging_matrix
    from recall_pipeline.audio.decoder import Block, Decoder
    from recall_pipeline.audio.encoder import open_encoder
    from recall_pipeline.audio.resample import resample_blocks
    from recall_pipeline.audio.target import Target

    target = Target(format="mp3" if destination.suffix == ".mp3" else "flac")
    encoder = open_encoder(destination, target)
    blocks = Decoder(source).blocks()
    matrices = {("FC",): None, ("FL", "FR"): averaging_matrix(("FL", "FR"), 1)}
    mono = (
        block if (matrix := matrices[block.layout]) is None else Block(block.samples @ matrix, *block[1:2], ("FC",))
        for block in blocks
    )
    for samples in resample_blocks(mono, target.sample_rate_hz, ("FC",)):
        encoder.write(np.clip(samples * np.float32(32767), -32768, 32767).astype(np.int16))
    encoder.close()


def ffmpeg_normalize(source: Path, destination: Path) -> None:
    """Run ffmpeg's loudnorm filter in two passes, the common tool today."""
    import imageio_ffmpeg  # type: ignore[import-untyped, unused-ignore]

    codec = "libmp3lame" if destination.suffix == ".mp3" else "flac"
    subprocess.run(  # noqa: S603  # its own arguments
        [
            *(str(Path(sys.executable).with_name("ffmpeg-normalize")), str(source), "-o", str(destination), "-f", "-q"),
            *("-t", "-16", "-tp", "-1.5", "-lrt", "50", "-c:a", codec, "-ar", "16000", "-e", "-ac 1"),
        ],
        env=os.environ | {"FFMPEG_PATH": imageio_ffmpeg.get_ffmpeg_exe()},
        check=True,
    )


def pydub(source: Path, destination: Path) -> None:
    """Apply one gain to the whole file in memory, the common home-made solution."""
    import imageio_ffmpeg
    from pydub import AudioSegment

    AudioSegment.converter = imageio_ffmpeg.get_ffmpeg_exe()
    audio = AudioSegment.from_file(source, format="mp3", codec="mp3").set_frame_rate(16000).set_channels(1)
    audio.apply_gain(-16 - audio.dBFS).export(destination, format=destination.suffix[1:])


CONTESTANTS: dict[str, Contestant] = {
    "ours": ours,
    "sync": sync,
    "floor": floor,
    "ffmpeg-normalize": ffmpeg_normalize,
    "pydub": pydub,
}

if __name__ == "__main__":
    CONTESTANTS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
