"""Checks of what Recall.ai showed about a day."""

from collections.abc import Sequence

from recall_pipeline.catalog import Finding
from recall_pipeline.discovery import BotRow


def expired_unseen(bots: Sequence[BotRow]) -> Finding:
    """Every bot that recorded had its recordings listed before its media expired."""
    problems = tuple(f"bot {row.bot_id} recorded, and its media expired before any sync" for row in bots)
    return Finding(len(bots), problems, "sync more often than Recall removes media, or record with a longer retention")
