"""Files as found in the wild, served as recordings: the outcome and the findings of each."""

from dataclasses import dataclass
from datetime import timedelta

from recall_pipeline_tests.audio import wild_bytes as wild
from recall_pipeline_tests.audio.wild_containers import Kind
from recall_pipeline_tests.audio.wild_files import CUT, LEVELED, NOT_AUDIO, WHOLE
from recall_pipeline_tests.workspace import NINE, Workspace, an_id

AUDIBLE = (
    "after an open brace", "after 16 KB of zeros", "a large APE tag behind a second", "copied, 0.7 s",
    "two equal recordings", "a run of zeros", "a quarter twice", "half, without a header", "WebM",
)  # fmt: skip
CORRUPT = ("half, two ID3 tags", "the second half is zeros", "half a webm of libopus")
RUBBISH = ("free format", "a codec without a decoder", "a picture")


@dataclass(frozen=True)
class WildContent:
    """A kind of wild file as the content of a recording."""

    kind: str
    outcome: str = "ready"
    media_type: str = "audio/mpeg"

    def body(self) -> bytes:
        """The bytes."""
        audible = LEVELED | WHOLE
        if self.kind in audible:
            return audible[self.kind].make()
        return CUT[self.kind]() if self.kind in CUT else NOT_AUDIO[self.kind][0]()


def test_whole_files_are_ready_and_each_loss_has_a_code_and_words(workspace: Workspace) -> None:
    kinds = (*AUDIBLE, "opposite phase from the middle on", "a small offset under quiet speech")
    kind_of = {workspace.meet(kind, WildContent(kind))[0].id: kind for kind in kinds}
    for row in workspace.sync().rows:
        expected = (LEVELED | WHOLE)[kind_of[row.audio_id or ""]]
        assert row.outcome == "ready"
        assert set(row.findings or ()) - {"duration_differs"} == expected.codes
        assert bool(row.audio_findings) is bool(expected.codes)
        assert (row.audio_findings or "") in (row.outcome_reason or "")


def test_truncated_and_garbage_files_are_corrupt_and_not_downloaded_repeatedly(workspace: Workspace) -> None:
    for kind in (*CORRUPT, *RUBBISH):
        workspace.meet(kind, WildContent(kind, "corrupt"))
    assert {row.outcome for row in workspace.sync().rows} == {"corrupt"}
    requests = len(workspace.media_requests())
    rows = workspace.sync().rows
    assert {row.outcome for row in rows} == {"corrupt"}
    assert len(workspace.media_requests()) == requests
    assert all(row.outcome_reason for row in rows)


@dataclass(frozen=True)
class ContainerContent:
    """A share of the bytes of a container as the content of a recording."""

    kind: Kind
    share: float = 1.0
    outcome: str = "ready"
    media_type: str = "audio/mpeg"

    def body(self) -> bytes:
        """The bytes."""
        body = self.kind.body()
        return body[: round(len(body) * self.share)]


def test_containers_are_ready_and_halves_of_those_that_state_their_length_are_corrupt(workspace: Workspace) -> None:
    stating = (Kind("avi", "libmp3lame"), Kind("flv", "aac"))
    silent = (Kind("ac3", "ac3"), Kind("mpegts", "aac"))
    contents = [ContainerContent(kind) for kind in (*stating, *silent)]
    contents += [ContainerContent(kind, 0.5, "corrupt") for kind in stating]
    contents += [ContainerContent(kind, 0.53) for kind in silent]
    content_of = {workspace.meet(str(content), content)[0].id: content for content in contents}
    for row in workspace.sync().rows:
        content = content_of[row.audio_id or ""]
        assert row.outcome == content.outcome
        is_cut = content.share < 1 and content.outcome == "ready"
        assert set(row.findings or ()) - {"duration_differs"} == ({"cut_at_end"} if is_cut else set())


@dataclass(frozen=True)
class HalfStream:
    """Half of a stream that states no length and has no header: cut between two of its frames."""

    name: str
    frame_bytes: int
    outcome: str = "ready"
    media_type: str = "audio/mpeg"

    def body(self) -> bytes:
        """The bytes."""
        body = wild.in_container(self.name, self.name)
        return body[: len(body) // 2 // self.frame_bytes * self.frame_bytes]


def test_of_half_a_stream_without_a_length_the_apis_times_show_what_is_missing(workspace: Workspace) -> None:
    streams = {"ac3": 384, "mp2": 1152}
    for name, frame_bytes in streams.items():
        workspace.meet(name, HalfStream(name, frame_bytes))
        workspace.world.change_recording(an_id(name), started_at=NINE, completed_at=NINE + timedelta(seconds=10.5))
    rows = workspace.sync().rows
    assert [(row.outcome, row.findings) for row in rows] == [("ready", ["duration_differs"])] * len(streams)
    assert all("decodes to 5 s, while the API's times span 10 s" in (row.outcome_reason or "") for row in rows)
