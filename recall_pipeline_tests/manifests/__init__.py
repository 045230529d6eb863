"""Tests of `recall_pipeline.manifests`."""
