"""The pipeline as Dagster sees it: four assets on day partitions, one thin file each.

Belongs here: what turns a partition key into a call of one room, and a room's result into metadata; the session that
one run's steps share.
Does not belong here: anything that works without Dagster. Those rooms do not know that it exists.
Comes in: partition keys. Goes out: materializations, and Dagster's Failure with the one line that says what to do.
"""

from recall_pipeline.assets.audio_catalog import audio_catalog
from recall_pipeline.assets.bots import bots
from recall_pipeline.assets.mixed_audio import mixed_audio
from recall_pipeline.assets.partitions import DAYS
from recall_pipeline.assets.recordings import recordings
from recall_pipeline.assets.session import Session, Tally

__all__ = ["DAYS", "Session", "Tally", "audio_catalog", "bots", "mixed_audio", "recordings"]
