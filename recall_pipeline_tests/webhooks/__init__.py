"""Tests of `recall_pipeline.webhooks`."""
