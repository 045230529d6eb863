"""SQL for PostgreSQL 12 or later. The time is the server's; each statement is one atomic step.

Locks are rows with a time at which they end, and no advisory locks: those are held by the connection of a process that
was stopped, and they do not work behind a pooler that gives out a connection for each transaction.
"""

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS recall_pipeline_requests"
    " (endpoint text NOT NULL, is_short boolean NOT NULL, at double precision NOT NULL)",
    "CREATE INDEX IF NOT EXISTS recall_pipeline_requests_by_endpoint ON recall_pipeline_requests (endpoint, at)",
    "CREATE TABLE IF NOT EXISTS recall_pipeline_locks"
    " (name text PRIMARY KEY, token text NOT NULL, holder text NOT NULL, held_until timestamptz NOT NULL)",
)

HAS_TABLES = (
    "SELECT to_regclass('recall_pipeline_requests') IS NOT NULL AND to_regclass('recall_pipeline_locks') IS NOT NULL"
)
"""Whether there is nothing to create: IF NOT EXISTS needs the right to create, and to own, what exists."""

REMOVE_OLD_LOCKS = "DELETE FROM recall_pipeline_locks WHERE held_until < clock_timestamp() - interval '1 day'"

EXCLUSIVE = "SELECT pg_advisory_xact_lock(hashtextextended('recall_pipeline ' || %(name)s, 0))"
"""Let one transaction at a time use a name. It ends with the transaction, also behind a pooler."""

TAKE = """
WITH clock AS MATERIALIZED (SELECT extract(epoch FROM clock_timestamp())::double precision AS now),
removed AS (
    DELETE FROM recall_pipeline_requests USING clock WHERE endpoint = %(endpoint)s AND at <= now - %(window)s
),
latest AS MATERIALIZED (
    SELECT at, is_short FROM recall_pipeline_requests, clock WHERE endpoint = %(endpoint)s AND at > now - %(window)s
),
blocking AS MATERIALIZED (
    (SELECT at FROM latest ORDER BY at DESC LIMIT 1 OFFSET %(of_both)s)
    UNION ALL
    (SELECT at FROM latest WHERE is_short = %(is_short)s ORDER BY at DESC LIMIT 1 OFFSET %(of_class)s)
),
taken AS (
    INSERT INTO recall_pipeline_requests
    SELECT %(endpoint)s, %(is_short)s, now FROM clock WHERE NOT EXISTS (SELECT FROM blocking)
)
SELECT CASE WHEN max(at) IS NULL THEN 0 ELSE greatest(max(at) + %(window)s - max(now), 0.001) END
FROM clock LEFT JOIN blocking ON true
"""
"""Record a request and return 0, or return the seconds to wait. After EXCLUSIVE, in the same transaction."""

ACQUIRE = """
INSERT INTO recall_pipeline_locks AS stored
VALUES (%(lock)s, %(token)s, %(holder)s, clock_timestamp() + %(lease)s * interval '1 second')
ON CONFLICT (name) DO UPDATE
SET token = excluded.token, holder = excluded.holder, held_until = clock_timestamp() + %(lease)s * interval '1 second'
WHERE stored.held_until <= clock_timestamp() OR stored.token = excluded.token
"""
"""Affects one row if the token holds the lock now, else none."""

HOLDER = "SELECT holder FROM recall_pipeline_locks WHERE name = %(lock)s"

RENEW = """
UPDATE recall_pipeline_locks SET held_until = clock_timestamp() + %(lease)s * interval '1 second'
WHERE name = %(lock)s AND token = %(token)s
"""

RELEASE = "DELETE FROM recall_pipeline_locks WHERE name = %(lock)s AND token = %(token)s"

VERSION_AND_CLOCK = "SELECT current_setting('server_version'), extract(epoch FROM clock_timestamp())"
