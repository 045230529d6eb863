"""Write manifests: lists of what is ready, in the formats that training toolkits read.

Belongs here: a line of each format, where the audio is that it names (in the archive, linked, or copied), and writing
a manifest whole.
Does not belong here: choosing what is good to train on, transcripts, any toolkit itself; none has to be installed.
Comes in: the catalog through its published readers, so no key is needed. Goes out: one manifest in a folder of the
user's, with the audio beside it if asked for.
"""

from recall_pipeline.manifests.exports import Exported, export
from recall_pipeline.manifests.formats import FORMATS

__all__ = ["FORMATS", "Exported", "export"]
