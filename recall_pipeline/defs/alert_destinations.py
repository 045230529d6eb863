"""Destinations of alerts: always the log, and a webhook if RECALL_ALERT_URL is set."""

import logging
from typing import Protocol

import httpx
from pydantic import SecretStr

from recall_pipeline.errors import SettingsError
from recall_pipeline.http import sync_client
from recall_pipeline.settings import Settings

_TIMEOUT_SECONDS = 4  # ten messages to a webhook that hangs fit into the minute that Dagster gives a tick


class AlertDestination(Protocol):
    """Receives messages for the operator."""

    def send(self, message: str) -> bool:
        """Deliver `message`; False if it was not accepted and should be sent again."""


class LogDestination:
    """Writes messages to a log. Those of a named `instance` begin with its name."""

    def __init__(self, log: logging.Logger, instance: str | None = None) -> None:
        self._log = log
        self._prefix = f"{instance}: " if instance else ""

    def send(self, message: str) -> bool:
        """Log `message` as an error, or as information when something recovered or is only new."""
        level = logging.INFO if message.startswith(("Recovered", "New at")) else logging.ERROR
        self._log.log(level, self._prefix + message)
        return True


class WebhookDestination:
    """Posts Slack-shaped JSON that names the instance, if it has a name. The URL is a secret and is never logged."""

    def __init__(self, url: SecretStr, log: logging.Logger, instance: str | None = None) -> None:
        self._url = url
        self._log = log
        self._sender = f"recall_pipeline {instance}" if instance else "recall_pipeline"

    def send(self, message: str) -> bool:
        """Post `message`; log a failure without the URL."""
        url = self._url.get_secret_value()
        try:
            with sync_client(url, timeout=_TIMEOUT_SECONDS) as http:
                response = http.post(url, json={"text": f"{self._sender}: {message}"})
        except SettingsError as error:
            self._log.warning("RECALL_ALERT_URL cannot be reached: %s", error)
            return False
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self._log.warning(
                "RECALL_ALERT_URL cannot be reached (%s); the next tick tries again", type(error).__name__
            )
            return False
        if not response.is_success:
            self._log.warning("RECALL_ALERT_URL answers %s; the next tick tries again", response.status_code)
        return response.is_success


def destinations_of(settings: Settings, log: logging.Logger, instance: str | None = None) -> list[AlertDestination]:
    """Return the destinations that the settings name. A message counts as sent if the last of them accepted it."""
    webhooks = [WebhookDestination(settings.alert_url, log, instance)] if settings.alert_url else []
    return [LogDestination(log, instance), *webhooks]
