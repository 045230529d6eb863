"""Tests, one folder a room; they run offline against real parts."""
