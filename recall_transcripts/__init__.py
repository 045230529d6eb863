"""Transcripts of all `ready` recordings: a second code location, as another team would write it.

Belongs here: speech recognition of recordings, its schedule and sensor, the table `transcripts`, and the audit rows of
erased transcripts. Of the pipeline it imports only `recall_pipeline.downstream` and `recall_pipeline.audio`.
Does not belong here: fetching or normalizing audio, the API key, any use of the transcripts.
Comes in: recordings that are `ready`. Goes out: one row of `transcripts` for each, with times, language and model.
"""
