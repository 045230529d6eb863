"""Tests, one folder per package; they run offline against real parts."""
