"""Tests of `recall_pipeline.forgetting`."""
