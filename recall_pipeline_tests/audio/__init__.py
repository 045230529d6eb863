"""Tests of the package `audio`: real codecs, sounds made here or spoken in the sandbox's clips."""
