"""A second mock of the Recall.ai API, written from docs/design/recall-api.md alone.

It shares no code with `recall_sandbox` or `recall_pipeline`, so that a misreading of that page in both is noticed. It
serves bots, recordings, mixed-audio artifacts and MP3s with the standard library only.
"""
