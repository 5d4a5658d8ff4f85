"""A vendor of short messages or calls as a template: what is asked, and where it answers. Pure.

A file of `config/gateways` is one vendor; how it is read stands in `hub/gateway_files.py`, what may
stand in it in docs/gateway.md. Expressions run in Jinja's immutable sandbox: they see the values
given here and the filters below, call nothing, and have neither loops nor products to hang in.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

RENDERED_MAX = 32_768
"""Characters of one rendered field: no provider takes a request of more."""


class TemplateFault(Exception):
    """A vendor's file cannot be used; the message says which field and why."""


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _mac(name: str, key: object, message: object) -> bytes:
    return hmac.new(_bytes(key), _bytes(message), name).digest()


def _percent(value: object) -> str:
    """RFC 3986: everything but the unreserved characters."""
    return quote(_bytes(value), safe="-_.~")


def _query(pairs: Mapping[str, object]) -> str:
    """A query string sorted by name, as signatures want it."""
    return "&".join(f"{_percent(k)}={_percent(v)}" for k, v in sorted(pairs.items()))


FILTERS = {
    "json": lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")),
    "percent": _percent,
    "query": _query,
    "xml": lambda value: escape(str(value)),
    "xml_attribute": lambda value: quoteattr(str(value)),
    "sha256_hex": lambda value: hashlib.sha256(_bytes(value)).hexdigest(),
    "hmac_sha1": lambda key, message: _mac("sha1", key, message),
    "hmac_sha256": lambda key, message: _mac("sha256", key, message),
    "hex": lambda value: _bytes(value).hex(),
    "base64": lambda value: base64.b64encode(_bytes(value)).decode(),
    "digits": lambda value: "".join(c for c in str(value) if c.isdigit()),
    "plain_cn": lambda value: str(value).removeprefix("+86"),
    "first": lambda value, n: str(value)[: int(n)],
    "last": lambda value, n: str(value)[-int(n) :],
    "default_to": lambda value, other: other if value is None else value,
}
"""What templates may use; `{{ key | hmac_sha256(message) }}`. Jinja's own filters are taken out:
some of them build long texts out of short ones."""


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's own, and stricter: expressions call nothing and multiply nothing."""

    intercepted_binops = frozenset({"*", "**", "%", "//"})

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=False)
        self.filters = dict(FILTERS)
        self.globals = {}
        self.tests = {}

    def is_safe_callable(self, obj: Any) -> bool:
        """Nothing is."""
        del obj
        return False

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """What makes a long text of a short one."""
        del context, left, right
        raise SecurityError(f"{operator} is not for templates")


_ENVIRONMENT = _Sandbox()


@lru_cache(maxsize=1024)
def _compiled(template: str) -> Template:
    """To compile one takes twenty times as long as to fill it; vendors' files have a few dozen."""
    return _ENVIRONMENT.from_string(template)


def filled(template: str, context: Mapping[str, Any], where: str) -> str:
    """A field with its values. Raises TemplateFault."""
    if "{%" in template:
        raise TemplateFault(f"{where}: only {{{{ expressions }}}}, no statements")
    try:
        said = _compiled(template).render(context)
    except (TemplateError, SecurityError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise TemplateFault(f"{where}: {error}") from error
    if len(said) > RENDERED_MAX:
        raise TemplateFault(f"{where}: more than {RENDERED_MAX} characters")
    return said


@dataclass(frozen=True, slots=True)
class Answer:
    """Where a vendor says what became of a request: JSON pointers (RFC 6901), and its words."""

    id: str = ""
    """Of the message at the vendor; empty: there is none."""
    code: str = ""
    """Of a word about success; empty: the HTTP status alone counts."""
    ok: frozenset[str] = frozenset()
    """Empty with a `code`: everything that is neither refused nor limited."""
    refused: frozenset[str] = frozenset()
    limited: frozenset[str] = frozenset()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CallBack:
    """Where a vendor's call-backs say what: pointers into the JSON or the form's fields."""

    each: str = ""
    """Of the list, where one call-back brings several."""
    reference: str = ""
    id: str = ""
    state: str = ""
    states: Mapping[str, str] = field(default_factory=dict)
    """The vendor's words and ours: delivered, failed, answered, busy, no_answer, completed."""
    digits: str = ""
    sender: str = ""
    text: str = ""
    reply: str = "{}"
    """What the vendor wants to hear back."""
    reply_type: str = "application/json"
    signed: str = ""
    """The vendor's own way of signing, where the hub can check it: `twilio`. Then each must be."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """One provider of one way, ready to be asked."""

    name: str
    way: str
    """sms or voice."""
    url: str
    method: str = "POST"
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Account, keys, sender: what the operator filled in."""
    let: Mapping[str, str] = field(default_factory=dict)
    """Named expressions, each sees those before it."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body_kind: str = "json"
    """json, form or text."""
    body: Any = None
    answer: Answer = Answer()
    call_back: CallBack = CallBack()
    receipt_within_s: int | None = None
    bridges: bool = False
    """Whether a call can be connected with a second number."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked over HTTP."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes


def request(vendor: Vendor, context: Mapping[str, Any]) -> Request:
    """The vendor's request for one message or call. Raises TemplateFault."""
    known: dict[str, Any] = {**context, "values": dict(vendor.values)}
    for name, template in vendor.let.items():
        known[name] = filled(template, known, f"let.{name}")
    content = _content(vendor, known)
    known["body"] = content
    headers = {
        name: filled(template, known, f"headers.{name}").strip()
        for name, template in vendor.headers.items()
    }
    if any("\n" in value or "\r" in value for value in headers.values()):
        raise TemplateFault("headers: a value must be one line")
    kinds = {"json": "application/json", "form": "application/x-www-form-urlencoded"}
    if vendor.body_kind in kinds and content:
        headers.setdefault("Content-Type", kinds[vendor.body_kind] + "; charset=utf-8")
    url = filled(vendor.url, known, "url")
    return Request(vendor.method, url, headers, content.encode())


def _content(vendor: Vendor, known: Mapping[str, Any]) -> str:
    if vendor.body is None:
        return ""
    if vendor.body_kind == "text":
        return filled(vendor.body, known, "body")
    body = _filled_deep(vendor.body, known, "body")
    if vendor.body_kind == "form":
        return "&".join(f"{_percent(k)}={_percent(v)}" for k, v in body.items() if v != "")
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _filled_deep(value: Any, known: Mapping[str, Any], where: str) -> Any:
    """Every text of a structure; `{{ say }}` alone stays a list, `{{ now_s }}` a number."""
    if isinstance(value, Mapping):
        return {k: _filled_deep(v, known, f"{where}.{k}") for k, v in value.items()}
    if isinstance(value, list):
        return [_filled_deep(v, known, f"{where}[{i}]") for i, v in enumerate(value)]
    if not isinstance(value, str):
        return value
    name = value.removeprefix("{{").removesuffix("}}").strip()
    if name in known and name != value and not isinstance(known[name], str):
        return known[name]
    return filled(value, known, where)
