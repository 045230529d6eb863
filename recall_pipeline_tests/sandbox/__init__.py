"""Tests of the sandbox, as of a product: over real HTTP, with every setting of its behaviour."""
