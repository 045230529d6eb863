"""A webhook is taken when one of the secrets signed exactly these bytes within the last minutes, and else refused."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from recall_pipeline.days import utc_now
from recall_pipeline.webhooks.signature import SignatureVerifier, Unsigned
from recall_pipeline_tests.webhooks.signing import OTHER_SECRET, SECRET, headers, payload, signature

BODY = payload()


def fault(signed: Mapping[str, str], body: bytes = BODY, secrets: tuple[str, ...] = (SECRET,)) -> str | None:
    try:
        SignatureVerifier(secrets).verified_id(signed, body)
    except Unsigned as refused:
        return str(refused)
    return None


@pytest.mark.parametrize("spelling", ["webhook", "svix"])
def test_both_spellings_of_the_headers_are_accepted(spelling: str) -> None:
    assert fault(headers(BODY, spelling=spelling)) is None


def test_headers_of_two_spellings_are_not_mixed() -> None:
    signed = headers(BODY)
    signed["svix-id"] = signed.pop("webhook-id")
    assert "Missing the headers webhook-id, webhook-timestamp and webhook-signature" in str(fault(signed))


def test_an_unsigned_request_names_the_secret_without_which_recall_signs_nothing() -> None:
    assert "verification secret of the workspace is made on the API keys page" in str(fault({}))


@pytest.mark.parametrize(("valid", "other"), [("webhook", "svix"), ("svix", "webhook")])
def test_either_spelling_is_enough_if_the_other_is_wrong(valid: str, other: str) -> None:
    wrong = {
        name: "msg_other" if name.endswith("id") else value for name, value in headers(BODY, spelling=other).items()
    }
    signed = {**wrong, **headers(BODY, spelling=valid)}
    assert SignatureVerifier([SECRET]).verified_id(signed, BODY) == headers(BODY)["webhook-id"]


@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET])
def test_both_secrets_are_accepted_during_rotation(secret: str) -> None:
    assert fault(headers(BODY, secret=secret), secrets=(SECRET, OTHER_SECRET)) is None
    assert fault(headers(BODY, secret="whsec_dGhlIHRoaXJkIG9uZSBvZiBub2JvZHk="), secrets=(SECRET, OTHER_SECRET))  # noqa: S106


@pytest.mark.parametrize("others", ["v1,AAAA", "v1a,c2lnbmF0dXJl", "nonsense", "v1,", "v1,QUJDRA=", "v1,a,b ,"])
def test_one_valid_signature_among_others_is_enough(others: str) -> None:
    signed = headers(BODY)
    good = signed["webhook-signature"]
    assert fault({**signed, "webhook-signature": f"{others} {good}"}) is None
    assert fault({**signed, "webhook-signature": f"{good} {others}"}) is None


def test_a_secret_may_lack_its_padding() -> None:
    padded = "whsec_c2l4dGVlbiBieXRlcyEhIQ=="
    assert fault(headers(BODY, secret=padded), secrets=(padded.rstrip("="),)) is None


@pytest.mark.parametrize("minutes", [-4, 4])
def test_clocks_may_differ_by_some_minutes(minutes: int) -> None:
    assert fault(headers(BODY, at=utc_now() + timedelta(minutes=minutes))) is None


@pytest.mark.parametrize(("minutes", "message"), [(-6, "Message timestamp too old"), (6, "Message timestamp too new")])
def test_a_timestamp_far_in_the_past_or_future_is_refused(minutes: int, message: str) -> None:
    assert fault(headers(BODY, at=utc_now() + timedelta(minutes=minutes))) == message


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": "v1,AAAA"},
        {"signature": "v1,AAA"},
        {"id": "msg_2"},
        {"timestamp": "soon"},
        {"timestamp": "nan"},
        {"timestamp": "1e400"},
        {"timestamp": "-1"},
    ],
)
def test_a_changed_header_is_refused(changes: dict[str, str]) -> None:
    signed = headers(BODY) | {f"webhook-{name}": value for name, value in changes.items()}
    assert fault(signed)


def test_a_changed_body_is_refused() -> None:
    assert fault(headers(BODY), BODY.replace(b"done", b"fail")) == "No matching signature found"


def test_a_body_that_is_not_text_is_refused() -> None:
    body = b"\xff\xfe"
    assert fault(headers(body), body) == "No matching signature found"


@pytest.mark.parametrize("missing", ["id", "timestamp", "signature"])
def test_a_missing_header_is_named(missing: str) -> None:
    signed = headers(BODY)
    del signed[f"webhook-{missing}"]
    assert "Missing the headers webhook-id, webhook-timestamp and webhook-signature" in str(fault(signed))


def test_an_unknown_signature_version_is_named() -> None:
    signed = headers(BODY)
    signed["webhook-signature"] = signed["webhook-signature"].replace("v1,", "v2,")
    assert fault(signed) == "Unsupported signature version: v1 is expected"


def test_at_most_ten_signatures_are_checked() -> None:
    signed = headers(BODY)
    flood = " ".join(signature(BODY, f"msg_{number}", "1") for number in range(10))
    assert fault({**signed, "webhook-signature": f"{flood} {signed['webhook-signature']}"})
