"""Small kinds of damage to an archive, each found by `verify` under a stable code (docs/damage.md)."""
