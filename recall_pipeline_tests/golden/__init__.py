"""An archive as an earlier commit wrote it, and tests that read, verify and sync copies of it."""
