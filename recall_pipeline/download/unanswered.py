"""What Recall.ai could not answer: whether a recording has an MP3. It is kept as a fact of the table `mixed_audio`.

It is no row, since nothing is known of an artifact. Without it "could not be asked" would read as "there is none".
"""

import json
from collections.abc import Iterable, Mapping
from datetime import date

from recall_pipeline.discovery import RecordingRow
from recall_pipeline.download.rows import MIXED_AUDIO
from recall_pipeline.recall_api import Listing
from recall_pipeline.storage import Archive

_FACT = "unanswered"


def unanswered_in(listing: Listing, recordings: Iterable[RecordingRow]) -> Mapping[str, str]:
    """Return what could not be answered about a day's recordings, as a fact of its table."""
    why = {
        row.recording_id: listing.unanswered[row.recording_id]
        for row in recordings
        if row.recording_id in listing.unanswered
    }
    return {_FACT: json.dumps(why, sort_keys=True)} if why else {}


def unanswered_on(archive: Archive, day: date) -> dict[str, str]:
    """Return why it is not known whether they have an MP3, by recording, of those of `day` for which it is not."""
    facts = MIXED_AUDIO.facts(archive, day) or {}
    why: dict[str, str] = json.loads(facts.get(_FACT, "{}"))
    return why
