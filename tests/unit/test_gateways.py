"""Vendors as files: every shipped one makes a request, answers and call-backs are understood, and a
template can do nothing but fill in values."""

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from alerts.errors import RateLimited, SendFailed, SendRefused
from alerts.gateway import CallBack, TemplateFault, Vendor, filled, request
from alerts.gateway_words import Word, call_backs, taken
from hub.api.signature import is_twilios
from hub.gateway_files import SAMPLE, read_vendors, shipped
from hub.map_links import map_link


class Environment(dict[str, str]):
    """Everything is set."""

    def get(self, key: str, default: str | None = None) -> str:  # type: ignore[override]
        return f"x-{key.lower()}"


def vendor(name: str) -> Vendor:
    (found,) = read_vendors(name, "voice" if "voice" in name else "sms", Environment())
    return found


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_vendor_makes_a_request_with_number_and_secret(name: str) -> None:
    asked = request(vendor(name), SAMPLE)
    whole = asked.url + asked.content.decode() + json.dumps(dict(asked.headers))
    assert "13800000000" in whole
    assert "{{" not in whole


def test_a_signature_is_what_the_vendor_computes() -> None:
    """The example of Aliyun's own page on signing requests (RPC, HMAC-SHA1)."""
    query = (
        "AccessKeyId=testid&Action=DescribeRegions&Format=XML&SignatureMethod=HMAC-SHA1"
        "&SignatureNonce=3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf&SignatureVersion=1.0"
        "&Timestamp=2016-02-23T12%3A46%3A24Z&Version=2014-05-26"
    )
    signed = filled(
        "{{ (key ~ '&') | hmac_sha1('GET&%2F&' ~ (query | percent)) | base64 }}",
        {"key": "testsecret", "query": query}, "signature",
    )  # fmt: skip
    assert signed == "OLeaidS1JvxuMvnyHOwuJ+uX5qY="


ANSWERS: list[tuple[str, int, Mapping[str, object], type[Exception] | str]] = [
    ("twilio-sms", 201, {"sid": "SM1"}, "SM1"),
    ("twilio-sms", 400, {"code": 21211, "message": "bad number"}, SendRefused),
    ("twilio-sms", 429, {"code": 20429}, RateLimited),
    ("twilio-sms", 503, {}, SendFailed),
    ("vonage-sms", 200, {"messages": [{"status": "0", "message-id": "V1"}]}, "V1"),
    ("vonage-sms", 200, {"messages": [{"status": "1"}]}, RateLimited),
    ("vonage-sms", 200, {"messages": [{"status": "4"}]}, SendRefused),
    ("vonage-sms", 200, {"messages": [{"status": "5"}]}, SendFailed),
    ("seven-sms", 200, {"success": "100", "messages": [{"id": 77}]}, "77"),
    ("seven-sms", 200, {"success": "900"}, SendRefused),
    ("aliyun-sms", 200, {"Code": "OK", "BizId": "B^1"}, "B^1"),
    ("aliyun-sms", 200, {"Code": "isv.BUSINESS_LIMIT_CONTROL"}, RateLimited),
    ("aliyun-sms", 200, {"Code": "isp.SYSTEM_ERROR"}, SendFailed),
    ("tencent-sms", 200, {"Response": {"SendStatusSet": [{"Code": "Ok", "SerialNo": "T1"}]}}, "T1"),
    ("tencent-sms", 200, {"Response": {"Error": {"Code": "AuthFailure"}}}, SendFailed),
]


@pytest.mark.parametrize(("name", "status", "body", "meaning"), ANSWERS)
def test_what_vendors_answer(
    name: str, status: int, body: Mapping[str, object], meaning: type[Exception] | str
) -> None:
    said = json.dumps(body).encode()
    if isinstance(meaning, str):
        assert taken(vendor(name), status, said, None).provider_id == meaning
        return
    with pytest.raises(meaning):
        taken(vendor(name), status, said, None)


