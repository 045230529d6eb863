"""The address on which a command listens."""

import socket

from recall_pipeline.errors import UsageError


def host_in_url(host: str) -> str:
    """Return a host as a URL names it: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def open_port(host: str, port: int) -> socket.socket:
    """Return a listening socket; raise UsageError if the address cannot be had. Port 0 is any free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that DNS cannot have
        reason = getattr(error, "strerror", None) or "it is not a host's name"
        raise UsageError(
            f"cannot listen on {host_in_url(host)}:{port} ({reason}): choose another --host or --port"
        ) from None
