"""What the user may set, and the one line that a wrong value gets (docs/design/interface.md, section 1)."""

import os
from datetime import date, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from recall_pipeline.audio.target import Target
from recall_pipeline.days import utc_now
from recall_pipeline.errors import SettingsError
from recall_pipeline.settings import (
    Settings,
    dagster_home,
    environment_name,
    folders,
    is_loopback,
    load_settings,
    project_folder,
)

WEBHOOK_SECRET = "whsec_c2FuZGJveC1zZWNyZXQtb2Ytbm9ib2R5"  # noqa: S105 -- signs nothing
DEFAULTS = {
    "RECALL_API_KEY": None,
    "RECALL_REGION": "us-east-1",
    "RECALL_API_URL": None,
    "RECALL_STORAGE_URL": "./data",
    "RECALL_S3_ENCRYPTION": None,
    "RECALL_GROUP_MAY_READ": False,
    "RECALL_SPOOL_DIR": None,
    "RECALL_START_DATE": date(2025, 1, 1),
    "RECALL_LOOKBACK_DAYS": 7,
    "RECALL_AUDIO_FORMAT": "flac",
    "RECALL_AUDIO_SAMPLE_RATE_HZ": 16000,
    "RECALL_AUDIO_CHANNELS": 1,
    "RECALL_TARGET_LUFS": -16,
    "RECALL_TRUE_PEAK_DBTP": -1.5,
    "RECALL_LIMITER_MAX_DB": 12,
    "RECALL_LIST_RPM": 50,
    "RECALL_OBJECT_RPM": 250,
    "RECALL_COORDINATION_URL": None,
    "RECALL_CONCURRENCY": 8,
    "RECALL_WORKERS": "local",
    "RECALL_MAX_FILE_MB": 4096,
    "RECALL_ALLOWED_NETWORKS": None,
    "RECALL_SENSOR_INTERVAL_SECONDS": 300,
    "RECALL_WEBHOOK_SECRET": None,
    "RECALL_RETENTION_DAYS": None,
    "RECALL_FIXITY_DAYS": None,
    "RECALL_RETENTION_LIMIT": None,
    "RECALL_ALERT_URL": None,
    "RECALL_PAGE_URL": None,
}
WRONG = [
    ("RECALL_API_KEY", "two words", "is not a key: paste it as Recall's dashboard shows it"),
    ("RECALL_API_KEY", "naïve", "is not a key"),
    ("RECALL_API_KEY", "Token ", "is not a key"),
    ("RECALL_REGION", "us-east-9", "'us-west-2'"),
    ("RECALL_API_URL", "api.recall.invalid/api/v1", "is not a base URL: use the form https://host/api/v1"),
    ("RECALL_API_URL", "ftp://api.recall.invalid", "is not a base URL"),
    ("RECALL_API_URL", "https://[::1/api/v1", "is not a base URL"),
    ("RECALL_API_URL", "https://api.recall.invalid:port/api/v1", "is not a base URL"),
    ("RECALL_API_URL", "https://api.recall.invalid:99999/api/v1", "is not a base URL"),
    ("RECALL_API_URL", "https://api recall.invalid/api/v1", "is not a base URL"),
    ("RECALL_API_URL", "https://api.recall.invalid/api/v1?page=1", "is not a base URL"),
    ("RECALL_API_URL", "https://api.recall.invalid/api/v1#bots", "is not a base URL"),
    ("RECALL_API_URL", "https://user@api.recall.invalid/api/v1", "is not a base URL"),
    ("RECALL_API_URL", "https://:word@api.recall.invalid/api/v1", "is not a base URL"),
    ("RECALL_API_URL", "http://api.recall.invalid/api/v1", "use https (http is for loopback only)"),
    ("RECALL_STORAGE_URL", "ftp://server/folder", "has an unknown scheme 'ftp': use a path or one of file, s3"),
    ("RECALL_STORAGE_URL", "s3:///prefix-only/", "has no bucket: use the form s3://bucket/prefix"),
    ("RECALL_STORAGE_URL", "s3://", "has no bucket"),
    ("RECALL_STORAGE_URL", "s3//bucket/prefix", "begins with s3// and is not a URL"),
    ("RECALL_STORAGE_URL", "$HOME/data", "begins with a variable, which only a shell replaces: write its value"),
    ("RECALL_STORAGE_URL", "${DATA}/archive", "begins with a variable"),
    ("RECALL_STORAGE_URL", "s3://AKIA:word@bucket/prefix", "contains credentials: set them as AWS variables"),
    ("RECALL_STORAGE_URL", "~nobody-of-that-name/data", "starts with the home of an unknown user"),
    ("RECALL_SPOOL_DIR", "~nobody-of-that-name/spool", "starts with the home of an unknown user"),
    ("RECALL_START_DATE", "yesterday", "is not a date: use YYYY-MM-DD"),
    ("RECALL_START_DATE", "1735689600", "is not a date"),
    ("RECALL_START_DATE", "2025-02-30", "is not a date"),
    ("RECALL_START_DATE", "0225-01-01", "is before 2000: use the first day to archive"),
    ("RECALL_LOOKBACK_DAYS", "0", "should be greater than or equal to 1; correct it or unset it (default: 7)"),
    ("RECALL_LOOKBACK_DAYS", "a week", "should be a valid integer"),
    ("RECALL_AUDIO_FORMAT", "aac", "should be 'flac', 'mp3', 'opus' or 'wav'"),
    ("RECALL_AUDIO_SAMPLE_RATE_HZ", "192000", "is not valid for flac: use one of 8000, 12000, 16000, 22050"),
    ("RECALL_AUDIO_SAMPLE_RATE_HZ", "11025", "is not valid for flac"),
    ("RECALL_AUDIO_SAMPLE_RATE_HZ", "16 kHz", "should be a valid integer"),
    ("RECALL_AUDIO_CHANNELS", "6", "should be less than or equal to 2"),
    ("RECALL_TARGET_LUFS", "-41", "should be greater than or equal to -40"),
    ("RECALL_TARGET_LUFS", "-4", "should be less than or equal to -5"),
    ("RECALL_TARGET_LUFS", "nan", "should be a finite number"),
    ("RECALL_TRUE_PEAK_DBTP", "1", "should be less than or equal to 0"),
    ("RECALL_LIMITER_MAX_DB", "-1", "should be greater than or equal to 0"),
    ("RECALL_LIMITER_MAX_DB", "inf", "should be a finite number"),
    ("RECALL_LIST_RPM", "0", "should be greater than or equal to 1"),
    ("RECALL_OBJECT_RPM", "0", "should be greater than or equal to 1"),
    ("RECALL_CONCURRENCY", "0", "should be greater than or equal to 1"),
    ("RECALL_S3_ENCRYPTION", "kms", "is not valid: use AES256, aws:kms"),
    ("RECALL_WORKERS", "0", "is not valid: use `local`, a number of processes, or a Dask scheduler"),
    ("RECALL_WORKERS", "http://host:8786", "is not valid: use `local`"),
    ("RECALL_MAX_FILE_MB", "0", "should be greater than or equal to 1"),
    ("RECALL_ALLOWED_NETWORKS", "10.0.0.5/8", "is not a list of networks: use CIDR ranges such as 10.20.0.0/16"),
    ("RECALL_ALLOWED_NETWORKS", "10.0.0.0/8;fd00::/8", "is not a list of networks"),
    ("RECALL_ALLOWED_NETWORKS", "vpc.example", "is not a list of networks"),
    ("RECALL_SENSOR_INTERVAL_SECONDS", "5", "should be greater than or equal to 30"),
    ("RECALL_WEBHOOK_SECRET", "secret", "is not a webhook secret: paste whsec_..."),
    ("RECALL_WEBHOOK_SECRET", f"{WEBHOOK_SECRET},{WEBHOOK_SECRET},{WEBHOOK_SECRET}", "is not a webhook secret"),
    ("RECALL_WEBHOOK_SECRET", "whsec_c2FuZGJv-XgtZWNyZXQ_b2Ytbm9ib2R5", "is not a webhook secret"),
    ("RECALL_WEBHOOK_SECRET", "whsec_c2hvcnQ=", "is not a webhook secret"),
    ("RECALL_RETENTION_DAYS", "0", "should be greater than or equal to 1"),
    ("RECALL_FIXITY_DAYS", "0", "should be greater than or equal to 1"),
    ("RECALL_RETENTION_DAYS", "never", "should be a valid integer"),
    ("RECALL_FIXITY_DAYS", "never", "should be a valid integer"),
    ("RECALL_GROUP_MAY_READ", "perhaps", "should be a valid boolean"),
    ("RECALL_RETENTION_LIMIT", "-1", "should be greater than or equal to 0"),
    ("RECALL_ALERT_URL", "hooks.example.invalid/abc", "is not a valid URL"),
    ("RECALL_ALERT_URL", "https://[::1/abc", "is not a valid URL"),
    ("RECALL_PAGE_URL", "archive.example.com", "is not the address of a page"),
    ("RECALL_COORDINATION_URL", "mysql://host/db", "unknown scheme: use redis://, rediss://, postgresql://"),
    ("RECALL_COORDINATION_URL", "postgresql+psycopg2://user:word@host/db", "has an unknown scheme"),
    ("RECALL_COORDINATION_URL", "host:6379", "has an unknown scheme"),
    ("RECALL_COORDINATION_URL", "redis://", "is not a valid URL: use redis://user:password@host:port/database"),
    ("RECALL_COORDINATION_URL", "rediss://:wo/rd@host", "is not a valid URL"),
    ("RECALL_COORDINATION_URL", "redis://:wo#rd@host", "is not a valid URL"),
    ("RECALL_COORDINATION_URL", "redis://host:port", "is not a valid URL"),
    ("RECALL_COORDINATION_URL", "redis://two words", "is not a valid URL"),
    ("RECALL_COORDINATION_URL", "redis://host/dagster", "has a database that is not a number"),
    ("RECALL_COORDINATION_URL", "postgresql://user:word@[::1/db", "is not a valid URL"),
    ("RECALL_ALERT_URL", "http://hooks.example.invalid/abc", "is not encrypted: use https (http is for loopback only)"),
]
SECRETS = {
    "RECALL_API_KEY": "key-of-nobody",
    "RECALL_WEBHOOK_SECRET": WEBHOOK_SECRET,
    "RECALL_COORDINATION_URL": "redis://:word-of-nobody@host",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of one's own, so that no developer's `.env` is read; what a test's `.env` sets goes with it."""
    monkeypatch.setattr(folders, "project_folder", lambda: tmp_path)
    for name in (*DEFAULTS, "AWS_ENDPOINT_URL"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return tmp_path


def test_every_documented_setting_has_its_default() -> None:
    found = load_settings()
    assert {environment_name(field): getattr(found, field) for field in Settings.model_fields} == DEFAULTS


def test_every_setting_has_a_description() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_settings_cannot_be_changed_once_read() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_settings().region = "us-west-2"  # type: ignore[misc]


@pytest.mark.parametrize(("name", "value", "message"), WRONG)
def test_a_wrong_value_is_one_line_with_variable_problem_and_fix(
    name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    text = str(refused.value)
    assert text.startswith(f"{name} ")
    assert message in text
    assert "\n" not in text
    assert "alue error" not in text


def test_a_wrong_value_is_tested_for_every_setting() -> None:
    assert {name for name, _, _ in WRONG} == DEFAULTS.keys()


@pytest.mark.parametrize("value", [" /archive", "/archive ", "s3://bucket/archive\n", "\u00a0/archive", "/archive\r"])
@pytest.mark.parametrize("name", ["RECALL_STORAGE_URL", "RECALL_SPOOL_DIR"])
def test_a_path_with_a_space_at_either_end_is_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"{name} (begins|ends) with a space or a line break.*: remove it$"):
        load_settings()


def test_spaces_around_a_value_that_is_not_a_path_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_LOOKBACK_DAYS", " 9 ")
    monkeypatch.setenv("RECALL_REGION", "eu-central-1\r")
    assert (load_settings().lookback_days, load_settings().region) == (9, "eu-central-1")


def test_a_dagster_home_with_a_space_at_its_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "/srv/dagster ")
    with pytest.raises(SettingsError, match="begins or ends with a space"):
        dagster_home()


@pytest.mark.parametrize("name", DEFAULTS)
@pytest.mark.parametrize("quoted", ['"/archive"', "'/archive'", '"7', "7'", "“/archive”", "`local`", ' "/archive" '])
def test_quotes_around_any_value_are_refused_by_name(name: str, quoted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, quoted)
    fault = (
        "has quotes around it.*: remove them"
        if quoted.strip()[0] in "\"'“`" and quoted.strip()[-1] in "\"'”`"
        else ("(begins|ends) with a quote.*: remove it")
    )
    with pytest.raises(SettingsError, match=f"^{name} {fault}$"):
        load_settings()


@pytest.mark.parametrize(
    "url",
    [
        "s3:/bucket",
        "file:/archive",
        "C:\\archive",
        "file://localhost/archive",
        "file://archive",
        "/a\nb",
        "/a\tb",
        "S3://b",
        "file:x",
        "s3:b",
        "c:/x",
        "s3://b/?versionId=1",
    ],
)
def test_a_storage_url_with_a_typo_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_STORAGE_URL", url)
    with pytest.raises(SettingsError, match=r"^RECALL_STORAGE_URL \w+ .*: .+$"):
        load_settings()


@pytest.mark.parametrize("name", ["RECALL_API_KEY", "RECALL_WEBHOOK_SECRET", "RECALL_ALERT_URL", "RECALL_API_URL"])
def test_the_error_never_contains_a_secret(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "ftp://hidden hidden@hidden?hidden")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert "hidden" not in str(refused.value)


def test_a_start_in_the_future_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_START_DATE", (utc_now().date() + timedelta(days=2)).isoformat())
    with pytest.raises(SettingsError, match="RECALL_START_DATE is in the future"):
        load_settings()


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_LIST_RPM", "")
    assert load_settings().list_rpm == 50


@pytest.mark.parametrize("text", ["off", "OFF", " off "])
def test_retention_can_be_switched_off_by_name(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_RETENTION_DAYS", text)
    assert load_settings().retention_days is None


@pytest.mark.parametrize(
    ("text", "storage", "days"),
    [
        ("", "/data", 90),
        ("", "file:///data", 90),
        ("", "s3://bucket/prefix", None),
        ("off", "/data", None),
        (" OFF ", "/data", None),
        ("30", "s3://bucket/prefix", 30),
        ("1", "/data", 1),
    ],
)
def test_files_are_read_back_in_90_days_on_a_folder_and_never_in_a_bucket_unless_set(
    text: str, storage: str, days: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECALL_FIXITY_DAYS", text)
    monkeypatch.setenv("RECALL_STORAGE_URL", storage)
    assert load_settings().fixity_cycle_days == days


@pytest.mark.parametrize("text", ["0", "-1", "weekly", "1.5"])
def test_a_cycle_that_is_not_a_number_of_days_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_FIXITY_DAYS", text)
    with pytest.raises(SettingsError, match="RECALL_FIXITY_DAYS is wrong"):
        load_settings()


def test_off_without_quotes_in_yaml_is_off() -> None:
    assert Settings(fixity_days=False).fixity_days == "off"
    assert Settings(retention_days=False).retention_days is None


@pytest.mark.parametrize("encryption", ["AES256", "aws:kms", "aws:kms:arn:aws:kms:eu-central-1:1:key/2"])
def test_encryption_is_allowed_for_s3_only(encryption: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_S3_ENCRYPTION", encryption)
    with pytest.raises(SettingsError, match="RECALL_S3_ENCRYPTION applies to s3:// only"):
        load_settings()
    monkeypatch.setenv("RECALL_STORAGE_URL", "s3://bucket/prefix")
    assert load_settings().s3_encryption == encryption


@pytest.mark.parametrize("workers", ["local", "4", "tcp://scheduler:8786", "tls://10.0.0.1:8786"])
def test_workers_are_local_a_number_or_a_scheduler(workers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_WORKERS", workers)
    assert load_settings().workers == workers


def test_two_webhook_secrets_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_WEBHOOK_SECRET", f"{WEBHOOK_SECRET}, {WEBHOOK_SECRET.rstrip('5')}4")
    assert load_settings().required_webhook_secrets() == [WEBHOOK_SECRET, f"{WEBHOOK_SECRET.rstrip('5')}4"]


class TestKey:
    @pytest.mark.parametrize("pasted", ["key-of-nobody", "Token key-of-nobody", "  key-of-nobody\n"])
    def test_a_key_is_accepted_with_spaces_or_prefix(self, pasted: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RECALL_API_KEY", pasted)
        assert load_settings().required_api_key().get_secret_value() == "key-of-nobody"

    @pytest.mark.parametrize(("name", "secret"), SECRETS.items())
    def test_a_secret_is_never_printed(self, name: str, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(name, secret)
        found = load_settings()
        assert secret not in f"{found!r} {found} {found.model_dump_json()}"

    def test_without_a_key_settings_load_and_requiring_it_names_the_place(self, folder: Path) -> None:
        with pytest.raises(SettingsError) as missing:
            load_settings().required_api_key()
        assert str(missing.value).startswith("RECALL_API_KEY is not set")
        assert str(folder / ".env") in str(missing.value)


class TestAddresses:
    @pytest.mark.parametrize("region", ["us-east-1", "us-west-2", "eu-central-1", "ap-northeast-1"])
    def test_the_region_selects_the_host(self, region: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RECALL_REGION", region)
        assert load_settings().base_url == f"https://{region}.recall.ai/api/v1"

    @pytest.mark.parametrize("url", ["http://127.0.0.1:8100/api/v1", "http://[::1]:8100/api/v1", "http://localhost"])
    def test_plain_http_is_accepted_on_loopback(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RECALL_API_URL", f"{url}/")
        assert load_settings().base_url == url

    @pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
    def test_loopback_is_known_by_name_and_address(self, host: str) -> None:
        assert is_loopback(host)

    @pytest.mark.parametrize("host", [None, "", "10.0.0.1", "localhost.example.invalid", "8.8.8.8"])
    def test_any_other_host_is_not_loopback(self, host: str | None) -> None:
        assert not is_loopback(host)


class TestFolders:
    def test_a_relative_storage_path_starts_at_the_project_in_any_working_folder(
        self, folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
        assert load_settings().storage_root == str(folder / "data")

    def test_a_relative_staging_folder_starts_at_the_project_too(
        self, folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
        monkeypatch.setenv("RECALL_SPOOL_DIR", "fast/spool")
        assert load_settings().spool_dir == folder / "fast/spool"

    def test_a_tilde_is_the_users_home(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", "/home/somebody")
        monkeypatch.setenv("RECALL_STORAGE_URL", "~/meetings")
        assert load_settings().storage_root == "/home/somebody/meetings"

    def test_a_file_url_is_a_path(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RECALL_STORAGE_URL", "file:///srv/meetings/")
        found = load_settings()
        assert found.storage_root == "/srv/meetings"
        assert found.storage_is_local

    def test_an_object_store_is_not_local_and_loses_its_last_slash(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RECALL_STORAGE_URL", "s3://bucket/prefix/")
        found = load_settings()
        assert found.storage_root == "s3://bucket/prefix"
        assert not found.storage_is_local

    def test_the_project_is_the_folder_of_workspace_yaml(self) -> None:
        assert (project_folder() / "workspace.yaml").is_file()

    def test_dagster_home_is_the_environments(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DAGSTER_HOME", "/var/dagster")
        assert dagster_home() == Path("/var/dagster")

    def test_dagster_home_defaults_to_a_folder_beside_workspace_yaml(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("DAGSTER_HOME")
        assert dagster_home() == folder / ".dagster"


class TestDotenv:
    def test_a_dotenv_beside_workspace_yaml_is_read(self, folder: Path) -> None:
        (folder / ".env").write_text("RECALL_REGION=eu-central-1\nexport RECALL_LIST_RPM='20'\n")
        assert (load_settings().region, load_settings().list_rpm) == ("eu-central-1", 20)

    def test_the_real_environment_wins(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / ".env").write_text("RECALL_REGION=eu-central-1\n")
        monkeypatch.setenv("RECALL_REGION", "us-west-2")
        assert load_settings().region == "us-west-2"

    def test_the_clouds_own_variables_reach_its_client(self, folder: Path) -> None:
        (folder / ".env").write_text("AWS_ENDPOINT_URL=http://127.0.0.1:8333\n")
        load_settings()
        assert os.environ["AWS_ENDPOINT_URL"] == "http://127.0.0.1:8333"

    def test_a_dotenv_that_is_not_text_is_one_line(self, folder: Path) -> None:
        (folder / ".env").write_bytes(b"RECALL_REGION=\xff\xfe\x00")
        with pytest.raises(SettingsError, match=r"^cannot read \S+/\.env \(.*\): ") as unreadable:
            load_settings()
        assert "\n" not in str(unreadable.value)


class TestAgreesWithTheAudioEngine:
    @pytest.mark.parametrize("audio_format", ["flac", "mp3", "opus", "wav"])
    def test_settings_take_exactly_the_sample_rates_that_a_target_takes(self, audio_format: str) -> None:
        rates = (7999, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000, 192000)
        refused = [rate for rate in rates if not self.is_taken(audio_format=audio_format, audio_sample_rate_hz=rate)]
        assert refused == [rate for rate in rates if not self.is_engines(audio_format, rate)]

    @pytest.mark.parametrize(
        ("field", "of_target"),
        [
            ("target_lufs", "loudness_lufs"),
            ("true_peak_dbtp", "true_peak_dbtp"),
            ("limiter_max_db", "limiter_max_db"),
        ],
    )
    def test_settings_take_exactly_the_levels_that_a_target_takes(self, field: str, of_target: str) -> None:
        levels = [tenth / 2 for tenth in range(-120, 121)]
        taken = [level for level in levels if self.is_taken(**{field: level})]
        assert taken == [level for level in levels if self.is_target(**{of_target: level})]

    def is_engines(self, audio_format: str, rate: int) -> bool:
        return self.is_target(format=audio_format, sample_rate_hz=rate)

    def is_target(self, **values: object) -> bool:
        try:
            Target(**values)  # type: ignore[arg-type]
        except SettingsError:
            return False
        return True

    def is_taken(self, **values: object) -> bool:
        try:
            Settings(api_key=SecretStr("key"), **values)
        except ValidationError:
            return False
        return True
