"""Tests of the one rule for all HTTP clients."""
