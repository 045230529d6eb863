"""Benchmarks of the product and of common alternatives; `make bench` installs the alternatives."""

import signal

# A shell's `&` has SIGINT ignored, also in whatever is started here and is to be stopped by it.
signal.signal(signal.SIGINT, signal.default_int_handler)
