"""Tests of `recall_pipeline.cli`, run through its entry point."""
