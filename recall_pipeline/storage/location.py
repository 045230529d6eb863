"""Where an archive is stored, and how it is opened."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from recall_pipeline.coordination import HeldLock
from recall_pipeline.errors import ArchiveUnreadable, StorageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage.archive import Archive
from recall_pipeline.storage.archive_identity import read_identity
from recall_pipeline.storage.aws_environment import check_aws_environment
from recall_pipeline.storage.bucket_store import BucketStore
from recall_pipeline.storage.folder_store import FolderStore
from recall_pipeline.storage.object_store import endpoint_of, filesystem_options, install_hint, merged_options
from recall_pipeline.storage.staging import staging_folder_of

_SCHEMES = {"gcs": "gs", "az": "abfs", "abfss": "abfs"}  # other names of the same store


@dataclass(frozen=True, slots=True)
class ArchiveLocation:
    """Where an archive is stored. Picklable, so that a worker process can open the archive; its text has no secret.

    `root` is an absolute path or an fsspec URL; `encryption` is the value of RECALL_S3_ENCRYPTION; `options` are
    fsspec's, which may contain credentials. `held_locks` are those of the process that gives this to a worker: the
    worker publishes nothing once they are lost.
    """

    root: str
    staging_folder: Path
    encryption: str | None = None
    group_may_read: bool = False
    options: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)
    coordination_url: SecretStr | None = field(default=None, repr=False)
    held_locks: tuple[HeldLock, ...] = field(default=(), repr=False)

    @property
    def scheme(self) -> str:
        """`file` for a local folder, else the scheme of the URL."""
        scheme, separator, _ = self.root.partition("://")
        return scheme if separator else "file"

    @classmethod
    def from_settings(cls, settings: Settings) -> "ArchiveLocation":
        """Return the location that the settings define."""
        return cls(
            settings.storage_root,
            staging_folder_of(settings),
            settings.s3_encryption,
            settings.group_may_read,
            settings.storage_options,
            settings.coordination_url,
        )

    @property
    def name_for_all_hosts(self) -> str:
        """The archive's name in locks: all hosts must give it the same URL, or mount it at the same path."""
        if self.scheme == "file":
            return os.path.realpath(self.root)
        return f"{_SCHEMES.get(self.scheme, self.scheme)}://{self.root.partition('://')[2]}"

    def open(self) -> Archive:
        """Open the archive without any request. Raises StorageError if the scheme's package is not installed.

        Raises SettingsError if a standard AWS variable has a value that S3 clients cannot use.
        """
        if self.scheme == "file":
            return Archive(self, FolderStore(self.root, group_may_read=self.group_may_read))
        return Archive(self, self._bucket())

    def _bucket(self) -> BucketStore:
        import fsspec

        if self.scheme == "s3":
            check_aws_environment()
        options = merged_options(
            filesystem_options(self.scheme, self.encryption, endpoint_of(self.options)), self.options
        )
        try:
            # Not `url_to_fs`: it reads `::` in a path as a chain of file systems.
            filesystem_type = fsspec.get_filesystem_class(self.scheme)
            url_options = filesystem_type._get_kwargs_from_urls(self.root)
            filesystem = filesystem_type(use_listings_cache=False, **url_options, **options)
        except ImportError as missing:
            raise StorageError(f"RECALL_STORAGE_URL {self.root}: {missing}; {install_hint(self.scheme)}") from None
        return BucketStore(filesystem, self.scheme, filesystem_type._strip_protocol(self.root))


def place_of(settings: Settings) -> str:
    """Return where an archive is stored, the same text for all spellings of one place: links, `..` and slashes."""
    root = settings.storage_root
    if settings.storage_is_local:
        return os.path.realpath(root)
    scheme, _, rest = root.partition("://")
    endpoint = endpoint_of(settings.storage_options).rstrip("/") if scheme == "s3" else ""
    return f"{endpoint} {_SCHEMES.get(scheme, scheme)}://{rest}"


def staging_place_of(settings: Settings) -> str:
    """Return where the staging folder of an archive is, the same text for all spellings of one place."""
    return os.path.realpath(staging_folder_of(settings))


def open_archive(settings: Settings) -> Archive:
    """Open the archive of `settings`, and read its format.

    Raises ArchiveRefused for a newer format, ArchiveUnreadable if the file with the format is damaged, and StorageError
    if the package for its URL is not installed.
    """
    archive = ArchiveLocation.from_settings(settings).open()
    try:
        read_identity(archive)
    except ArchiveUnreadable:
        raise
    except StorageError:  # a reader may have access to some folders only; what it does read reports the fault
        pass
    return archive
