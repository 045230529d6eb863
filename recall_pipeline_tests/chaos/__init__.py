"""Long-running programs that inject faults while syncs run: see CONTRIBUTING.md."""
