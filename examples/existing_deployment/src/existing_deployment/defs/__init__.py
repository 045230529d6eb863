"""Everything that this project defines: Dagster loads all files of this folder."""
