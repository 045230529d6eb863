"""Tests of `recall_pipeline.polling`."""
