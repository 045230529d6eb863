"""Tests of `recall_pipeline.assets`."""
