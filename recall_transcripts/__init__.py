"""Transcripts of the meetings that the catalog calls ready: a second code location, as another team would have.

Belongs here: what turns a recording into text, when, and the table `transcripts`; the note that a forgotten one went.
It knows of the pipeline what any team may know: the published readers, the windows of `recall_pipeline.audio`, the
storage's address and tables, the audit. Shipped beside it, it also takes from `recall_pipeline.defs` how a day is
reported and an error told, to read alike in the UI.
Does not belong here: fetching or normalizing, the API's key, what a transcript is then good for.
Comes in: recordings that are `ready`. Goes out: one row of `transcripts` for each, with times, language and model.
"""
