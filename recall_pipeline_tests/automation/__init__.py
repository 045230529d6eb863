"""Tests of `recall_pipeline.automation`."""
