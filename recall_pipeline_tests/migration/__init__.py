"""Tests of `recall_pipeline.migration` and of the command `migrate`."""
