"""The demo's meetings that end as bytes in the archive: ordinary, odd, silent and broken ones, by day."""

from datetime import time

from recall_sandbox.content import ErrorPage, RawAudio, Truncated
from recall_sandbox.meetings import Audio, AudioSpec, SampleMeeting
from recall_sandbox.speech import Speech


def _spoken(speech: Speech) -> AudioSpec:
    """A recording that lasts as long as its one MP3."""
    return AudioSpec(speech.seconds, (Audio(speech),), kept_hours=168)


MEETINGS_WITH_AUDIO = (
    SampleMeeting(
        key="kickoff",
        story="an ordinary meeting",
        days_ago=5,
        starts=time(9),
        outcomes=("ready",),
        takes=(_spoken(Speech(75)),),
        metadata={"team": "sales", "customer": "Contoso"},
    ),
    SampleMeeting(
        key="interview",
        story="recording was stopped and started twice",
        days_ago=5,
        starts=time(10, 30),
        outcomes=("ready", "ready", "ready"),
        takes=(
            AudioSpec(20, (Audio(Speech(20)),)),
            AudioSpec(15, (Audio(Speech(15)),), starts_after_seconds=60),
            AudioSpec(30, (Audio(Speech(30)),), starts_after_seconds=120),
        ),
        name="Interview Bot",
    ),
    SampleMeeting(
        key="whispers",
        story="very quiet, and the shortcut is missing although audio exists",
        days_ago=5,
        starts=time(11),
        outcomes=("ready",),
        takes=(
            AudioSpec(
                25,
                (Audio(Speech(25, 44_100, bitrate_kbps=64, gain_db=-24), in_shortcut=False),),
            ),
        ),
        platform="google_meet",
    ),
    SampleMeeting(
        key="weekly-loud",
        story="Teams, stereo, 48 kHz, clipping, with a title that is not ASCII",
        days_ago=4,
        starts=time(8),
        outcomes=("ready",),
        takes=(_spoken(Speech(30, 48_000, 2, 128, gain_db=9, title="Wöchentliche Runde, Köln")),),
        platform="microsoft_teams",
    ),
    SampleMeeting(
        key="thrown-out",
        story="the bot ended fatally, yet it owns a recording",
        days_ago=4,
        starts=time(9),
        outcomes=("ready",),
        takes=(_spoken(Speech(25, gain_db=-16)),),
        endings=("call_ended", "fatal"),
    ),
    SampleMeeting(
        key="raw-beside",
        story="VBR, and a raw artifact beside the MP3",
        days_ago=4,
        starts=time(12),
        outcomes=("ready",),
        takes=(
            AudioSpec(
                50,
                (
                    Audio(RawAudio(), format="raw", in_shortcut=False),
                    Audio(Speech(50, 24_000, bitrate_kbps=None)),
                ),
            ),
        ),
    ),
    SampleMeeting(
        key="lost-its-end",
        story="the MP3 is served whole, yet ends before its header says",
        days_ago=3,
        starts=time(9),
        outcomes=("corrupt",),
        takes=(AudioSpec(30, (Audio(Truncated(Speech(30))),)),),
    ),
    SampleMeeting(
        key="error-page",
        story="an error page is served as audio",
        days_ago=3,
        starts=time(10),
        outcomes=("corrupt",),
        takes=(AudioSpec(30, (Audio(ErrorPage()),)),),
    ),
    SampleMeeting(
        key="nobody-spoke",
        story="silence",
        days_ago=3,
        starts=time(11),
        outcomes=("silent",),
        takes=(_spoken(Speech(20, clips=())),),
    ),
    SampleMeeting(
        key="raw-in-shortcut",
        story="the shortcut holds the raw artifact, the MP3 is in the list only",
        days_ago=3,
        starts=time(12),
        outcomes=("ready",),
        takes=(
            AudioSpec(
                25,
                (
                    Audio(RawAudio(), format="raw"),
                    Audio(Speech(25, 32_000, bitrate_kbps=64), in_shortcut=False),
                ),
            ),
        ),
    ),
    SampleMeeting(
        key="no-join-at",
        story="`join_at` was cleared, so that no window of the bot list shows the bot",
        days_ago=3,
        starts=time(14),
        outcomes=("ready",),
        takes=(_spoken(Speech(35)),),
        shows_join_at=False,
    ),
    SampleMeeting(
        key="telephone",
        story="8 kHz, and the meeting URL is a string with a password",
        days_ago=3,
        starts=time(15),
        outcomes=("ready",),
        takes=(_spoken(Speech(40, 8_000, bitrate_kbps=16)),),
        meeting_url="https://example.zoom.us/j/81234567890?pwd=sandbox-url-password",
        asked_url="https://example.zoom.us/j/81234567890?pwd=sandbox-url-password",
    ),
    SampleMeeting(
        key="desktop",
        story="recorded by the desktop SDK, without a bot",
        days_ago=2,
        starts=time(8),
        outcomes=("ready",),
        takes=(_spoken(Speech(30, 44_100, bitrate_kbps=96, gain_db=4)),),
        has_bot=False,
        platform=None,
    ),
    SampleMeeting(
        key="later-status",
        story="an unknown status code after `done`, and unknown fields",
        days_ago=2,
        starts=time(9),
        outcomes=("ready",),
        takes=(_spoken(Speech(21, gain_db=-6)),),
        endings=("call_ended", "recording_done", "done", "insights_ready"),
        unknown_fields={"insights": {"score": 0.7, "tags": ["new"]}, "generation": 3},
    ),
    SampleMeeting(
        key="new-platform",
        story="a platform nobody knows yet; its meeting URL is null",
        days_ago=2,
        starts=time(10),
        outcomes=("ready",),
        takes=(_spoken(Speech(20, 12_000, bitrate_kbps=24)),),
        platform="holo_meet",
        meeting_url=None,
    ),
    SampleMeeting(
        key="with-a-break",
        story="paused for a while, so that the times of the API promise more than there is",
        days_ago=2,
        starts=time(15),
        outcomes=("ready",),
        takes=(AudioSpec(95, (Audio(Speech(37, gain_db=-12)),)),),
    ),
    SampleMeeting(
        key="no-length-header",
        story="VBR without a header that tells its length; a Zoom password in the meeting URL",
        days_ago=2,
        starts=time(16),
        outcomes=("ready",),
        takes=(_spoken(Speech(40, 22_050, bitrate_kbps=None, has_length_header=False)),),
        meeting_url={
            "meeting_id": "82345678901",
            "meeting_password": "sandbox-object-password",
            "platform": "zoom",
        },
    ),
    SampleMeeting(
        key="over-midnight",
        story="recording was restarted after midnight: two days, one bot",
        days_ago=2,
        starts=time(23, 58),
        outcomes=("ready", "ready"),
        takes=(
            AudioSpec(60, (Audio(Speech(60)),)),
            AudioSpec(26, (Audio(Speech(26)),), starts_after_seconds=120),
        ),
    ),
    SampleMeeting(
        key="late-artifact",
        story="recorded before midnight, the artifact was made after it",
        days_ago=2,
        starts=time(23, 59),
        outcomes=("ready",),
        takes=(AudioSpec(16, (Audio(Speech(16), created_after_seconds=60),)),),
    ),
    SampleMeeting(
        key="two-mixes",
        story="two MP3s of one recording",
        days_ago=1,
        starts=time(8),
        outcomes=("ready", "ready"),
        takes=(
            AudioSpec(
                22,
                (
                    Audio(Speech(22)),
                    Audio(Speech(22, 32_000, 2, 96), in_shortcut=False),
                ),
            ),
        ),
    ),
    SampleMeeting(
        key="unicode",
        story="names and metadata in many scripts; the recording does not say when it started",
        days_ago=1,
        starts=time(10),
        outcomes=("ready",),
        takes=(AudioSpec(30, (Audio(Speech(30, 22_050, title="議事録")),), says_when_started=False),),
        name="Élodies Notizbot 📼 会議",
        platform="google_meet",
        metadata={"équipe": "données", "顧客": "株式会社サンプル"},
    ),
    SampleMeeting(
        key="all-hands",
        story="the longest one, in stereo",
        days_ago=1,
        starts=time(14),
        outcomes=("ready",),
        takes=(_spoken(Speech(100, 24_000, 2, 64)),),
        platform="microsoft_teams",
        metadata={"team": "everybody"},
    ),
)
