"""Whether a stored column fits the type that is declared for it, by the footer of its file; arrays of texts."""

import itertools
import typing
from array import array
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def fits(stored: "pa.DataType", declared: "pa.DataType") -> bool:
    """Return whether values of `stored` can be read as `declared`: of the same kind, whatever its width or unit.

    A column of nulls only fits everything. Floats fit integers, as pandas stores those of a column with gaps; reading
    refuses a fraction. A struct may lack fields of the declared one, or have others.
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
    if kinds.is_floating(declared) or kinds.is_integer(declared):
        return kinds.is_floating(stored) or kinds.is_integer(stored)
    same_kind = (kinds.is_boolean, kinds.is_date, kinds.is_timestamp, is_text)
    return any(is_kind(declared) and is_kind(stored) for is_kind in same_kind)


def is_text(kind: "pa.DataType") -> bool:
    """Return whether the values of a type are strings."""
    import pyarrow.types as kinds

    return kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind)


def text_array(texts: Collection[str]) -> "pa.StringArray":
    """Return an Arrow array of texts. `pyarrow.array` would import pandas, which takes longer than most lookups."""
    import pyarrow as pa

    encoded = [text.encode() for text in texts]
    ends = array("i", itertools.accumulate(map(len, encoded), initial=0))
    return pa.StringArray.from_buffers(len(encoded), pa.py_buffer(ends), pa.py_buffer(b"".join(encoded)))
