"""Signatures of a call centre: the published vector, every scheme, and every way to get one wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.hotline.authentication import Authentication
from shared.hotline.signing import SecretError, SignatureError, check_secret, make_secret, sign, verify

NOW = datetime(2026, 9, 22, 2, 0, tzinfo=UTC)
AUTHENTICATION: TypeAdapter[Authentication] = TypeAdapter(Authentication)
BODY = '{"ghi chú": "xin chào"}'.encode()


def auth(scheme: str, **options: Any) -> Authentication:
    return AUTHENTICATION.validate_python({"scheme": scheme, **options})


STANDARD = auth("standard_webhooks")
SIGNED_TIME = auth(
    "hmac", header="X-Signature", prefix="sha256=", timestamp_header="X-Timestamp", content="v0:{timestamp}:{body}"
)
WITH_ID = auth("hmac", header="X-Sig", algorithm="sha512", encoding="base64", id_header="X-Id", content="{id}.{body}")
PLAIN = auth("hmac", header="X-Sig")
MILLISECONDS = auth("hmac", header="X-Sig", timestamp_header="X-At", timestamp_format="unix_ms", content="{timestamp}{body}")
TWILIO = auth("hmac", header="X-T", algorithm="sha1", encoding="base64", content="https://a.example/v1?bodySHA256={body_sha256}")
BEARER = auth("bearer")
API_KEY = auth("bearer", header="X-Api-Key", prefix="")
BASIC = auth("basic")
EVERY = [STANDARD, SIGNED_TIME, WITH_ID, PLAIN, MILLISECONDS, TWILIO, BEARER, API_KEY, BASIC]
SCHEMES = pytest.mark.parametrize("scheme", EVERY, ids=[f"{index}-{each.scheme}" for index, each in enumerate(EVERY)])
SIGNING = [STANDARD, SIGNED_TIME, WITH_ID, PLAIN, MILLISECONDS, TWILIO]


def secret_of(scheme: Authentication, seed: int = 1) -> str:
    return make_secret(scheme, bytes([seed]) * 32)


def reason(scheme: Authentication, headers: dict[str, str], body: bytes = BODY, now: datetime = NOW) -> str:
    with pytest.raises(SignatureError) as refused:
        verify(scheme, [secret_of(scheme)], headers, body, now)
    return refused.value.reason + (" 400" if refused.value.malformed else "")


def signed(scheme: Authentication = STANDARD, /, **changed: str | None) -> dict[str, str]:
    headers = sign(scheme, secret_of(scheme), BODY, "m-1", NOW)
    altered = headers | {name.replace("_", "-"): value for name, value in changed.items() if value is not None}
    return {name: value for name, value in altered.items() if changed.get(name.replace("-", "_"), "") is not None}


def test_the_published_example_of_standard_webhooks_is_signed_alike() -> None:
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = sign(
        STANDARD, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}', "msg_p5jXN8AQM9LWM0D4loKWxJek", at
    )

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_twilio_s_signature_is_over_the_address_with_the_body_s_digest() -> None:
    secret = secret_of(TWILIO)
    address = "https://a.example/v1?bodySHA256=" + hashlib.sha256(BODY).hexdigest()
    expected = base64.b64encode(hmac.new(secret.encode(), address.encode(), "sha1").digest()).decode()

    assert sign(TWILIO, secret, BODY, "m", NOW) == {"X-T": expected}


@SCHEMES
def test_what_was_signed_is_proven(scheme: Authentication) -> None:
    headers = sign(scheme, secret_of(scheme), BODY, "m-1", NOW)

    verify(scheme, [secret_of(scheme)], headers, BODY, NOW)
    verify(scheme, [secret_of(scheme)], {name.upper(): value for name, value in headers.items()}, BODY, NOW)


@SCHEMES
def test_either_of_two_live_secrets_proves_and_a_third_does_not(scheme: Authentication) -> None:
    old, new, other = (secret_of(scheme, seed) for seed in (1, 2, 3))

    for secret in (old, new):
        verify(scheme, [old, new], sign(scheme, secret, BODY, "m-1", NOW), BODY, NOW)
    with pytest.raises(SignatureError):
        verify(scheme, [old, new], sign(scheme, other, BODY, "m-1", NOW), BODY, NOW)
    with pytest.raises(SignatureError):
        verify(scheme, [], sign(scheme, old, BODY, "m-1", NOW), BODY, NOW)


@pytest.mark.parametrize("name", ["webhook_id", "webhook_timestamp", "webhook_signature"])
def test_a_missing_or_empty_header_is_told(name: str) -> None:
    expected = {"webhook_id": "message_id_missing", "webhook_timestamp": "timestamp_missing"}.get(name, "signature_missing")

    assert reason(STANDARD, signed(STANDARD, **{name: None})) == expected
    assert reason(STANDARD, signed(STANDARD, **{name: ""})) == expected


@pytest.mark.parametrize(
    "timestamp", ["now", "1.5", "-1", "+1790042400", "1_790_042_400", " 1790042400", "٣", "1" * 16, "1e9", "0x10", "2026-09-22"]
)
def test_a_timestamp_that_is_no_number_of_seconds_is_malformed(timestamp: str) -> None:
    assert reason(STANDARD, signed(webhook_timestamp=timestamp)) == "timestamp_malformed 400"


@pytest.mark.parametrize(
    "signature",
    ["v1", "v1,", "v2,abcd", "abcd", "v1;abcd", "v1,é", "v1,****", "V1,abcd", ",", "v1,abc\ud800", "v1,YQ==\n"],
)
def test_a_signature_without_the_form_of_one_is_malformed(signature: str) -> None:
    assert reason(STANDARD, signed(webhook_signature=signature)).startswith("signature_malformed 400")


@pytest.mark.parametrize("message_id", ["a b", "ă", "\x7f", "x" * 257, "a\n"])
def test_a_message_id_that_cannot_be_one_is_malformed(message_id: str) -> None:
    assert reason(STANDARD, signed(webhook_id=message_id)) == "message_id_malformed 400"


@pytest.mark.parametrize("signature", ["v1,ab cd", "v1,AAAA", "v1,AAAA v1,BBBB", "v1a,AAAA v1,BBBB"])
def test_another_signature_is_wrong(signature: str) -> None:
    assert reason(STANDARD, signed(webhook_signature=signature)) == "signature_wrong"


def test_one_right_signature_among_others_is_enough() -> None:
    right = signed()["webhook-signature"]

    verify(STANDARD, [secret_of(STANDARD)], signed(webhook_signature=f"v1a,zzz v1,AAAA {right} v1,BBBB"), BODY, NOW)


def test_a_signature_beyond_the_sixteenth_is_not_looked_at() -> None:
    right = signed()["webhook-signature"]

    assert reason(STANDARD, signed(webhook_signature=" ".join(["v1,AAAA"] * 16 + [right]))) == "signature_wrong"


@pytest.mark.parametrize("scheme", [STANDARD, SIGNED_TIME, MILLISECONDS])
def test_the_window_of_a_replay_is_five_minutes_to_both_sides(scheme: Authentication) -> None:
    headers = sign(scheme, secret_of(scheme), BODY, "m-1", NOW)
    edge = timedelta(seconds=300)

    for at in (NOW - edge, NOW + edge):
        verify(scheme, [secret_of(scheme)], headers, BODY, at)
    assert reason(scheme, headers, now=NOW + edge + timedelta(seconds=1)) == "timestamp_too_old"
    assert reason(scheme, headers, now=NOW - edge - timedelta(seconds=1)) == "timestamp_in_future"


@pytest.mark.parametrize("value", ["sha256=", "SHA256=abcd", "abcd", "sha256=xyz", "sha256=ab cd", "sha256=abcd,sha256=abcd"])
def test_an_hmac_header_without_its_prefix_or_digits_is_malformed(value: str) -> None:
    assert reason(SIGNED_TIME, signed(SIGNED_TIME) | {"X-Signature": value}) == "signature_malformed 400"


def test_a_base64_signature_has_one_spelling() -> None:
    right = sign(WITH_ID, secret_of(WITH_ID), BODY, "m-1", NOW)
    spelt = right["X-Sig"].rstrip("=")
    last = spelt[-1]
    same_bytes = next(letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if letter != last)

    assert reason(WITH_ID, right | {"X-Sig": spelt[:-1] + same_bytes + "=="}) == "signature_wrong"
    assert reason(WITH_ID, right | {"X-Sig": spelt}) == "signature_wrong"


@pytest.mark.parametrize("scheme", [BEARER, API_KEY, BASIC])
@pytest.mark.parametrize("value", ["Bearer", "Basic", "bearer x", "Basic !!!", "é", "\ud800", "Bearer  ", "x" * 1000])
def test_other_credentials_are_wrong_whatever_they_hold(scheme: Authentication, value: str) -> None:
    name = next(iter(sign(scheme, secret_of(scheme), BODY, "m", NOW)))

    assert reason(scheme, {name: value}) == "credentials_wrong"
    assert reason(scheme, {}) == "credentials_missing"


@pytest.mark.parametrize(
    ("scheme", "secret"),
    [
        (STANDARD, "whsec_"),
        (STANDARD, "whsec_***"),
        (STANDARD, "whsec_" + base64.b64encode(bytes(23)).decode()),
        (STANDARD, "whsec_" + base64.b64encode(bytes(65)).decode()),
        (STANDARD, "mật khẩu"),
        (PLAIN, "short"),
        (PLAIN, "mật khẩu dài hơn mười sáu"),
        (PLAIN, "x" * 257),
        (PLAIN, " padded secret with spaces"),
        (BASIC, "a-password-without-a-user"),
        (BASIC, "hotline-without-password:"),
    ],
)
def test_a_secret_that_cannot_be_used_is_refused_without_being_told(scheme: Authentication, secret: str) -> None:
    with pytest.raises(SecretError) as refused:
        check_secret(scheme, secret)

    assert secret not in str(refused.value)


@pytest.mark.parametrize(
    "options",
    [
        {"content": "{timestamp}"},
        {"content": "{timestamp}", "timestamp_header": "X-At"},
        {"content": "no place"},
        {"content": "{body}{body}"},
        {"content": "{body}{secret}"},
        {"content": "{body!r}"},
        {"content": "{body:>10}"},
        {"content": "{body"},
        {"content": "{{body}}"},
        {"content": "{}{body}"},
        {"content": "{timestamp}{body}"},
        {"timestamp_header": "X-At"},
        {"id_header": "X-Id"},
        {"algorithm": "md5"},
        {"header": "X Sig"},
        {"secret": "in the file"},
    ],
)
def test_an_hmac_that_would_prove_too_little_is_no_configuration(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        auth("hmac", **({"header": "X-Sig"} | options))


@given(st.sampled_from(EVERY), st.binary(max_size=200), st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_any_body_is_proven_once_it_is_signed(scheme: Authentication, body: bytes, message_id: str) -> None:
    verify(scheme, [secret_of(scheme)], sign(scheme, secret_of(scheme), body, message_id[:256], NOW), body, NOW)


@given(st.sampled_from(SIGNING), st.binary(min_size=1, max_size=200), st.data())
def test_one_changed_byte_of_a_body_is_noticed(scheme: Authentication, body: bytes, data: st.DataObject) -> None:
    headers = sign(scheme, secret_of(scheme), body, "m-1", NOW)
    place = data.draw(st.integers(0, len(body) - 1))
    other = bytes([body[place] ^ data.draw(st.integers(1, 255))])

    with pytest.raises(SignatureError):
        verify(scheme, [secret_of(scheme)], headers, body[:place] + other + body[place + 1 :], NOW)


@given(st.sampled_from(EVERY), st.data())
def test_one_changed_letter_of_a_header_is_noticed(scheme: Authentication, data: st.DataObject) -> None:
    headers = sign(scheme, secret_of(scheme), BODY, "m-1", NOW)
    name = data.draw(st.sampled_from(sorted(headers)))
    value = headers[name]
    place = data.draw(st.integers(0, len(value) - 1))
    letter = data.draw(st.characters(max_codepoint=0xFFFF))
    changed = value[:place] + letter + value[place + 1 :]
    assume(changed.lower() != value.lower() if name.lower() in {"x-sig", "x-signature"} else changed != value)

    with pytest.raises(SignatureError):
        verify(scheme, [secret_of(scheme)], headers | {name: changed}, BODY, NOW)


@given(st.sampled_from(EVERY), st.dictionaries(st.text(), st.text()), st.binary(max_size=50))
def test_whatever_comes_is_refused_with_a_reason_and_nothing_else_is_raised(
    scheme: Authentication, headers: dict[str, str], body: bytes
) -> None:
    names = list(sign(scheme, secret_of(scheme), BODY, "m-1", NOW))
    given_headers = dict(zip(names, headers.values(), strict=False)) | headers

    with pytest.raises(SignatureError):
        verify(scheme, [secret_of(scheme)], given_headers, body, NOW)
