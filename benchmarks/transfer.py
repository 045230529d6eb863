"""Download throughput: `python -m benchmarks.transfer [--files N] [--megabytes N] [--json]`, some three minutes.

A sandbox in a process of its own serves N files over a line of 50 ms latency and 2 MB/s a connection. This
project downloads them first: list walks, transfer and SHA-256, without decoding. Then `curl --parallel` downloads a
list of links with as many connections. Then the seed guide's script runs: a part is timed, the rest extrapolated. A
last download without that line measures the CPU seconds per byte.
"""

import argparse
import asyncio
import json
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import SecretStr

from benchmarks.seed_guide import download_all
from benchmarks.serving import DAY, serving
from recall_pipeline.download import Partial, media_client
from recall_pipeline.download.transfer import Transfer
from recall_pipeline.recall_api import open_client
from recall_pipeline.recall_api.day_listing import list_days
from recall_pipeline.settings import Settings
from recall_pipeline.storage.integrity import sha256_of
from recall_sandbox import Rule
from recall_sandbox.effects import Call, Delay

LATENCY_SECONDS, BYTES_PER_SECOND = 0.05, 2_000_000
CONNECTIONS = Settings.model_fields["concurrency"].default
_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True)
class Noise:
    """Bytes that are not audio, since this benchmark does not decode."""

    number: int
    size_bytes: int
    outcome: str = "ready"
    media_type: str = "audio/mpeg"

    def body(self) -> bytes:
        """The bytes, unique for each number."""
        return (self.number.to_bytes(4, "big") * (self.size_bytes // 4 + 1))[: self.size_bytes]


@dataclass(frozen=True)
class Line:
    """A slow network: a latency before the first byte, then a limited rate."""

    latency_seconds: float
    bytes_per_second: float

    async def apply(self, call: Call) -> None:
        """Send the answer at this rate."""
        await asyncio.sleep(self.latency_seconds)
        answer = await call.normal_answer()
        started = time.monotonic()
        await call.begin(answer, len(answer.body))
        for start in range(0, len(answer.body), _CHUNK_BYTES):
            chunk = answer.body[start : start + _CHUNK_BYTES]
            end = start + len(chunk)
            await asyncio.sleep(max(0.0, started + end / self.bytes_per_second - time.monotonic()))
            await call.send({"type": "http.response.body", "body": chunk, "more_body": end < len(answer.body)})


SLOW_LINE = (
    Rule(Delay(LATENCY_SECONDS), origin="api"),
    Rule(Line(LATENCY_SECONDS, BYTES_PER_SECOND), origin="media"),
)


@dataclass(frozen=True)
class Timed:
    """One way to download: wall and CPU seconds per bytes; CPU of the downloading process."""

    way: str
    files: int
    wall_seconds: float
    cpu_seconds: float
    megabytes_per_second: float
    cores_at_200_megabytes_per_second: float


def main() -> None:
    """Run the benchmark and print its table or one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--megabytes", type=int, default=5)
    parser.add_argument("--timed-of-seed-guide", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    size_bytes = options.megabytes * 1_000_000
    noise = [Noise(number, size_bytes) for number in range(options.files)]
    results = []
    with tempfile.TemporaryDirectory() as place, serving(noise, place, SLOW_LINE) as settings:
        results.append(timed("this project", options.files, size_bytes, lambda folder: fetch_all(settings, folder)))
        if shutil.which("curl"):
            links = [link for _, link in asyncio.run(listed(settings))]
            results.append(timed("curl --parallel", options.files, size_bytes, lambda folder: curl(links, folder)))
        results.append(seed_guide(settings, options.files, size_bytes, options.timed_of_seed_guide))
    with tempfile.TemporaryDirectory() as place, serving(noise, place) as settings:
        way = "this project, as fast as it can"
        results.append(timed(way, options.files, size_bytes, lambda folder: fetch_all(settings, folder)))
    if options.json:
        print(json.dumps([asdict(result) for result in results]))
        return
    for result in results:
        cores = f"{result.cores_at_200_megabytes_per_second:5.2f} cores at 200 MB/s"
        print(f"{result.way:36} {result.wall_seconds:7.1f} s {result.megabytes_per_second:7.1f} MB/s  {cores}")


async def listed(settings: Settings) -> list[tuple[str, str]]:
    """Return the id and the link of every MP3, found by the listings of a sync."""
    async with open_client(settings) as client:
        listing = await list_days(client, DAY, DAY)
    found = [(audio.id, audio.download_url) for audio in listing.audio_mixed.values()]
    return [(audio_id, link.get_secret_value()) for audio_id, link in found if link]


def fetch_all(settings: Settings, folder: Path) -> None:
    """Download and hash all files as a sync does, without decoding."""

    async def fetch() -> None:
        found = await listed(settings)
        gate = asyncio.Semaphore(settings.concurrency)
        async with media_client(settings) as http:
            transfer = Transfer(http, settings)

            async def one(audio_id: str, link: str) -> None:
                async with gate:
                    partial = Partial(folder / f"{audio_id}.part")
                    await transfer.fetch(SecretStr(link), _no_fresh_link, partial)
                    await asyncio.to_thread(sha256_of, partial.path)

            await asyncio.gather(*(one(*each) for each in found))

    asyncio.run(fetch())


async def _no_fresh_link() -> SecretStr:
    raise AssertionError("no link grows old here")


def curl(links: list[str], folder: Path) -> None:
    """Download the links with curl, with the same concurrency."""
    config = folder / "links"
    config.write_text("".join(f'url = "{link}"\noutput = "{folder / str(n)}"\n' for n, link in enumerate(links)))
    command = ["curl", "--silent", "--fail", "--parallel", "--parallel-max", f"{CONNECTIONS}", "--config", f"{config}"]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)  # noqa: S603  it draws a meter all the same


def seed_guide(settings: Settings, files: int, size_bytes: int, timed_files: int) -> Timed:
    """Time the seed guide's script on the first files, and extrapolate."""

    def some(folder: Path) -> None:
        assert settings.api_key
        assert download_all(settings.base_url, settings.api_key.get_secret_value(), folder, timed_files) == timed_files

    part = timed(f"seed guide ({timed_files} timed)", timed_files, size_bytes, some)
    scale = files / timed_files
    return Timed(
        part.way,
        files,
        part.wall_seconds * scale,
        part.cpu_seconds * scale,
        part.megabytes_per_second,
        part.cores_at_200_megabytes_per_second,
    )


def timed(way: str, files: int, size_bytes: int, fetch: Callable[[Path], None]) -> Timed:
    """Download into a new folder, and check that all files are there."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cpu, wall = _cpu_seconds(), time.perf_counter()
        fetch(folder)
        wall, cpu = time.perf_counter() - wall, _cpu_seconds() - cpu
        came = [path for path in folder.iterdir() if path.stat().st_size == size_bytes]
        assert len(came) == files, f"{way}: {len(came)} of {files} files"
    megabytes = files * size_bytes / 1e6
    return Timed(way, files, wall, cpu, megabytes / wall, cpu / megabytes * 200)


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


if __name__ == "__main__":
    main()
