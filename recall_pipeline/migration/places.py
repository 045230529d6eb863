"""Where the files of a catalog row are: keys below the root, and the URIs that follow from them."""

from typing import TYPE_CHECKING

from recall_pipeline.storage import Archive, Layout

if TYPE_CHECKING:
    import pyarrow as pa

_KINDS = ("source", "audio")


def current_place_of(archive: Archive, uri: str | None, key: str | None) -> tuple[str | None, str | None]:
    """Return the URI and the key of a file in the archive as it is opened now.

    A key that does not have the form of one, or contradicts its URI, is damage: both are returned as they are.
    """
    in_uri = Layout.audio_key_in(uri)
    if key is None:
        found = in_uri
    elif uri is None:
        found = key if Layout.audio_key_in(key) == key else None
    else:
        found = key if key == in_uri else None
    return (uri, key) if found is None else (archive.uri(found), found)


def placed(archive: Archive, content: "pa.Table") -> tuple["pa.Table", int]:
    """Return the catalog with the URIs and keys of its present place, and the number of URIs that changed."""
    import pyarrow as pa

    changed = 0
    for kind in _KINDS:
        names = (f"{kind}_uri", f"{kind}_key")
        before = list(zip(*(content.column(name).to_pylist() for name in names), strict=True))
        after = [current_place_of(archive, uri, key) for uri, key in before]
        changed += sum(old[0] != new[0] for old, new in zip(before, after, strict=True))
        for name, values in zip(names, zip(*after, strict=True), strict=False):
            number = content.schema.get_field_index(name)
            content = content.set_column(number, content.schema.field(number), pa.array(values, pa.string()))
    return content, changed
