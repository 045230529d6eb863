"""Which rows of the catalog a view shows: a filter by columns, as the query of its address states it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    import pyarrow as pa
    from starlette.datastructures import QueryParams

_MAX_CHARACTERS = 200
FILTER_COLUMNS = ("outcome", "platform", "bot_name", "bot_id", "findings", "metadata")
"""The columns that a filter reads."""


@dataclass(frozen=True, slots=True)
class CatalogFilter:
    """Rows that agree with every value that is set. `bot` is a name or an id, `metadata` are pairs `key=value`."""

    outcome: str | None = None
    platform: str | None = None
    bot: str | None = None
    finding: str | None = None
    metadata: tuple[str, ...] = ()

    @classmethod
    def from_query(cls, query: "QueryParams") -> "CatalogFilter":
        """Return the filter in the query of an address; empty values count as not set."""
        single = {name: _filter_value(query.get(name)) for name in ("outcome", "platform", "bot", "finding")}
        pairs = filter(None, map(_filter_value, query.getlist("metadata")))
        return cls(**single, metadata=tuple(dict.fromkeys(pairs)))

    @property
    def is_set(self) -> bool:
        """Whether it leaves out any row."""
        return self != CatalogFilter()

    @property
    def query(self) -> str:
        """The filter as part of an address, without `?`; empty for all rows."""
        names = ("outcome", "platform", "bot", "finding")
        single = [(name, value) for name in names if (value := getattr(self, name))]
        return urlencode([*single, *(("metadata", pair) for pair in self.metadata)])

    def matching(self, table: "pa.Table") -> "pa.Table":
        """Return the rows of a table with `FILTER_COLUMNS` that agree."""
        for name, value in (("outcome", self.outcome), ("platform", self.platform)):
            if value is not None:
                table = rows_with(table, name, value)
        if self.bot is not None:
            table = table.filter(_is_bot(table, self.bot))
        if self.finding is not None:
            table = table.filter(_has_finding(table, self.finding))
        for pair in self.metadata:
            table = table.filter(_has_pair(table, pair))
        return table


def _filter_value(value: str | None) -> str | None:
    return (value or "").strip()[:_MAX_CHARACTERS] or None


def rows_with(table: "pa.Table", name: str, value: str) -> "pa.Table":
    """Return the rows with this text in a column."""
    return table.filter(_is_equal(table, name, value))


def _is_equal(table: "pa.Table", name: str, value: str) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.equal(table.column(name).cast(pa.string()), pa.scalar(value))


def _is_bot(table: "pa.Table", bot: str) -> Any:
    import pyarrow.compute as pc

    return pc.or_kleene(_is_equal(table, "bot_name", bot), _is_equal(table, "bot_id", bot))


def _has_finding(table: "pa.Table", code: str) -> Any:
    import pyarrow as pa

    return pa.array([code in (codes or ()) for codes in table.column("findings").to_pylist()], pa.bool_())


def _has_pair(table: "pa.Table", pair: str) -> Any:
    """Return for each row whether its metadata have a pair; equal metadata are parsed once."""
    import pyarrow as pa

    key, _, value = pair.partition("=")
    answers: dict[str | None, bool] = {}
    column = table.column("metadata").to_pylist()
    for text in column:
        if text not in answers:
            answers[text] = _states(metadata_pairs(text), key.strip(), value.strip())
    return pa.array([answers[text] for text in column], pa.bool_())


def _states(pairs: Mapping[str, str], key: str, value: str) -> bool:
    return pairs.get(key) == value if value else key in pairs


def metadata_pairs(text: str | None) -> dict[str, str]:
    """Return the pairs of a recording's metadata as texts; values that are not texts as JSON."""
    try:
        parsed = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(parsed, dict):
        return {}
    return {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for key, value in parsed.items()
    }
