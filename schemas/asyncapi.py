"""The AsyncAPI 3.0 document: every topic, in both directions, from the structs and the grammar."""

import json
from collections.abc import Sequence
from typing import Any

from schemas import topics
from schemas.codec import MAX_PAYLOAD_BYTES
from schemas.examples import Example
from schemas.ids import ID_PATTERN
from schemas.jsonschema import KINDS, Json, components
from schemas.topics import Lane

VERSION = "1.0.0"
"""Of the contract, not of the hub. A new optional field raises the minor number; anything that a
device of yesterday would trip over moves the topics to `care/v2`."""

_MQTT_BINDING = "0.2.0"

_PARAMETERS = {
    "area_id": "The area the premises belong to, from city down to community.",
    "premises_id": "The home the device was provisioned for.",
    "device_id": "The device; authoritative: an alarm under a wrong premises still raises.",
}

_ABOUT = f"""\
What devices tell a Carebell hub and what it tells them, over MQTT 3.1.1. The application of this \
document is the hub: it receives the alarm and telemetry lanes and sends the command lane.

Payloads are JSON objects of at most {MAX_PAYLOAD_BYTES} bytes. Unknown fields are ignored and \
counted; a field that is null counts as absent. Everything is published with QoS 1 and not retained.

An alarm is repeated until the receipt with the stage `received` arrives. The schemas say what a \
device should send; an alarm that fails its schema still raises.
"""


def document(examples: Sequence[Example]) -> Json:
    """Compose the document; `examples` are shown with the messages they belong to."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Carebell device contract",
            "version": VERSION,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"hub": _server()},
        "channels": {
            name(lane, kind): _channel(lane, kind, struct.__doc__ or "")
            for lane, kind, struct in KINDS
        },
        "operations": {
            operation_name(lane, kind): _operation(lane, kind) for lane, kind, _ in KINDS
        },
        "components": {
            "messages": {
                name(lane, kind): _message(lane, kind, struct, examples)
                for lane, kind, struct in KINDS
            },
            "parameters": {
                key: {"description": f"{about} Matches `{ID_PATTERN}`."}
                for key, about in _PARAMETERS.items()
            },
            "schemas": components(
                tuple(struct for _, _, struct in KINDS), "#/components/schemas/{name}"
            ),
            "securitySchemes": {
                "deviceCredential": {
                    "type": "userPassword",
                    "description": "User name: the device id. Password: the secret that the hub "
                    "shows once, when the device is provisioned.",
                }
            },
        },
    }


def name(lane: Lane, kind: str) -> str:
    """The key of a channel and of its message.

    >>> name(Lane.COMMAND, "check_in")
    'commandCheckIn'
    """
    return lane + "".join(word.capitalize() for word in kind.split("_"))


def operation_name(lane: Lane, kind: str) -> str:
    """The key of an operation, seen from the hub.

    >>> operation_name(Lane.ALARM, "press")
    'receiveAlarmPress'
    """
    key = name(lane, kind)
    return f"{_action(lane)}{key[0].upper()}{key[1:]}"


def address(lane: Lane, kind: str) -> str:
    """The topic with its parameters in braces."""
    parameters = (f"{{{key}}}" for key in _PARAMETERS)
    return topics.up(topics.device_prefix(*parameters), lane, kind)


def _action(lane: Lane) -> str:
    return "send" if lane is Lane.COMMAND else "receive"


def _server() -> Json:
    return {
        "host": "{host}:{port}",
        "protocol": "mqtt",
        "protocolVersion": "3.1.1",
        "description": "The broker of the hub; `secure-mqtt` (port 8883) on any open network.",
        "variables": {
            "host": {"default": "localhost"},
            "port": {"default": "1883", "examples": ["1883", "8883"]},
        },
        "security": [{"$ref": "#/components/securitySchemes/deviceCredential"}],
        "bindings": {
            "mqtt": {
                "cleanSession": False,
                "keepAlive": 60,
                "lastWill": {
                    "topic": address(Lane.TELEMETRY, "status"),
                    "qos": 1,
                    "message": '{"state":"offline"}',
                    "retain": False,
                },
                "bindingVersion": _MQTT_BINDING,
            }
        },
    }


def _channel(lane: Lane, kind: str, about: str) -> Json:
    key = name(lane, kind)
    return {
        "address": address(lane, kind),
        "description": about,
        "servers": [{"$ref": "#/servers/hub"}],
        "parameters": {key: {"$ref": f"#/components/parameters/{key}"} for key in _PARAMETERS},
        "messages": {key: {"$ref": f"#/components/messages/{key}"}},
    }


def _operation(lane: Lane, kind: str) -> Json:
    key = name(lane, kind)
    operation: Json = {
        "action": _action(lane),
        "channel": {"$ref": f"#/channels/{key}"},
        "messages": [{"$ref": f"#/channels/{key}/messages/{key}"}],
        "bindings": {"mqtt": {"qos": 1, "retain": False, "bindingVersion": _MQTT_BINDING}},
    }
    if lane is Lane.ALARM:
        receipt = name(Lane.COMMAND, "receipt")
        operation["reply"] = {
            "channel": {"$ref": f"#/channels/{receipt}"},
            "messages": [{"$ref": f"#/channels/{receipt}/messages/{receipt}"}],
        }
    return operation


def _message(lane: Lane, kind: str, struct: type[Any], examples: Sequence[Example]) -> Json:
    message: Json = {
        "name": name(lane, kind),
        "title": struct.__name__,
        "summary": struct.__doc__,
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{struct.__name__}"},
        "examples": [
            {"name": example.name, "payload": json.loads(example.payload)}
            for example in examples
            if (example.lane, example.kind) == (lane, kind)
        ],
    }
    if lane is Lane.ALARM or kind == "receipt":
        message["correlationId"] = {
            "description": "A receipt carries the id of the alarm that it answers.",
            "location": "$message.payload#/message_id",
        }
    return message
