"""Each request takes the proxy that the environment names for it, and loopback takes none."""

import httpx
import pytest

from recall_pipeline.errors import SettingsError
from recall_pipeline.http import proxy_of

API = "https://us-east-1.recall.ai/api/v1"
PROXY = "http://proxy.example:3128"


def proxy_url(url: str = API) -> str | None:
    """The URL of the proxy for a request to `url`."""
    proxy = proxy_of(httpx.URL(url))
    return proxy.url if proxy else None


def test_without_a_variable_every_request_is_direct() -> None:
    assert proxy_url() is None


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "Https_Proxy", "ALL_PROXY", "all_proxy", "All_Proxy"])
def test_a_variable_counts_in_any_case_of_letters(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, PROXY)
    assert proxy_url() == PROXY


def test_the_name_in_lower_case_wins_and_an_empty_one_unsets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("https_proxy", "http://other.example:1")
    assert proxy_url() == "http://other.example:1"
    monkeypatch.setenv("https_proxy", "")
    assert proxy_url() is None


def test_the_variable_of_the_scheme_wins_over_all_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("ALL_PROXY", "socks://desktop.example:1080/")  # what a desktop sets beside the others
    assert proxy_url() == PROXY
    with pytest.raises(SettingsError, match="ALL_PROXY"):
        proxy_url("http://media.example/a.mp3")


@pytest.mark.parametrize("value", ["proxy.example:3128", "HTTP://proxy.example:3128", " http://proxy.example:3128 "])
def test_a_proxy_may_be_spelled_without_its_scheme(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    assert proxy_url() == PROXY


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "localhost", "LOCALHOST", "localhost.", "[::1]"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_loopback_never_takes_a_proxy_even_a_wrong_one(monkeypatch: pytest.MonkeyPatch, host: str, scheme: str) -> None:
    for name in ("HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://[broken")
    assert proxy_url(f"{scheme}://{host}:8100/a") is None


@pytest.mark.parametrize(
    ("no_proxy", "host"),
    [
        ("*", "us-east-1.recall.ai"),
        ("recall.ai", "us-east-1.recall.ai"),
        (".recall.ai", "us-east-1.recall.ai"),
        ("*.recall.ai", "us-east-1.recall.ai"),
        ("RECALL.AI", "us-east-1.recall.ai"),
        ("us-east-1.recall.ai", "us-east-1.recall.ai"),
        ("localhost, ::1, recall.ai", "us-east-1.recall.ai"),
        ("recall.ai:443", "us-east-1.recall.ai"),
        ("https://recall.ai/", "us-east-1.recall.ai"),
        ('"localhost,recall.ai"', "us-east-1.recall.ai"),
        ("10.0.0.0/8", "10.1.2.3"),
        ("10.1.2.3", "10.1.2.3"),
        ("10.1.2.3:443", "10.1.2.3"),
        ("2001:db8::/32", "[2001:db8::5]"),
        ("2001:db8::5", "[2001:db8::5]"),
        ("[2001:db8::5]", "[2001:DB8:0::5]"),
        ("[2001:db8::5]:443", "[2001:db8::5]"),
    ],
)
def test_no_proxy_names_a_host_in_every_usual_form(monkeypatch: pytest.MonkeyPatch, no_proxy: str, host: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("No_Proxy", no_proxy)
    assert proxy_url(f"https://{host}/a") is None


@pytest.mark.parametrize(
    "no_proxy",
    [
        "",
        ",",
        ".",
        "*.",
        "call.ai",
        "ai.recall",
        "recall.ai:80",
        "::1",
        "[::1",
        "fe80::/64",
        "fe80::zz",
        "10.0.0.0/99",
        "[]",
    ],
)
def test_no_other_entry_of_no_proxy_excepts_a_host_or_is_an_error(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert proxy_url() == PROXY


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("socks5://proxy.example:1080", "HTTPS_PROXY names a SOCKS proxy, which needs a package"),
        ("socks5h://proxy.example:1080", "HTTPS_PROXY names a SOCKS proxy, which needs a package"),
        ("socks4://proxy.example:1080", "HTTPS_PROXY has a scheme that is not supported"),
        ("ftp://proxy.example", "HTTPS_PROXY has a scheme that is not supported"),
        ("://proxy.example", "HTTPS_PROXY has a scheme that is not supported"),
        ("http://", "HTTPS_PROXY is not a proxy URL"),
        ("http://proxy.example:port", "HTTPS_PROXY is not a proxy URL"),
        ("http://proxy.example:0", "HTTPS_PROXY is not a proxy URL"),
        ("http://proxy.example:99999", "HTTPS_PROXY is not a proxy URL"),
        ("http://[broken", "HTTPS_PROXY is not a proxy URL"),
        ("http://[::1", "HTTPS_PROXY is not a proxy URL"),
        ("http://proxy one:3128", "HTTPS_PROXY is not a proxy URL"),
        ("http://user:pa#ss@proxy.example:3128", "HTTPS_PROXY is not a proxy URL"),
        ("http://user:pa?ss@proxy.example:3128", "HTTPS_PROXY is not a proxy URL"),
        ("http://proxy\x01.example:3128", "HTTPS_PROXY is not a proxy URL"),
        ('"http://proxy.example:3128"', "HTTPS_PROXY has quotes around it"),
        ("'http://proxy.example:3128'", "HTTPS_PROXY has quotes around it"),
    ],
)
def test_a_wrong_proxy_is_a_settings_error_that_names_the_variable_but_not_the_value(
    monkeypatch: pytest.MonkeyPatch, value: str, fault: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    with pytest.raises(SettingsError, match=fault) as raised:
        proxy_url()
    assert "proxy.example" not in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_a_proxy_with_a_login_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@proxy.example:3128")
    assert "secret" not in repr(proxy_of(httpx.URL(API)))