def test_call_backs_of_vendors_in_our_words() -> None:
    form = "application/x-www-form-urlencoded"
    cases = [
        ("twilio-sms", form, b"MessageSid=SM1&MessageStatus=undelivered",
         [Word("status", "SM1", None, state="failed")]),
        ("twilio-sms", form, b"MessageSid=SM2&From=%2B8613&Body=1",
         [Word("inbound", "SM2", None, sender="+8613", text="1")]),
        ("twilio-voice", form, b"CallSid=CA1&Digits=1&CallStatus=in-progress",
         [Word("digits", "CA1", None, digits="1")]),
        ("aliyun-sms", "application/json",
         (b'[{"biz_id":"B1","out_id":"n1-sms-0","success":true,"phone_number":"138"},'
         b'{"biz_id":"B2","out_id":"n2-sms-0","success":false,"phone_number":"139"}]'),
         [Word("status", "B1", "n1-sms-0", state="delivered"),
          Word("status", "B2", "n2-sms-0", state="failed")]),
        ("tencent-sms", "application/json", b'[{"sid":"T1","report_status":"SUCCESS"}]',
         [Word("status", "T1", None, state="delivered")]),
    ]  # fmt: skip
    for name, content_type, body, words in cases:
        assert call_backs(vendor(name).call_back, content_type, body) == words, name


@pytest.mark.parametrize("body", [b"{", b"[" * 60_000, b"\xff\xfe", b"null", b"7"])
def test_a_call_back_that_makes_no_sense_says_so_or_nothing(body: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert call_backs(CallBack(id="/id", state="/state"), "application/json", body) == []


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ text.ljust(99999999) }}",
        "{{ 'a' * 99999999 }}",
        "{% for i in text %}x{% endfor %}",
        "{{ text.format(text) }}",
        "{{ cycler }}",
        "{{ unknown }}",
        "{{ text | center(99999999) }}",
        "{{ 10 ** 10000000 }}",
    ],
)
def test_a_template_fills_in_values_and_does_nothing_else(template: str) -> None:
    with pytest.raises(TemplateFault):
        filled(template, {"text": "x"}, "here")


def test_a_value_is_never_read_as_a_template_nor_breaks_out_of_its_field() -> None:
    odd = {**SAMPLE, "text": '{{ values.token }}"},\r\nX-Evil: 1', "to": "+1\r\nX-Evil: 1"}
    asked = request(vendor("carebell-sms"), odd)
    assert json.loads(asked.content)["text"] == odd["text"]
    assert not any("X-Evil" in value for value in asked.headers.values())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name = 'x'\nway = 'sms'\nurll = 'y'\n[request]\nurl='z'", "urll"),
        ("name = 'x'\nway = 'sms'\n[request]\nurl='{{ nobody }}'", "nobody"),
        ("name = 'x'\nway = 'voice'\n[request]\nurl='z'", "wanted is sms"),
        (
            "name = 'x'\nway = 'sms'\n[values]\na = { env = 'NOT_SET' }\n[request]\nurl='z'",
            "NOT_SET",
        ),
        ("name = 'x", "not TOML"),
    ],
)
def test_a_file_that_cannot_be_used_stops_the_start_and_says_where(
    content: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(content)
    with pytest.raises(ValueError, match=said):
        read_vendors(str(path), "sms", {})


def test_a_map_is_asked_in_its_own_coordinates() -> None:
    """Tian'anmen, in WGS-84, GCJ-02 and BD-09."""
    place = (39.90733, 116.39108)
    assert "116.39732,39.90873" in map_link("amap", *place)
    assert "39.90873,116.39732" in map_link("tencent", *place)
    assert "39.91507,116.40369" in map_link("baidu", *place)
    assert "39.90733" in map_link("google", *place)
    assert map_link("none", *place) == "geo:39.90733,116.39108"


TWILIO = "https://mycompany.com/myapp.php?foo=1&bar=2"
SAID = (b"CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212"
        b"&Caller=%2B14158675309")  # fmt: skip
PUBLISHED = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
"""The example of Twilio's own documentation and libraries; token 12345."""


def test_twilios_signature_is_checked_as_twilio_publishes_it() -> None:
    assert is_twilios(TWILIO, SAID, "12345", PUBLISHED)
    assert is_twilios(TWILIO.replace(".com", ".com:443"), SAID, "12345", PUBLISHED)
    assert not is_twilios(TWILIO, SAID.replace(b"1234&", b"1&"), "12345", PUBLISHED)
    assert not is_twilios(TWILIO.replace("bar=2", "bar=3"), SAID, "12345", PUBLISHED)
    assert not is_twilios(TWILIO, SAID, "12346", PUBLISHED)
    for given in ("", "?", PUBLISHED.lower()):
        assert not is_twilios(TWILIO, SAID, "12345", given)
    assert not is_twilios(TWILIO, SAID, "", PUBLISHED), "without a token nobody signs"
