"""Tests of `recall_pipeline.storage`."""
