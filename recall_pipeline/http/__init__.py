"""One rule for every HTTP client (proxies and trusted certificates), and one for every HTTP server (its limits).

Belongs here: the construction of the clients for the API, the media host and alerts; the proxy variables
(proxies.py) and certificate variables (certificates.py) of the environment; the causes of failed connections; servers
with limits.
Does not belong here: what clients send and servers answer, retries, and the clients of object stores (botocore's).
Comes in: the environment, and the URLs that a client is for. Goes out: httpx clients, or a SettingsError in one line
with the variable, the fault and the fix.

Requests to loopback never take a proxy. A variable is checked when a request depends on it, so a wrong one does not
stop what works without it.
"""

from recall_pipeline.http.clients import async_client, sync_client
from recall_pipeline.http.connection_faults import connection_fault, is_web_page
from recall_pipeline.http.proxies import EnvironmentProxy, proxy_of
from recall_pipeline.http.request_target import exact_target
from recall_pipeline.http.servers import limited_server

__all__ = [
    "EnvironmentProxy",
    "async_client",
    "connection_fault",
    "exact_target",
    "is_web_page",
    "limited_server",
    "proxy_of",
    "sync_client",
]
