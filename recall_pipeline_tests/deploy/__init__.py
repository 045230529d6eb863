"""What `deploy/` promises, tried with real servers."""
