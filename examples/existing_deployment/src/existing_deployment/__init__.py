"""A Dagster project with assets of its own and two archives of Recall.ai meetings."""
