"""Tests of the probe: what its report shows, what it never shows, and that a report can be replayed."""
