"""Whether a stored column fits the type that is declared for it, by the footer of its file."""

import typing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def fits(stored: "pa.DataType", declared: "pa.DataType") -> bool:
    """Return whether values of `stored` can be read as `declared`: of the same kind, whatever its width or unit.

    A column of nulls only fits everything. A struct may lack fields of the declared one, or have others.
    """
    import pyarrow.types as kinds

    if kinds.is_dictionary(stored):
        stored = typing.cast("Any", stored).value_type
    if kinds.is_null(stored):
        return True
    if kinds.is_list(declared):
        is_list = kinds.is_list(stored) or kinds.is_large_list(stored)
        return is_list and fits(typing.cast("Any", stored).value_type, declared.value_type)
    if kinds.is_struct(declared):
        return kinds.is_struct(stored) and all(
            fits(stored.field(field.name).type, field.type)
            for field in declared
            if stored.get_field_index(field.name) >= 0
        )
    if kinds.is_floating(declared):
        return kinds.is_floating(stored) or kinds.is_integer(stored)
    same_kind = (kinds.is_boolean, kinds.is_integer, kinds.is_date, kinds.is_timestamp, _is_text)
    return any(is_kind(declared) and is_kind(stored) for is_kind in same_kind)


def _is_text(kind: "pa.DataType") -> bool:
    import pyarrow.types as kinds

    return kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind)
