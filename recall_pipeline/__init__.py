"""Bring a company's Recall.ai meeting audio home, every day, without losing a minute of it.

Follow one recording by reading the rooms in their order; a room imports only from rooms above it:

    errors, days, redaction, settings  what can go wrong, and what the user may set
    recall             speak to Recall.ai: what exists, and where its bytes are for the moment
    storage            where bytes live: the one place a path is spelled
    audit              write down what was let go, and know by that what must never come back
    inbox              take in what Recall.ai tells by webhook, until the sensor has looked
    discovery          learn what exists for a day, without forgetting what existed
    audio              hear what a file holds, and bring it to one level and format
    capture            bring an MP3 home whole, and prove it
    catalog            decide each recording's outcome, and keep the table that everybody reads
    verification       prove the archive against its tables, and account for every file
    forgetting         remove recordings for good, and prove that
    releasing          delete at Recall what was proven again just now
    manifests          list what is ready in the formats of training toolkits
    assets             the same as four Dagster assets, one thin file each
    downstream         the catalog as a resource, for other teams' code locations
    automation         when they run
    definitions        what Dagster loads
    cli                the same by hand

Beside them stands `sandbox`: a Recall.ai on loopback, for the demo, the tests and the docs.
"""
