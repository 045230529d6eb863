"""Tests of `recall_transcripts`, the second code location."""
