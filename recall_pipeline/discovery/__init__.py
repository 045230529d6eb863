"""Learn what exists for a day, without forgetting what existed.

Belongs here: the tables `bots` and `recordings`; filing a bot under its day; completing what a listing leaves out with
one question each; noticing that something known is gone.
Does not belong here: audio artifacts and their bytes (`capture`), outcomes (`catalog`).
Comes in: listings and the tables of earlier syncs. Goes out: the rows of a day's `bots` and `recordings`.
"""

from recall_pipeline.discovery.bots import BOTS, BotRow, discover_bots
from recall_pipeline.discovery.recordings import RECORDINGS, RecordingRow, discover_recordings

__all__ = [
    "BOTS",
    "RECORDINGS",
    "BotRow",
    "RecordingRow",
    "discover_bots",
    "discover_recordings",
]
