"""Where alerts go: always the log, and a webhook where the settings name one."""

import logging
from typing import Protocol

import httpx
from pydantic import SecretStr

from recall_pipeline.redaction import redact_http_logs
from recall_pipeline.settings import Settings

_TIMEOUT_SECONDS = 4  # a hook that hangs at every message of a tick leaves it within the minute that Dagster gives it


class AlertDestination(Protocol):
    """Takes a message for people."""

    def send(self, message: str) -> bool:
        """Deliver `message`; False when it was not taken and should be tried again."""


class LogDestination:
    """Writes messages to a log."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log

    def send(self, message: str) -> bool:
        """Log `message` as an error, or as information when something recovered."""
        level = logging.INFO if message.startswith("Recovered") else logging.ERROR
        self._log.log(level, message)
        return True


class WebhookDestination:
    """Posts Slack-shaped JSON; the URL is a secret and appears nowhere."""

    def __init__(self, url: SecretStr, log: logging.Logger) -> None:
        self._url = url
        self._log = log

    def send(self, message: str) -> bool:
        """Post `message`; log without the URL why it could not be."""
        redact_http_logs()
        try:
            answer = httpx.post(
                self._url.get_secret_value(), json={"text": f"recall_pipeline: {message}"}, timeout=_TIMEOUT_SECONDS
            )
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            self._log.warning(
                "RECALL_ALERT_URL cannot be reached (%s); the next tick tries again", type(fault).__name__
            )
            return False
        if not answer.is_success:
            self._log.warning("RECALL_ALERT_URL answers %s; the next tick tries again", answer.status_code)
        return answer.is_success


def destinations_of(settings: Settings, log: logging.Logger) -> list[AlertDestination]:
    """Return the sinks that the settings name; a message counts as told when the last of them took it."""
    return [LogDestination(log), *([WebhookDestination(settings.alert_url, log)] if settings.alert_url else [])]
