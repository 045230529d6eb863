"""The trusted certificates: SSL_CERT_FILE and SSL_CERT_DIR if set, else those of certifi and of the system."""

import os
import re
import ssl
from pathlib import Path

import httpx

from recall_pipeline.errors import SettingsError

_FILE, _FOLDER, _KEY_LOG = "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"
_HASHED_NAME = re.compile(r"[0-9a-f]{8}\.\d+")


def tls_context() -> ssl.SSLContext:
    """Return the context of new TLS connections.

    Raises SettingsError if SSL_CERT_FILE or SSL_CERT_DIR contains no certificates, or SSLKEYLOGFILE is not writable.
    """
    file, folders = os.environ.get(_FILE), os.environ.get(_FOLDER)
    if file:
        _check_file(file)
    if folders:
        _check_folders(folders)
    try:
        return _context(file, folders)
    except OSError as error:
        raise SettingsError(f"{_KEY_LOG} is not writable ({error.strerror}): correct it or unset it") from None


def _context(file: str | None, folders: str | None) -> ssl.SSLContext:
    if file or folders:
        context = ssl.create_default_context(cafile=file or None)
        for folder in (folders or "").split(os.pathsep):
            context.load_verify_locations(capath=folder) if folder else None
        return context
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


def _check_file(name: str) -> None:
    try:
        Path(name).open("rb").close()
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=name)
    except ssl.SSLError:
        raise SettingsError(
            f"{_FILE} {name!r} contains no certificates: name a file of certificates in PEM format, or unset it"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(f"{_FILE} {name!r} cannot be read ({reason}): correct it or unset it") from None


def _check_folders(names: str) -> None:
    """Check that one folder has certificates by the names under which OpenSSL looks them up."""
    found = [file for name in names.split(os.pathsep) if name for file in _names_in(name)]
    if not any(_HASHED_NAME.fullmatch(file) for file in found):
        raise SettingsError(
            f"{_FOLDER} {names!r} contains no certificates with hashed names: run `openssl rehash` on the folder, "
            "or unset it"
        )


def _names_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 -- names are enough
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(f"{_FOLDER} {folder!r} cannot be read ({reason}): correct it or unset it") from None
