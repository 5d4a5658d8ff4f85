"""The callout's decision: whom it admits, what it lets them do, and the snapshot it reads."""

import base64
import hashlib
import json
import os
from pathlib import Path

import msgspec
import nkeys
import pytest
from nacl.signing import VerifyKey

from hub.embedded.admission import (
    Applicant,
    AuthorizationRequest,
    ClientDetails,
    ConnectOptions,
    Question,
    Refusal,
    ServerIdentity,
    admit,
    applicant_of,
    barred,
    device_claims,
    may_publish,
    may_read,
)
from hub.embedded.door_register import DoorRegister, RegisteredDevice
from hub.embedded.jwt import Signer, read_claims


def _registered(secret: str, *, revoked: bool = False) -> RegisteredDevice:
    return RegisteredDevice(hashlib.sha256(secret.encode()).hexdigest(), revoked)


DEVICES = {
    "button-1": _registered("s1"),
    "button-2": _registered("s2"),
    "gone-1": _registered("s3", revoked=True),
    "*": _registered("s4"),
}


def _request(username: str, password: str, client_id: str = "mosq-1") -> AuthorizationRequest:
    return AuthorizationRequest(
        server_id=ServerIdentity("N1"),
        user_nkey="U1",
        client_info=ClientDetails(mqtt_id=client_id),
        connect_opts=ConnectOptions(username, password),
    )


@pytest.mark.parametrize(
    ("request_", "refusal"),
    [
        (_request("button-1", "s1"), None),
        (_request("button-1", "s1", client_id="button-1"), None),
        (_request("button-1", "s1", client_id=""), None),
        (_request("button-1", "s2"), Refusal.WRONG_CREDENTIAL),
        (_request("button-1", ""), Refusal.WRONG_CREDENTIAL),
        (_request("button-9", "s1"), Refusal.WRONG_CREDENTIAL),
        (_request("", ""), Refusal.WRONG_CREDENTIAL),
        (_request("*", "s4"), Refusal.WRONG_CREDENTIAL),
        (_request("gone-1", "s3"), Refusal.REVOKED),
        (_request("button-1", "s1", client_id="button-2"), Refusal.FOREIGN_CLIENT_ID),
        (_request("button-1", "s1", client_id="carebell-alarm"), Refusal.FOREIGN_CLIENT_ID),
    ],
)
def test_who_is_admitted(request_: AuthorizationRequest, refusal: Refusal | None) -> None:
    assert admit(applicant_of(request_), DEVICES, ready=True) is refusal


def test_nobody_is_admitted_before_the_hub_is_ready() -> None:
    assert admit(Applicant("button-1", "s1"), DEVICES, ready=False) is Refusal.NOT_READY
    assert admit(Applicant("button-1", "s1"), None, ready=True) is Refusal.NOT_READY
    assert Refusal.NOT_READY.value == "the hub is not ready"


def test_a_device_may_publish_as_itself_only() -> None:
    allowed = device_claims("button-1", "U1")["nats"]
    assert all(".button-1." in subject for subject in allowed["pub"]["allow"])
    assert allowed["sub"]["allow"] == [
        "care.v1.*.*.button-1.command",
        "care.v1.*.*.button-1.command.>",
        "$MQTT.sub.>",
    ]


def test_a_snapshot_is_read_again_when_it_was_replaced(tmp_path: Path) -> None:
    path = tmp_path / "register.json"
    register = DoorRegister(path)
    assert register.devices() is None
    _replace(path, {"devices": {"a": {"secret_sha256": "00", "premises_id": "p"}}, "accounts": []})
    first = register.devices()
    assert first is not None
    assert list(first) == ["a"]
    assert register.devices() is first, "not parsed again"
    _replace(path, {"devices": {"b": {"secret_sha256": "00", "revoked": True}}})
    second = register.devices()
    assert second is not None
    assert second["b"].revoked


def test_a_damaged_snapshot_leaves_the_last_good_one_in_force(tmp_path: Path) -> None:
    path = tmp_path / "register.json"
    register = DoorRegister(path)
    _replace(path, {"devices": {"a": {"secret_sha256": "00"}}})
    assert register.devices()
    path.write_text("{")
    assert list(register.devices() or ()) == ["a"]
    path.unlink()
    assert list(register.devices() or ()) == ["a"]


def _replace(path: Path, content: object) -> None:
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(content))
    draft.replace(path)


