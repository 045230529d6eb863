"""Tests of `recall_pipeline.capture`."""
