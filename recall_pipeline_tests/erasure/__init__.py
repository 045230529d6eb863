"""Tests of `recall_pipeline.erasure`."""
