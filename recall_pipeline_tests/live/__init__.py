"""Programs that drive a real `dagster dev`: see CONTRIBUTING.md."""
