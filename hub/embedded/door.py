"""An operated broker's HTTP questions: EMQX 5's authenticator and authorizer, mosquitto-go-auth's
`http` backend.

Answered from the snapshot like the embedded broker's, by the same small process: hub and database
may be dead. Requests may be JSON or a form; placeholders a broker could not fill arrive as
"undefined" (EMQX) or empty. Formats: docs.emqx.com, "Use HTTP Service" (authentication and
authorization); the README of iegomez/mosquitto-go-auth, "HTTP".
"""

import hmac
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.embedded.admission import (
    Applicant,
    Refusal,
    admit,
    may_publish,
    may_read,
)
from hub.embedded.door_register import RegisteredDevice
from schemas.topics import PREFIX, Lane

KEY_HEADER = "X-Carebell-Key"
MAX_QUESTION_BYTES = 16 * 1024
"""Ids, a password and a topic of at most 64 KiB in MQTT; ours have 400 bytes."""

_UNFILLED = ("", "undefined")

_log = structlog.get_logger("hub.embedded.door")


class Access(IntEnum):
    """Mosquitto's kinds of access (mosquitto_broker.h)."""

    NONE = 0
    READ = 1
    WRITE = 2
    SUBSCRIBE = 4


@dataclass(frozen=True, slots=True)
class HubLogin:
    """The hub's own log-in at the operated broker, which may do everything there."""

    username: str
    password: str

    @classmethod
    def of(cls, broker_url: str) -> "HubLogin":
        """As it stands in `broker_url`."""
        url = urlsplit(broker_url)
        return cls(unquote(url.username or ""), unquote(url.password or ""))

    def is_it(self, username: str) -> bool:
        """Whether this is the hub's user name."""
        return bool(self.username) and username == self.username


class Door:
    """Decides; `app` is the same over HTTP."""

    def __init__(
        self,
        devices: Callable[[], Mapping[str, RegisteredDevice] | None],
        ready: Callable[[], bool],
        hub: HubLogin,
        key: str,
    ) -> None:
        """`ready` says whether the hub's sessions exist; `key` is the shared secret."""
        self._devices = devices
        self._ready = ready
        self._hub = hub
        self._key = key.encode()
        self.answers: Counter[str] = Counter()
        """Answers given, by refusal or "admitted"."""
        self.client_ids: dict[str, str] = {}
        """Under which client id each device came in last."""

    def app(self) -> Starlette:
        """The HTTP application."""
        asked: dict[str, Callable[[Mapping[str, str]], Response]] = {
            "/emqx/authenticate": self._emqx_authenticate,
            "/emqx/authorize": self._emqx_authorize,
            "/mosquitto/getuser": self._mosquitto_user,
            "/mosquitto/superuser": self._mosquitto_superuser,
            "/mosquitto/aclcheck": self._mosquitto_access,
        }
        routes = [Route(path, self._asked(ask), methods=["POST"]) for path, ask in asked.items()]
        return Starlette(routes=[*routes, Route("/health", _healthy)])

    def _asked(self, ask: Callable[[Mapping[str, str]], Response]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            given = request.headers.get(KEY_HEADER) or request.query_params.get("key", "")
            if not hmac.compare_digest(given.encode(), self._key):
                self.answers["wrong_key"] += 1
                return _json({"result": "deny", "Ok": False, "Error": "wrong key"}, 401)
            try:
                question = await _question(request)
            except ValueError as error:
                self.answers["unreadable"] += 1
                return _json({"result": "deny", "Ok": False, "Error": str(error)}, 400)
            return ask(question)

        return answer

    def refusal(self, applicant: Applicant) -> Refusal | None:
        """Why not; None: come in. The hub itself comes in first, before anything is ready."""
        if self._hub.is_it(applicant.username):
            right = hmac.compare_digest(applicant.password.encode(), self._hub.password.encode())
            refusal = None if right and self._hub.password else Refusal.WRONG_CREDENTIAL
        else:
            refusal = admit(applicant, self._devices(), ready=self._ready())
            if refusal is None:
                self.client_ids[applicant.username] = applicant.client_id or applicant.username
        self.answers[refusal.name.lower() if refusal else "admitted"] += 1
        return refusal

    def _may(self, username: str, topic: str, access: Access) -> bool:
        if self._hub.is_it(username):
            return True
        device = (self._devices() or {}).get(username)
        if device is None or device.revoked:
            return False
        if access is Access.WRITE:
            return may_publish(username, topic)
        return bool(access) and may_read(username, topic)

    def _emqx_authenticate(self, question: Mapping[str, str]) -> Response:
        applicant = _applicant(question)
        if self.refusal(applicant) is not None:
            return _json({"result": "deny"})
        superuser = self._hub.is_it(applicant.username)
        rules = {} if superuser else {"acl": access_rules(applicant.username)}
        return _json({"result": "allow", "is_superuser": superuser, **rules})

    def _emqx_authorize(self, question: Mapping[str, str]) -> Response:
        access = Access.WRITE if question.get("action") == "publish" else Access.SUBSCRIBE
        allowed = self._may(question.get("username", ""), question.get("topic", ""), access)
        return _json({"result": "allow" if allowed else "deny"})

    def _mosquitto_user(self, question: Mapping[str, str]) -> Response:
        refusal = self.refusal(_applicant(question))
        return _mosquitto(refusal.value if refusal else "")

    def _mosquitto_superuser(self, question: Mapping[str, str]) -> Response:
        is_hub = self._hub.is_it(question.get("username", ""))
        return _mosquitto("" if is_hub else "not the hub")

    def _mosquitto_access(self, question: Mapping[str, str]) -> Response:
        number = question.get("acc", "")
        access = Access(int(number)) if number in ("1", "2", "4") else Access.NONE
        allowed = self._may(question.get("username", ""), question.get("topic", ""), access)
        return _mosquitto("" if allowed else "not its own topic")


def access_rules(device_id: str) -> list[dict[str, str]]:
    """What an admitted device may do, as EMQX 5.8 takes it along with the authentication."""
    own = f"{PREFIX}/+/+/{device_id}"
    return [
        {"permission": "allow", "action": "publish", "topic": f"{own}/{Lane.ALARM}/+"},
        {"permission": "allow", "action": "publish", "topic": f"{own}/{Lane.TELEMETRY}/+"},
        {"permission": "allow", "action": "subscribe", "topic": f"{own}/{Lane.COMMAND}/#"},
        {"permission": "deny", "action": "all", "topic": "#"},
    ]


def _applicant(question: Mapping[str, str]) -> Applicant:
    name = question.get("cert_common_name", "")
    certificate_name = None if name in _UNFILLED else name
    username = question.get("username", "")
    password = question.get("password", "")
    return Applicant(
        (certificate_name or "") if username in _UNFILLED else username,
        "" if password == "undefined" else password,  # noqa: S105 - EMQX's word for "none given"
        question.get("clientid", ""),
        certificate_name,
    )


async def _question(request: Request) -> dict[str, str]:
    """The body's fields as text. Raises ValueError."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_QUESTION_BYTES:
            message = "too long"
            raise ValueError(message)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    try:
        content = msgspec.json.decode(body, type=dict[str, str | int | bool | None])
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from None
    return {key: "" if value is None else str(value) for key, value in content.items()}


async def _healthy(_request: Request) -> Response:
    return Response("ok")


def _json(content: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")


def _mosquitto(error: str) -> Response:
    """For response mode `status` and for `json`; the plugin reads field names in any case."""
    return _json({"Ok": not error, "Error": error}, 403 if error else 200)
