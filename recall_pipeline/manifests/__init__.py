"""Write manifests: lists of the ready recordings, in the formats that training toolkits read.

Belongs here: the line of each format; the location of its audio (in the archive, linked or copied); atomic writes.
Does not belong here: selecting training data, transcripts, the toolkits themselves, which need not be installed.
Comes in: the catalog through its public readers; no API key. Goes out: one manifest in a folder of the user, with
links to the audio or copies beside it on request.
"""

from recall_pipeline.manifests.exports import ExportReport, export
from recall_pipeline.manifests.formats import FORMATS

__all__ = ["FORMATS", "ExportReport", "export"]
