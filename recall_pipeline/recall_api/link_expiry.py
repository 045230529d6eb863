"""When pre-signed links expire, as far as their queries show it (docs/design/recall-api.md, section 6)."""

import contextlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice
from urllib.parse import parse_qs, urlsplit

_SAMPLE = 20


def links_expire_at(links: Iterable[str]) -> datetime | None:
    """Return when the first of a few links expires; None if none of them states it."""
    known = (link_expires_at(link) for link in islice(links, _SAMPLE))
    return min((moment for moment in known if moment), default=None)


def link_expires_at(link: str) -> datetime | None:
    """Return when a link expires: `Expires`, or `X-Amz-Date` plus `X-Amz-Expires`."""
    with contextlib.suppress(ValueError, OverflowError):
        query = parse_qs(urlsplit(link).query)
        if expires := query.get("Expires"):
            return datetime.fromtimestamp(int(expires[0]), UTC)
        signed, seconds = query.get("X-Amz-Date"), query.get("X-Amz-Expires")
        if signed and seconds:
            signed_at = datetime.strptime(signed[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            return signed_at + timedelta(seconds=int(seconds[0]))
    return None
