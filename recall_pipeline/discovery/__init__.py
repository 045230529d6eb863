"""Sync the tables `bots` and `recordings` of one day. Rows that vanish upstream are kept and marked.

Belongs here: the tables `bots` and `recordings`; which day a bot is filed under; lookups of what a listing leaves out,
one request each; whether a recording has an MP3; what of Recall.ai's answers is unknown.
Does not belong here: MP3s and their bytes (`download`), outcomes (`catalog`).
Comes in: an open day of the archive and what Recall.ai shows about it. Goes out: the rows of both tables.
"""

from recall_pipeline.discovery.bots import BOTS, BotRow, sync_bots
from recall_pipeline.discovery.expired_bots import expired_bots
from recall_pipeline.discovery.listing_times import first_listing_time, listing_time
from recall_pipeline.discovery.recordings import (
    MP3_DUE_WITHIN,
    RECORDINGS,
    RecordingRow,
    rows_left_out,
    sync_recordings,
)
from recall_pipeline.discovery.unknowns import Unknowns
from recall_pipeline.discovery.vanished import refuse_vanished

__all__ = [
    "BOTS",
    "MP3_DUE_WITHIN",
    "RECORDINGS",
    "BotRow",
    "RecordingRow",
    "Unknowns",
    "expired_bots",
    "first_listing_time",
    "listing_time",
    "refuse_vanished",
    "rows_left_out",
    "sync_bots",
    "sync_recordings",
]
