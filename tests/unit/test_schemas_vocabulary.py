"""The vocabulary: codes that others know, ranges that keep the number."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.vocabulary import (
    DEVICE_CLASSES,
    MEASURE_BY_CODE,
    MEASURE_BY_KEY,
    MEASURES,
    DeviceKind,
    Measure,
    Quality,
    quality_of,
)

numeric = pytest.mark.parametrize(
    "measure", [m for m in MEASURES if m.numeric], ids=lambda m: m.key
)

# HL7 FHIR R4, vital-signs profiles: LOINC, UCUM; MDC as the 32-bit code of ISO/IEEE 11073-10101,
# partition 2 (SCADA) times 2^16 plus the term code.
FHIR_VITAL_SIGNS = {
    "heart_rate_per_min": ("8867-4", "/min", 2 << 16 | 16770),  # MDC_ECG_HEART_RATE
    "respiratory_rate_per_min": ("9279-1", "/min", 2 << 16 | 20490),  # MDC_RESP_RATE
    "oxygen_saturation_percent": ("59408-5", "%", 2 << 16 | 19384),  # MDC_PULS_OXIM_SAT_O2
    "body_temperature_c": ("8310-5", "Cel", 2 << 16 | 19292),  # MDC_TEMP_BODY
    "systolic_blood_pressure_mmhg": ("8480-6", "mm[Hg]", 2 << 16 | 18945),  # MDC_PRESS_BLD_SYS
    "diastolic_blood_pressure_mmhg": ("8462-4", "mm[Hg]", 2 << 16 | 18946),  # MDC_PRESS_BLD_DIA
}


def test_vital_signs_carry_the_codes_of_fhir() -> None:
    ours = {m.key: (m.loinc, m.unit, m.mdc) for m in MEASURES if m.vital}

    assert ours == FHIR_VITAL_SIGNS


def test_the_battery_has_the_code_of_the_object_partition() -> None:
    assert MEASURE_BY_KEY["battery_percent"].mdc == 1 << 16 | 2460  # MDC_ATTR_VAL_BATT_CHARGE


@pytest.mark.parametrize("measure", MEASURES, ids=lambda m: m.key)
def test_loinc_check_digits_are_right(measure: Measure) -> None:
    if measure.loinc is None:
        return
    number, check = measure.loinc.split("-")
    doubled = (int(d) * (2 if i % 2 == 0 else 1) for i, d in enumerate(reversed(number)))
    assert -sum(sum(divmod(d, 10)) for d in doubled) % 10 == int(check)  # LOINC: mod 10 (Luhn)


def test_keys_and_codes_are_unique() -> None:
    assert len(MEASURE_BY_KEY) == len(MEASURE_BY_CODE) == len(MEASURES)


def test_stored_codes_never_change() -> None:
    stored = {m.key: m.code for m in MEASURES}

    assert (
        stored.items() >= {"heart_rate_per_min": 1, "battery_percent": 20, "position": 46}.items()
    )
    assert {quality: quality.code for quality in Quality} == {
        Quality.GOOD: 0,
        Quality.POOR: 1,
        Quality.INVALID: 2,
        Quality.IMPLAUSIBLE: 3,
    }


def test_units_stand_last_in_the_names_of_numbers() -> None:
    suffixes = {"/min": "per_min", "%": "percent", "mm[Hg]": "mmhg", "Cel": "c", "{dBm}": "dbm"}
    for measure in MEASURES:
        if measure.unit in suffixes:
            assert re.search(f"_{suffixes[measure.unit]}$", measure.key)


@numeric
@pytest.mark.parametrize("claimed", Quality)
def test_the_bounds_themselves_are_plausible(measure: Measure, claimed: Quality) -> None:
    for bound, beyond in ((measure.low, -math.inf), (measure.high, math.inf)):
        assert quality_of(measure, bound, claimed) is claimed
        outside = quality_of(measure, math.nextafter(bound, beyond), claimed)
        assert outside is Quality.IMPLAUSIBLE


@given(st.sampled_from(MEASURES), st.floats(), st.sampled_from(Quality))
def test_every_number_is_judged(measure: Measure, value: float, claimed: Quality) -> None:
    inside = measure.low <= value <= measure.high

    assert quality_of(measure, value, claimed) is (claimed if inside else Quality.IMPLAUSIBLE)


def test_every_kind_of_device_has_a_class() -> None:
    assert set(DEVICE_CLASSES) == set(DeviceKind)
    assert all(row.kind is kind and row.heartbeat_s > 0 for kind, row in DEVICE_CLASSES.items())
    assert DEVICE_CLASSES[DeviceKind.BUTTON].shows_receipt, "the person must hear back"
