"""Measurements of the product beside what people use today; `make bench` installs the peers."""
