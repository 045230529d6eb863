"""Parameter types of the command line: days, ids, timestamps, key-value pairs."""

import re
from datetime import UTC, date, datetime
from uuid import UUID

import click


class DayType(click.ParamType[date]):
    """A UTC day, YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the day; fail with the expected format."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a date: use YYYY-MM-DD", param, ctx)


class IdType(click.ParamType[str]):
    """An id of Recall.ai: a UUID."""

    name = "ID"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the id in canonical form; fail with an example."""
        try:
            return str(UUID(str(value)))
        except ValueError:
            self.fail(f"{value!r} is not an id: use a UUID such as c1a5c4be-0d4a-4b55-8f6e-1a2b3c4d5e6f", param, ctx)


class TimestampType(click.ParamType[datetime]):
    """An ISO 8601 timestamp; UTC if it has no offset."""

    name = "TIME"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the timestamp in UTC; fail with an example."""
        try:
            timestamp = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a timestamp: use a form such as 2026-03-02T09:00:00Z", param, ctx)
        return (timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)).astimezone(UTC)


class HostType(click.ParamType[str]):
    """A host to listen on: a name or an address, an IPv6 address with or without brackets."""

    name = "HOST"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the host without brackets; fail with an example. An empty one would be every network of this host."""
        host = str(value).removeprefix("[").removesuffix("]")
        if not re.fullmatch(r"[^\s/\[\]\x00]+", host):
            self.fail(f"{value!r} is not a host: use an address such as 127.0.0.1 (0.0.0.0: all networks)", param, ctx)
        return host


class PairType(click.ParamType[tuple[str, str]]):
    """A pair KEY=VALUE; the value may contain `=`."""

    name = "K=V"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return key and value; fail with an example."""
        if isinstance(value, tuple):
            return value
        key, separator, content = str(value).partition("=")
        if not separator or not key:
            self.fail(f"{value!r} is not a pair: use KEY=VALUE, such as team=sales", param, ctx)
        return key, content


DAY, RECALL_ID, TIMESTAMP, PAIR = DayType(), IdType(), TimestampType(), PairType()
