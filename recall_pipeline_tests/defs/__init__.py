"""Tests of `recall_pipeline.defs`."""
