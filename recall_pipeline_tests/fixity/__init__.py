"""Tests of `recall_pipeline.fixity`."""
