"""The demo's meetings that end as bytes in the archive: ordinary, odd, silent and broken ones, by day."""

from datetime import time

from recall_pipeline.sandbox.content import ErrorPage, RawAudio, Truncated
from recall_pipeline.sandbox.meetings import Audio, Meeting, Take
from recall_pipeline.sandbox.speech import Speech


def _spoken(speech: Speech) -> Take:
    """A recording that lasts as long as its one MP3."""
    return Take(speech.seconds, (Audio(speech),), kept_hours=168)


MEETINGS_WITH_AUDIO = (
    Meeting(
        key="kickoff",
        story="an ordinary meeting",
        days_ago=5,
        starts=time(9),
        outcomes=("ready",),
        takes=(_spoken(Speech(75)),),
        metadata={"team": "sales", "customer": "Contoso"},
    ),
    Meeting(
        key="interview",
        story="recording was stopped and started twice",
        days_ago=5,
        starts=time(10, 30),
        outcomes=("ready", "ready", "ready"),
        takes=(
            Take(20, (Audio(Speech(20)),)),
            Take(15, (Audio(Speech(15)),), starts_after_seconds=60),
            Take(30, (Audio(Speech(30)),), starts_after_seconds=120),
        ),
        name="Interview Bot",
    ),
    Meeting(
        key="whispers",
        story="very quiet, and the shortcut is missing although audio exists",
        days_ago=5,
        starts=time(11),
        outcomes=("ready",),
        takes=(
            Take(
                25,
                (Audio(Speech(25, 44_100, bitrate_kbps=64, gain_db=-24), in_shortcut=False),),
            ),
        ),
        platform="google_meet",
    ),
    Meeting(
        key="weekly-loud",
        story="Teams, stereo, 48 kHz, clipping, with a title that is not ASCII",
        days_ago=4,
        starts=time(8),
        outcomes=("ready",),
        takes=(_spoken(Speech(30, 48_000, 2, 128, gain_db=9, title="Wöchentliche Runde, Köln")),),
        platform="microsoft_teams",
    ),
    Meeting(
        key="thrown-out",
        story="the bot ended fatally, yet it owns a recording",
        days_ago=4,
        starts=time(9),
        outcomes=("ready",),
        takes=(_spoken(Speech(25, gain_db=-16)),),
        endings=("call_ended", "fatal"),
    ),
    Meeting(
        key="raw-beside",
        story="VBR, and a raw artifact beside the MP3",
        days_ago=4,
        starts=time(12),
        outcomes=("ready",),
        takes=(
            Take(
                50,
                (
                    Audio(RawAudio(), format="raw", in_shortcut=False),
                    Audio(Speech(50, 24_000, bitrate_kbps=None)),
                ),
            ),
        ),
    ),
    Meeting(
        key="lost-its-end",
        story="the MP3 is served whole, yet ends before its header says",
        days_ago=3,
        starts=time(9),
        outcomes=("corrupt",),
        takes=(Take(30, (Audio(Truncated(Speech(30))),)),),
    ),
    Meeting(
        key="error-page",
        story="an error page is served as audio",
        days_ago=3,
        starts=time(10),
        outcomes=("corrupt",),
        takes=(Take(30, (Audio(ErrorPage()),)),),
    ),
    Meeting(
        key="nobody-spoke",
        story="silence",
        days_ago=3,
        starts=time(11),
        outcomes=("silent",),
        takes=(_spoken(Speech(20, clips=())),),
    ),
    Meeting(
        key="raw-in-shortcut",
        story="the shortcut holds the raw artifact, the MP3 is in the list only",
        days_ago=3,
        starts=time(12),
        outcomes=("ready",),
        takes=(
            Take(
                25,
                (
                    Audio(RawAudio(), format="raw"),
                    Audio(Speech(25, 32_000, bitrate_kbps=64), in_shortcut=False),
                ),
            ),
        ),
    ),
    Meeting(
        key="no-join-at",
        story="`join_at` was cleared, so that no window of the bot list shows the bot",
        days_ago=3,
        starts=time(14),
        outcomes=("ready",),
        takes=(_spoken(Speech(35)),),
        shows_join_at=False,
    ),
    Meeting(
        key="telephone",
        story="8 kHz, and the meeting URL is a string with a password",
        days_ago=3,
        starts=time(15),
        outcomes=("ready",),
        takes=(_spoken(Speech(40, 8_000, bitrate_kbps=16)),),
        meeting_url="https://example.zoom.us/j/81234567890?pwd=sandbox-url-password",
        asked_url="https://example.zoom.us/j/81234567890?pwd=sandbox-url-password",
    ),
    Meeting(
        key="desktop",
        story="recorded by the desktop SDK, without a bot",
        days_ago=2,
        starts=time(8),
        outcomes=("ready",),
        takes=(_spoken(Speech(30, 44_100, bitrate_kbps=96, gain_db=4)),),
        has_bot=False,
        platform=None,
    ),
    Meeting(
        key="later-status",
        story="an unknown status code after `done`, and unknown fields",
        days_ago=2,
        starts=time(9),
        outcomes=("ready",),
        takes=(_spoken(Speech(21, gain_db=-6)),),
        endings=("call_ended", "recording_done", "done", "insights_ready"),
        unknown_fields={"insights": {"score": 0.7, "tags": ["new"]}, "generation": 3},
    ),
    Meeting(
        key="new-platform",
        story="a platform nobody knows yet; its meeting URL is null",
        days_ago=2,
        starts=time(10),
        outcomes=("ready",),
        takes=(_spoken(Speech(20, 12_000, bitrate_kbps=24)),),
        platform="holo_meet",
        meeting_url=None,
    ),
    Meeting(
        key="with-a-break",
        story="paused for a while, so that the times of the API promise more than there is",
        days_ago=2,
        starts=time(15),
        outcomes=("ready",),
        takes=(Take(95, (Audio(Speech(37, gain_db=-12)),)),),
    ),
    Meeting(
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
    Meeting(
        key="over-midnight",
        story="recording was restarted after midnight: two days, one bot",
        days_ago=2,
        starts=time(23, 58),
        outcomes=("ready", "ready"),
        takes=(
            Take(60, (Audio(Speech(60)),)),
            Take(26, (Audio(Speech(26)),), starts_after_seconds=120),
        ),
    ),
    Meeting(
        key="late-artifact",
        story="recorded before midnight, the artifact was made after it",
        days_ago=2,
        starts=time(23, 59),
        outcomes=("ready",),
        takes=(Take(16, (Audio(Speech(16), created_after_seconds=60),)),),
    ),
    Meeting(
        key="two-mixes",
        story="two MP3s of one recording",
        days_ago=1,
        starts=time(8),
        outcomes=("ready", "ready"),
        takes=(
            Take(
                22,
                (
                    Audio(Speech(22)),
                    Audio(Speech(22, 32_000, 2, 96), in_shortcut=False),
                ),
            ),
        ),
    ),
    Meeting(
        key="unicode",
        story="names and metadata in many scripts; the recording does not say when it started",
        days_ago=1,
        starts=time(10),
        outcomes=("ready",),
        takes=(Take(30, (Audio(Speech(30, 22_050, title="議事録")),), says_when_started=False),),
        name="Élodies Notizbot 📼 会議",
        platform="google_meet",
        metadata={"équipe": "données", "顧客": "株式会社サンプル"},
    ),
    Meeting(
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
