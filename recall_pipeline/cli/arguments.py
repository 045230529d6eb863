"""Kinds of arguments: days, ids, moments, pairs."""

from datetime import UTC, date, datetime
from uuid import UUID

import click


class DayType(click.ParamType[date]):
    """A UTC day, YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the day, or fail with what it should look like."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no day: write it like 2026-03-02", param, ctx)


class IdType(click.ParamType[str]):
    """An id of Recall.ai's."""

    name = "ID"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the id in its usual spelling, or fail."""
        try:
            return str(UUID(str(value)))
        except ValueError:
            self.fail(f"{value!r} is no id: it looks like c1a5c4be-0d4a-4b55-8f6e-1a2b3c4d5e6f", param, ctx)


class MomentType(click.ParamType[datetime]):
    """A moment, ISO 8601; without an offset it is UTC."""

    name = "TIME"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment in UTC, or fail."""
        try:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no time: write it like 2026-03-02T09:00:00Z", param, ctx)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


class PairType(click.ParamType[tuple[str, str]]):
    """KEY=VALUE."""

    name = "K=V"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return key and value, or fail."""
        if isinstance(value, tuple):
            return value
        key, separator, content = str(value).partition("=")
        if not separator or not key:
            self.fail(f"{value!r} is no pair: write it like team=sales", param, ctx)
        return key, content


DAY, RECALL_ID, MOMENT, PAIR = DayType(), IdType(), MomentType(), PairType()
