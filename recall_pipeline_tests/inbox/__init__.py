"""Tests of `recall_pipeline.inbox`."""
