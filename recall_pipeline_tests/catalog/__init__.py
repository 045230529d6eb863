"""Tests of `recall_pipeline.catalog`."""
