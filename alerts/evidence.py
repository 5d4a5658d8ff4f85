"""What a finding rests on, in a sentence a dispatcher can read. Pure: a catalogue and look-ups.

Detectors say a kind and numbers; the words are here, once for each language. A part is left out
where its number is missing or says nothing, so an older finding still reads well; a kind that is
not in the catalogue is shown in the detector's own words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alerts import assurance
from alerts.rendering import CHINESE, ENGLISH

LANGUAGES = (CHINESE, ENGLISH)
_AND = {ENGLISH: ", ", CHINESE: "，"}
_OVER = {ENGLISH: "over or better: {said}", CHINESE: "已结束或好转：{said}"}


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a sentence, said where `needs` holds a number above `above`, or any text."""

    needs: str
    english: str
    chinese: str
    above: float = 0.0

    def said(self, language: str, values: Mapping[str, Any]) -> str | None:
        """The piece with its values; None where there is nothing to say."""
        needed = values.get(self.needs)
        if needed is None or needed == "" or needed is False:
            return None
        if isinstance(needed, int | float) and needed <= self.above and needed is not True:
            return None
        template = self.english if language == ENGLISH else self.chinese
        try:
            return template.format_map(values)
        except (KeyError, ValueError, TypeError, IndexError, AttributeError):
            return None


_VITAL = (
    Part("shown", "{measure_name} {shown} {unit}", "{measure_name}{shown} {unit}", -1e9),
    Part("limit_shown", "limit {limit_shown}", "界限 {limit_shown}", -1e9),
    Part("clinician", "limit of {clinician}", "由{clinician}设定"),
    Part("out_of_range_min", "for {out_of_range_min} min", "已持续 {out_of_range_min} 分钟"),
    Part("baseline", "usual {baseline:g}", "平时 {baseline:g}"),
    Part("rising", "rising {rising:.1f} an hour", "每小时上升 {rising:.1f}"),
    Part("falling", "falling {falling:.1f} an hour", "每小时下降 {falling:.1f}"),
)
_SENSOR = (
    Part("measure_name", "sensor of {measure_name}", "{measure_name}传感器"),
    Part("value", "reads {value:g}", "读数 {value:g}", -1e9),
    Part("window_min", "for {window_min} min", "已持续 {window_min} 分钟"),
)

_BATTERY = (
    Part("percent", "battery {percent:.0f} %", "电量 {percent:.0f}%", -1),
    Part("days_left", "empty in about {days_left:.1f} days", "约 {days_left:.1f} 天后耗尽", -1),
)

_CONCERNS = frozenset(concern.value for concern in assurance.Concern)
"""What the hub says about itself has whole sentences of its own."""

CATALOGUE: Mapping[str, tuple[Part, ...]] = {
    "fall": (
        Part("probability", "fall {probability:.0%}", "跌倒可能性 {probability:.0%}"),
        Part("impact_g", "impact {impact_g:.1f} g", "冲击 {impact_g:.1f} g"),
        Part("still_s", "still for {still_s:.0f} s", "静止 {still_s:.0f} 秒", 0.5),
        Part(
            "posture_change_deg",
            "turned by {posture_change_deg:.0f} degrees",
            "姿势改变 {posture_change_deg:.0f} 度",
            29,
        ),
        Part("signs_against", "against it: {signs_against}", "反证：{signs_against}"),
        Part("unjudged", "the window could not be judged", "动作数据无法判定"),
    ),
    "hazard": (
        Part("hazard_name", "{hazard_name}", "{hazard_name}"),
        Part("value", "value {value:g}", "数值 {value:g}", -1e9),
        Part("lasted_min", "for {lasted_min} min", "已持续 {lasted_min} 分钟"),
    ),
    "device_silent": (
        Part("silent_min", "not heard for {silent_min} min", "已失联 {silent_min} 分钟"),
    ),
    "battery_low": _BATTERY,
    "battery_empty": _BATTERY,
    "messages_lost": (
        Part("lost", "{lost} of {judged} messages lost", "{judged} 条消息中丢失 {lost} 条"),
    ),
    "area_outage": (
        Part("silent", "{silent} devices silent", "{silent} 台设备失联"),
        Part("of", "of {of} in the area", "本区域共 {of} 台"),
    ),
    "early_warning": (
        Part("total", "NEWS2 {total}", "NEWS2 评分 {total}", -1),
        Part("measured", "{measured} of 7 measured", "7 项中测得 {measured} 项"),
        Part("missing_names", "missing: {missing_names}", "缺：{missing_names}"),
        Part("red_names", "single red: {red_names}", "单项红色：{red_names}"),
    ),
    "inactivity": (
        Part("silent_min", "no activity for {silent_min} min", "已 {silent_min} 分钟无活动"),
        Part("limit_min", "limit {limit_min} min", "界限 {limit_min} 分钟"),
        Part("learning", "still learning this home", "仍在学习该住所的作息"),
    ),
    "bed_left": (
        Part("window_min", "out of bed for {window_min} min", "离床 {window_min} 分钟未归"),
        Part("limit_min", "limit {limit_min} min", "界限 {limit_min} 分钟"),
    ),
    "bed_long_stay": (
        Part("window_min", "in bed for {window_min} min", "卧床 {window_min} 分钟"),
        Part("limit_min", "limit {limit_min} min", "界限 {limit_min} 分钟"),
    ),
    "bed_restless": (
        Part(
            "share_percent",
            "restless {share_percent:.0f} % of the last hour",
            "最近一小时 {share_percent:.0f}% 时间躁动",
        ),
        Part("usual_percent", "usual {usual_percent:.0f} %", "平时 {usual_percent:.0f}%"),
    ),
    "wandering": (
        Part("beyond_m", "{beyond_m} m outside the safe area", "越出安全区域 {beyond_m} 米", -1),
        Part("accuracy_m", "accurate to {accuracy_m} m", "定位精度 {accuracy_m} 米"),
    ),
    "vital_sensor_off": _SENSOR,
    "vital_implausible": _SENSOR,
    "vital_frozen": _SENSOR,
}
"""By kind of finding; the vital signs' own kinds (`heart_rate_high` ...) are found by their
measure."""

