"""Readings that cannot be: implausible numbers, and the zeros of a sensor off the body."""

from math import isfinite

import msgspec

from hub.detect.detector import NONE, Context, Findings, Phase
from hub.detect.vitals_findings import technical
from hub.detect.vitals_limits import VitalRule
from hub.detect.vitals_track import Fault, Track
from hub.observation import Observation

FAULT_S = 600
"""Ours: to put a strap or a finger clip right takes less than ten minutes."""


def unusable(
    rule: VitalRule, track: Track, at_s: int, observation: Observation, context: Context
) -> tuple[Track, Findings]:
    """A reading that cannot be true: told once, when it goes on."""
    value = observation.value
    finite = value is not None and isfinite(value)
    fault = track.fault
    if fault is None:
        zero = value is not None and finite and value <= 0
        return msgspec.structs.replace(track, at_s=at_s, fault=Fault(at_s, zero)), NONE
    elapsed_s = min(at_s - track.at_s, rule.stands_s)
    fault = msgspec.structs.replace(fault, lasts_s=min(FAULT_S, fault.lasts_s + elapsed_s))
    findings: Findings = NONE
    if not fault.reported and fault.lasts_s >= FAULT_S:
        fault = msgspec.structs.replace(fault, reported=True)
        text = f"{rule.name} reads {value} {rule.unit} for {FAULT_S // 60} min: "
        text += "the sensor is off the body" if fault.zero else "no living person's value"
        evidence = {
            "value": value if finite else None,
            "window_min": FAULT_S // 60,
        }
        findings = (
            technical(
                rule,
                _kind(fault),
                fault.since_s,
                Phase.CONFIRMED,
                text,
                observation=observation,
                context=context,
                evidence=evidence,
            ),
        )
    return msgspec.structs.replace(track, at_s=at_s, fault=fault), findings


def recovered(
    rule: VitalRule, fault: Fault, elapsed_s: int, observation: Observation, context: Context
) -> tuple[Fault | None, Findings]:
    """A believable reading again: the complaint ends when they have lasted as long."""
    lasts_s = max(0, fault.lasts_s - min(elapsed_s, rule.stands_s))
    if lasts_s:
        return msgspec.structs.replace(fault, lasts_s=lasts_s), NONE
    if not fault.reported:
        return None, NONE
    text = f"{rule.name} reads {observation.value:g} {rule.unit} again"
    back = technical(
        rule,
        _kind(fault),
        fault.since_s,
        Phase.WITHDRAWN,
        text,
        observation=observation,
        context=context,
    )
    return None, (back,)


def _kind(fault: Fault) -> str:
    return "vital_sensor_off" if fault.zero else "vital_implausible"
