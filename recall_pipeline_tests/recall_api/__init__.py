"""Tests of `recall_pipeline.recall_api`."""
