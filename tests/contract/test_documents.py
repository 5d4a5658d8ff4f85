"""The generated JSON Schemas and the AsyncAPI document: sound, complete, and up to date."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas import asyncapi, codec, examples, generate, topics
from schemas.commands import ReceiptStage
from schemas.jsonschema import KINDS, schema
from schemas.topics import Lane
from schemas.vocabulary import DEVICE_CLASSES, MEASURES

DOCUMENT = asyncapi.document(examples.load("valid"))


def nodes(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
        for value in part.values():
            yield from nodes(value)
    elif isinstance(part, list):
        for value in part:
            yield from nodes(value)


def resolve(document: Any, reference: str) -> Any:
    assert reference.startswith("#/")
    for step in reference[2:].split("/"):
        document = document[step]
    return document


@pytest.mark.parametrize(("lane", "kind", "struct"), KINDS)
def test_every_schema_is_json_schema_and_resolves(lane: Lane, kind: str, struct: Any) -> None:
    document = schema(lane, kind, struct)

    Draft202012Validator.check_schema(document)
    for node in nodes(document):
        if "$ref" in node:
            assert resolve(document, node["$ref"])["title"]
            assert set(node) == {"$ref"}, "draft 7 ignores what stands beside a reference"


@pytest.mark.parametrize(("lane", "kind", "struct"), KINDS)
def test_every_definition_says_what_it_is(lane: Lane, kind: str, struct: Any) -> None:
    document = schema(lane, kind, struct)

    for definition in (document, *document.get("$defs", {}).values()):
        assert definition["description"]
    assert document["description"].startswith(topics.up("", lane, kind).lstrip("/"))


def test_every_reference_of_the_asyncapi_document_resolves() -> None:
    references = {node["$ref"] for node in nodes(DOCUMENT) if isinstance(node.get("$ref"), str)}

    assert len(references) > len(KINDS)
    for reference in references:
        assert resolve(DOCUMENT, reference)


def test_nothing_in_the_asyncapi_components_is_unused() -> None:
    references = {node["$ref"] for node in nodes(DOCUMENT) if isinstance(node.get("$ref"), str)}

    for section, parts in DOCUMENT["components"].items():
        for key in parts:
            assert f"#/components/{section}/{key}" in references


def test_every_topic_the_code_can_make_is_a_channel() -> None:
    addresses = {channel["address"] for channel in DOCUMENT["channels"].values()}
    shapes = [re.compile(re.sub(r"\{\w+\}", "[a-z0-9-]+", address)) for address in addresses]
    prefix = topics.device_prefix("city", "home-1", "button-1")
    made = [topics.up(prefix, Lane.ALARM, kind) for kind in topics.ALARM_KINDS]
    made += [topics.up(prefix, Lane.TELEMETRY, kind) for kind in topics.TELEMETRY_KINDS]
    made += [topics.command("city", "home-1", "button-1", kind) for kind in topics.COMMAND_KINDS]

    assert len(made) == len(addresses) == len(KINDS)
    for topic in made:
        assert sum(shape.fullmatch(topic) is not None for shape in shapes) == 1


def test_topics_and_codec_know_the_same_kinds() -> None:
    assert tuple(codec.ALARM_TYPES) == topics.ALARM_KINDS
    assert tuple(codec.TELEMETRY_TYPES) == topics.TELEMETRY_KINDS
    assert tuple(codec.COMMAND_TYPES) == topics.COMMAND_KINDS


def test_devices_send_up_and_the_hub_sends_down_at_qos_1_never_retained() -> None:
    for lane, kind, _ in KINDS:
        operation = DOCUMENT["operations"][asyncapi.operation_name(lane, kind)]
        assert operation["action"] == ("send" if lane is Lane.COMMAND else "receive")
        assert operation["bindings"]["mqtt"]["qos"] == 1
        assert operation["bindings"]["mqtt"]["retain"] is False
        assert ("reply" in operation) == (lane is Lane.ALARM), "every alarm is answered"


def test_the_documented_last_will_is_a_status_the_hub_reads() -> None:
    will = DOCUMENT["servers"]["hub"]["bindings"]["mqtt"]["lastWill"]

    status = codec.decode_telemetry("status", will["message"].encode()).message
    assert codec.kind_of(status) == (Lane.TELEMETRY, "status")


def test_the_committed_documents_are_up_to_date() -> None:
    assert generate.stale(generate.FOLDER) == []


def test_check_names_what_is_stale_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generate.main([], tmp_path) == 0
    assert generate.main(["--check"], tmp_path) == 0
    (tmp_path / "asyncapi.json").write_text("{}")
    (tmp_path / "alarm-press.schema.json").unlink()
    (tmp_path / "left-over.json").write_text("{}")
    capsys.readouterr()

    assert generate.main(["--check"], tmp_path) == 1

    said = capsys.readouterr().out.splitlines()
    assert [re.sub(r".*/(\S+) .*", r"\1", line) for line in said] == [
        "alarm-press.schema.json",
        "asyncapi.json",
        "left-over.json",
    ]
    assert (tmp_path / "asyncapi.json").read_text() == "{}"


def test_writing_repairs_the_folder(tmp_path: Path) -> None:
    (tmp_path / "left-over.json").write_text("{}")

    generate.main([], tmp_path)

    assert generate.stale(tmp_path) == []
    assert json.loads((tmp_path / "asyncapi.json").read_text(encoding="utf-8")) == DOCUMENT


PAGE = (Path(__file__).parents[2] / "docs" / "contract.md").read_text(encoding="utf-8")


def test_the_page_tells_of_every_kind_and_stage() -> None:
    for lane, kind, _ in KINDS:
        assert f"| `{lane}/{kind}` |" in PAGE
    for stage in ReceiptStage:
        assert f"| `{stage}` |" in PAGE


def test_the_page_has_the_numbers_of_the_vocabulary() -> None:
    for measure in MEASURES:
        if measure.vital:
            assert (
                f"| `{measure.key}` | `{measure.unit}` | {measure.low:g} to {measure.high:g} "
                f"| {measure.loinc} | {measure.mdc} |" in PAGE
            )
    for row in DEVICE_CLASSES.values():
        assert (
            f"| `{row.kind}` | {row.heartbeat_s} s | {'yes' if row.shows_receipt else ''} |" in PAGE
        )


def test_the_payloads_of_the_page_are_valid() -> None:
    published = re.findall(r"-t \"\$PREFIX/(\w+)/(\w+)\" \\\n  -m '(.*?)'", PAGE, re.DOTALL)

    assert len(published) == 3
    for lane, kind, payload in published:
        decode = codec.decode_alarm if lane == Lane.ALARM else codec.decode_telemetry
        decoded = decode(kind, payload.encode())
        assert (decoded.unknown_fields, decoded.damage) == (0, ())
