"""Programs that break things while syncs run, for a night or a long break: see CONTRIBUTING.md."""
