"""Tests of `recall_pipeline.verification`."""
