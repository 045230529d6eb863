"""Measurements of the product beside what people use today; `make bench` installs the peers."""

import signal

# A shell's `&` has SIGINT ignored, also in whatever is started here and is to be stopped by it.
signal.signal(signal.SIGINT, signal.default_int_handler)
