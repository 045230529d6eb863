"""A set of ids that takes eight bytes for each: their hashes, in one sorted array."""

from array import array
from collections.abc import Iterable, Set


class IdHashes:
    """A set that may contain more than was added, with a chance of less than one in a million for a million ids.

    Ids are added first; then the set is asked. Hashes differ from process to process, and so does what is contained
    by chance.
    """

    def __init__(self) -> None:
        self._hashes = array("q")
        self._is_sorted = True

    def add(self, ids: Iterable[str]) -> None:
        """Add some ids."""
        self._hashes.extend(map(hash, ids))
        self._is_sorted = False

    def contained_in(self, ids: Set[str]) -> set[str]:
        """Return those of `ids` that were added."""
        import numpy as np

        hashes = np.frombuffer(self._hashes, np.int64)
        if not self._is_sorted:
            hashes.sort()  # in place
            self._is_sorted = True
        named = list(ids)
        if not (named and len(hashes)):
            return set()
        asked = np.fromiter(map(hash, named), np.int64, len(named))
        places = np.minimum(hashes.searchsorted(asked), len(hashes) - 1)
        return {name for name, is_found in zip(named, hashes[places] == asked, strict=True) if is_found}
