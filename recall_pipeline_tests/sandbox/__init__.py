"""The sandbox, tested as if it were the product: over real HTTP, in every reading it can speak."""