_NAMES: Mapping[str, tuple[str, str]] = {
    "heart_rate_per_min": ("heart rate", "心率"),
    "respiratory_rate_per_min": ("respiration", "呼吸"),
    "oxygen_saturation_percent": ("SpO2", "血氧"),
    "systolic_blood_pressure_mmhg": ("systolic pressure", "收缩压"),
    "diastolic_blood_pressure_mmhg": ("diastolic pressure", "舒张压"),
    "body_temperature_c": ("temperature", "体温"),
    "on_oxygen": ("oxygen", "吸氧"),
    "oxygen": ("oxygen", "吸氧"),
    "consciousness": ("consciousness", "意识"),
    "smoke": ("smoke", "烟雾"),
    "gas": ("gas", "燃气"),
    "carbon_monoxide": ("carbon monoxide", "一氧化碳"),
    "water": ("water", "漏水"),
    "cold": ("cold", "低温"),
    "mains_lost": ("mains lost", "停电"),
    "tamper": ("tampering", "设备被拆动"),
    "unknown_hazard": ("hazard of unknown kind", "未知险情"),
    "steps": ("steps", "步数"),
    "bed_state": ("bed occupied", "床上有人"),
    "worn_state": ("wristband taken off", "手环已摘下"),
    "motion": ("movement in a room", "房间内有活动"),
}
_COMMA = {ENGLISH: ", ", CHINESE: "、"}
_NEWS2_SIGNS = 7
"""Parameters of NEWS2 (Royal College of Physicians, 2017)."""


def sentence(
    kind: str, evidence: Mapping[str, Any], language: str, *, over: bool = False
) -> str | None:
    """What is known, in one line; None where the catalogue does not know the kind.

    >>> seen = {"measure": "heart_rate_per_min", "unit": "/min", "values": [134.0], "limit": 120,
    ...         "out_of_range_min": 4}
    >>> sentence("heart_rate_high", seen, "en")
    'heart rate 134 /min, limit 120, for 4 min'
    >>> sentence("heart_rate_high", seen, "zh-CN")
    '心率134 /min，界限 120，已持续 4 分钟'
    """
    if kind in _CONCERNS and evidence:
        concern = assurance.Concern(kind)
        line = assurance.sentence(concern, evidence, chinese=language != ENGLISH)
        return _OVER[language].format(said=line) if over else line
    parts = CATALOGUE.get(kind) or (_VITAL if "measure" in evidence else None)
    if parts is None or not evidence:
        return None
    values = {**evidence, **_worded(evidence, language)}
    said = [text for part in parts if (text := part.said(language, values))]
    if not said:
        return None
    line = _AND[language].join(said)
    return _OVER[language].format(said=line) if over else line


def sentences(kind: str, evidence: Mapping[str, Any], *, over: bool = False) -> dict[str, str]:
    """The line in every language of the catalogue; empty where there is none."""
    found = {language: sentence(kind, evidence, language, over=over) for language in LANGUAGES}
    return {language: text for language, text in found.items() if text}


def _worded(evidence: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Numbers and keys of the evidence as the parts want them."""
    worded: dict[str, Any] = {}
    for given, wanted in (("measure", "measure_name"), ("hazard", "hazard_name")):
        if given in evidence:
            worded[wanted] = _name(str(evidence[given]), language)
    for given, wanted in (
        ("against", "signs_against"), ("missing", "missing_names"), ("red", "red_names"),
    ):  # fmt: skip
        if isinstance(named := evidence.get(given), list | tuple):
            worded[wanted] = _COMMA[language].join(_name(str(one), language) for one in named)
    if isinstance(missing := evidence.get("missing"), list | tuple):
        worded["measured"] = _NEWS2_SIGNS - len(missing)
    if (shown := _number(_latest(evidence))) is not None:
        worded["shown"] = shown
    if (limit := _number(evidence.get("limit"))) is not None:
        worded["limit_shown"] = limit
    if (by := evidence.get("limit_by")) not in (None, "NEWS2"):
        worded["clinician"] = by
    trend = evidence.get("trend_per_h")
    if isinstance(trend, int | float) and trend:
        worded["rising" if trend > 0 else "falling"] = abs(trend)
    return worded


def _latest(evidence: Mapping[str, Any]) -> Any:
    readings = evidence.get("values")
    return evidence.get("value", readings[-1] if isinstance(readings, list) and readings else None)


def _number(value: Any) -> str | None:
    return f"{value:g}" if isinstance(value, int | float) else None


def _name(key: str, language: str) -> str:
    english, chinese = _NAMES.get(key, (key.replace("_", " "), key))
    return english if language == ENGLISH else chinese
