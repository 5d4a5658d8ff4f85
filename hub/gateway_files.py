"""Vendors of short messages and calls, read from TOML files and checked before anything starts.

A name without a dot or slash is one of the files this release ships (`config/gateways`), anything
else a path. What a file may hold stands in docs/gateway.md.
"""

import os
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alerts.gateway import Answer, CallBack, TemplateFault, Vendor, request

VENDORS_MAX = 4
"""Ours: each that hangs costs seconds of the time a ring has."""


State = Literal["delivered", "failed", "answered", "busy", "no_answer", "completed"]
"""Of a message or call, as docs/gateway.md has them; a tuple of the same is in `alerts`."""


class _Strict(BaseModel):
    """A misspelt key must not silently mean nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _FromEnvironment(_Strict):
    env: str = Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")
    default: str | None = None


class _Request(_Strict):
    url: str = Field(min_length=1)
    method: Literal["POST", "GET", "PUT"] = "POST"
    headers: dict[str, str] = {}
    json_body: dict[str, Any] | None = Field(None, alias="json")
    form: dict[str, str] | None = None
    text: str | None = None


class _Answer(_Strict):
    id: str = ""
    code: str = ""
    ok: list[str] = []
    refused: list[str] = []
    limited: list[str] = []
    detail: str = ""


class _CallBack(_Strict):
    each: str = ""
    reference: str = ""
    id: str = ""
    state: str = ""
    states: dict[str, State] = {}
    digits: str = ""
    sender: str = ""
    text: str = ""
    reply: str = "{}"
    reply_type: str = "application/json"
    signed: Literal["", "twilio"] = ""


class _File(_Strict):
    name: str = Field(pattern=r"^[a-z0-9-]{1,32}$")
    way: Literal["sms", "voice"]
    receipt_within_s: int | None = Field(None, ge=5, le=3600)
    bridges: bool = False
    values: dict[str, str | _FromEnvironment] = {}
    let: dict[str, str] = {}
    request: _Request
    answer: _Answer = _Answer()
    call_back: _CallBack = _CallBack()


def read_vendors(
    listed: str, way: str, environ: Mapping[str, str] | None = None
) -> tuple[Vendor, ...]:
    """The vendors of a comma-separated list, in order. Raises ValueError with what is allowed."""
    names = [name.strip() for name in listed.split(",") if name.strip()]
    if len(names) > VENDORS_MAX:
        raise ValueError(f"at most {VENDORS_MAX} vendors")
    vendors = tuple(_vendor(name, way, os.environ if environ is None else environ)
                    for name in names)  # fmt: skip
    twice = {v.name for v in vendors if sum(o.name == v.name for o in vendors) > 1}
    if twice:
        raise ValueError(f"two files have the name {', '.join(sorted(twice))}")
    return vendors


def shipped() -> Sequence[str]:
    """Names of the files of this release."""
    folder = files("config") / "gateways"
    return sorted(
        p.name.removesuffix(".toml") for p in folder.iterdir() if p.name.endswith(".toml")
    )


def _vendor(name: str, way: str, environ: Mapping[str, str]) -> Vendor:
    try:
        if "/" in name or "." in name:
            content = Path(name).expanduser().read_text(encoding="utf-8")
        elif name in shipped():
            content = (files("config") / "gateways" / f"{name}.toml").read_text(encoding="utf-8")
        else:
            raise ValueError(f"no vendor {name}; shipped: {', '.join(shipped())}; or a path")
        found = _File.model_validate(tomllib.loads(content))
    except OSError as error:
        raise ValueError(f"{name}: {error.strerror or error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{name}: not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ValueError(f"{name}: {where}: {first['msg']}") from None
    if found.way != way:
        raise ValueError(f"{name}: it is for {found.way}, wanted is {way}")
    vendor = _built(found, _values(name, found, environ))
    try:
        request(vendor, SAMPLE)
    except TemplateFault as error:
        raise ValueError(f"{name}: {error}") from None
    return vendor


def _values(name: str, found: _File, environ: Mapping[str, str]) -> dict[str, str]:
    values = {}
    for key, value in found.values.items():
        if isinstance(value, str):
            values[key] = value
            continue
        said = environ.get(value.env, value.default)
        if said is None:
            raise ValueError(f"{name}: values.{key}: the environment has no {value.env}")
        values[key] = said
    return values


def _built(found: _File, values: Mapping[str, str]) -> Vendor:
    asked = found.request
    bodies = {"json": asked.json_body, "form": asked.form, "text": asked.text}
    given = [kind for kind, body in bodies.items() if body is not None]
    if len(given) > 1:
        raise ValueError(f"{found.name}: request: one of json, form, text; not {', '.join(given)}")
    kind = given[0] if given else "text"
    rules = found.answer
    return Vendor(
        name=found.name,
        way=found.way,
        url=asked.url,
        method=asked.method,
        values=values,
        let=found.let,
        headers=asked.headers,
        body_kind=kind,
        body=bodies[kind],
        answer=Answer(
            id=rules.id,
            code=rules.code,
            ok=frozenset(rules.ok),
            refused=frozenset(rules.refused),
            limited=frozenset(rules.limited),
            detail=rules.detail,
        ),
        call_back=CallBack(**found.call_back.model_dump()),
        receipt_within_s=found.receipt_within_s,
        bridges=found.bridges,
    )


SAMPLE: Mapping[str, Any] = {
    "kind": "sms",
    "to": "+8613800000000",
    "text": "Sample. 样例。",
    "say": ["Sample.", "样例。"],
    "what": "Sample",
    "who": "样例",
    "address": "1 Sample Street",
    "link": "https://hub.example.org/l/sample",
    "language": "zh-CN",
    "digits": "12",
    "bridge_to": "+8613800000001",
    "key": "n1-sms-0-00000000",
    "reference": "n1-sms-0",
    "callback_url": "https://hub.example.org/api/v1/callbacks/gateway/sample",
    "now_s": 1_772_438_400,
    "date": "2026-03-02",
    "utc": "2026-03-02T08:00:00Z",
    "nonce": "00000000000000000000000000000000",
}
"""What every file is tried with before the hub starts; the same names are there when sending."""
