"""Tests of `recall_pipeline.download`."""
