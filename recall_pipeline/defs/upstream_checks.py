"""Checks of what Recall.ai showed about a day, from the facts of its table `recordings`."""

from collections.abc import Mapping

from recall_pipeline.catalog import Finding
from recall_pipeline.discovery import expired_bots, rows_left_out


def expired_unseen(facts: Mapping[str, str]) -> Finding:
    """Every bot that recorded had its recordings listed before its media expired."""
    bots = expired_bots(facts)
    problems = tuple(f"bot {bot_id} recorded, and its media expired before any sync" for bot_id in bots)
    return Finding(len(bots), problems, "sync more often than Recall removes media, or record with a longer retention")


def unusable_rows(facts: Mapping[str, str]) -> Finding:
    """Every row of the listings has a usable id, and every recording a date."""
    rows = tuple(rows_left_out(facts))
    return Finding(len(rows), rows, "report it to Recall: a recording without an id or a date cannot be archived")
