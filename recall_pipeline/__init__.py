"""Bring a company's Recall.ai meeting audio home, every day, without losing a minute of it.

Follow one recording by reading the rooms in their order; a room imports only from rooms above it:

    settings, errors   what the user may set, and what can go wrong
    recall             speak to Recall.ai: what exists, and where its bytes are for the moment
    storage            where bytes live: the one place a path is spelled
    capture            bring an MP3 home whole, and prove it
    audio              make it ready for machines that listen
    catalog            decide each recording's outcome, and keep the table that everybody reads
    assets             the same as four Dagster assets, one thin file each
    automation         when they run
    definitions        what Dagster loads
    cli                the same by hand

Beside them stands `sandbox`: a Recall.ai on loopback, for the demo, the tests and the docs.
"""