@pytest.fixture
def signer() -> Signer:
    return Signer(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_ACCOUNT).decode())


def test_a_token_is_signed_as_the_issuer(signer: Signer) -> None:
    token = signer.sign({"sub": "U1", "nats": {"type": "user"}}, issued_at_s=1_700_000_000)
    signed, _, signature = token.rpartition(".")
    key = base64.b32decode(signer.issuer + "=" * (-len(signer.issuer) % 8))
    raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    VerifyKey(key[1:33]).verify(signed.encode(), raw)
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["iss"] == signer.issuer
    assert claims["iat"] == 1_700_000_000
    assert claims["jti"]


def test_a_question_is_read_and_unknown_claims_are_skipped(signer: Signer) -> None:
    token = signer.sign(
        {
            "exp": 5,
            "aud": "nats-authorization-request",
            "nats": {
                "server_id": {"name": "carebell", "id": "N1"},
                "user_nkey": "U1",
                "client_info": {"host": "127.0.0.1", "type": "mqtt", "mqtt_id": "m"},
                "connect_opts": {"user": "button-1", "pass": "s1", "protocol": 0},
            },
        },
        issued_at_s=1,
    )
    question = read_claims(token.encode(), msgspec.json.Decoder(Question))
    assert question == Question(nats=_request("button-1", "s1", client_id="m"), exp=5)


@pytest.mark.parametrize("token", [b"", b"a.b", b"a.b.c.d", b"a.!.c", b"a.eyJ9.c", b"a.e30.c"])
def test_what_is_no_question_is_refused(token: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        read_claims(token, msgspec.json.Decoder(Question))


@pytest.mark.parametrize(
    ("applicant", "refusal"),
    [
        (Applicant("button-1", "", certificate_name="button-1"), None),
        (Applicant("button-1", "s1", certificate_name="button-1"), None),
        (Applicant("button-1", "s2", certificate_name="button-1"), Refusal.WRONG_CREDENTIAL),
        (Applicant("button-1", "s1", certificate_name="button-2"), Refusal.WRONG_CREDENTIAL),
        (Applicant("button-1", "s1", certificate_name=""), Refusal.WRONG_CREDENTIAL),
        (Applicant("", "", certificate_name=""), Refusal.WRONG_CREDENTIAL),
        (Applicant("gone-1", "", certificate_name="gone-1"), Refusal.REVOKED),
    ],
)
def test_a_certificate_counts_in_the_devices_own_name(
    applicant: Applicant, refusal: Refusal | None
) -> None:
    assert admit(applicant, DEVICES, ready=True) is refusal


def test_who_has_to_be_cut_off() -> None:
    after = {"button-1": _registered("new"), "button-2": _registered("s2"), "new-1": DEVICES["*"]}
    assert barred(DEVICES, after | {"*": DEVICES["*"]}) == {"button-1"}
    assert barred(DEVICES, {**DEVICES, "button-2": _registered("s2", revoked=True)}) == {"button-2"}
    assert barred(DEVICES, {}) == {"button-1", "button-2", "*"}, "gone-1 was out already"


@pytest.mark.parametrize(
    ("topic", "allowed"),
    [
        ("care/v1/city/home-1/button-1/alarm/press", True),
        ("care/v1/elsewhere/home-9/button-1/telemetry/status", True),
        ("care/v1/city/home-1/button-2/alarm/press", False),
        ("care/v1/city/home-1/button-1/command/receipt", False),
        ("care/v1/city/button-1/alarm/press", False),
        ("care/v1/city/home-1/button-1/alarm/press/more", False),
        ("desk/action", False),
    ],
)
def test_where_a_device_may_publish(topic: str, allowed: bool) -> None:
    assert may_publish("button-1", topic) is allowed


@pytest.mark.parametrize(
    ("topic_filter", "allowed"),
    [
        ("care/v1/city/home-1/button-1/command/#", True),
        ("care/v1/+/+/button-1/command/#", True),
        ("care/v1/city/home-1/button-1/command/receipt", True),
        ("care/v1/city/home-1/button-2/command/#", False),
        ("care/v1/city/home-1/+/command/#", False),
        ("care/v1/city/home-1/button-1/alarm/#", False),
        ("care/v1/#", False),
        ("#", False),
        ("desk/announce", False),
        ("$SYS/#", False),
    ],
)
def test_what_a_device_may_read(topic_filter: str, allowed: bool) -> None:
    assert may_read("button-1", topic_filter) is allowed
