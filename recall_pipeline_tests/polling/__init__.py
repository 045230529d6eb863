"""Tests of the package `polling`."""
