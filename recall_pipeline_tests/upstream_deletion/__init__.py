"""Tests of `recall_pipeline.upstream_deletion`."""
