"""Tests of `recall_pipeline.restoration`."""
