"""Tests of `recall_pipeline.coordination`."""
