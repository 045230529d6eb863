"""Tests of `recall_pipeline.releasing`."""
