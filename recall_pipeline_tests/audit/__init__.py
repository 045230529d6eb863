"""Tests of `recall_pipeline.audit`."""
