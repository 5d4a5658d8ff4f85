"""The words of messages, every one in every language. Pure: a catalogue; `alerts.messages` uses it.

`{}`-fields are filled with values that are never read as templates themselves.
"""

from collections.abc import Mapping

from alerts.alarm import Category
from alerts.incident import Outcome
from alerts.rendering import CHINESE, ENGLISH, language_of

Words = Mapping[str, str]
"""By language."""


def _both(english: str, chinese: str) -> Words:
    return {ENGLISH: english, CHINESE: chinese}


KINDS: Mapping[str, Words] = {
    "press.emergency": _both("Emergency press", "紧急呼叫"),
    "press.help": _both("Asks for help", "请求帮助"),
    "press.cancel": _both("Silent emergency", "静默求助"),
    "press": _both("Emergency press", "紧急呼叫"),
    "unreadable": _both("Unreadable alarm", "无法读取的报警"),
    "fall": _both("Possible fall", "疑似跌倒"),
    "motion": _both("Possible fall", "疑似跌倒"),
    "hazard": _both("Hazard in the home", "家中险情"),
    "hazard.smoke": _both("Smoke", "烟雾报警"),
    "hazard.gas": _both("Gas", "燃气泄漏"),
    "hazard.carbon_monoxide": _both("Carbon monoxide", "一氧化碳报警"),
    "hazard.water": _both("Water leak", "漏水"),
    "hazard.cold": _both("Home too cold", "室温过低"),
    "hazard.mains_lost": _both("Power cut", "停电"),
    "hazard.tamper": _both("Device tampered with", "设备被拆动"),
    "inactivity": _both("Unusual silence", "长时间无活动"),
    "bed_left": _both("Out of bed too long", "离床未归"),
    "bed_long_stay": _both("In bed for long", "长时间卧床"),
    "bed_restless": _both("Restless sleep", "睡眠躁动"),
    "wandering": _both("Left the safe area", "离开安全区域"),
    "early_warning": _both("Early warning score", "早期预警评分"),
    "heart_rate": _both("Heart rate out of range", "心率异常"),
    "respiratory_rate": _both("Respiration out of range", "呼吸异常"),
    "oxygen_saturation": _both("Oxygen out of range", "血氧异常"),
    "systolic_blood_pressure": _both("Blood pressure out of range", "血压异常"),
    "diastolic_blood_pressure": _both("Blood pressure out of range", "血压异常"),
    "blood_pressure_review": _both("Blood pressure to review", "血压需复核"),
    "pulse_review": _both("Pulse to review", "脉搏需复核"),
    "body_temperature": _both("Temperature out of range", "体温异常"),
    "vital_": _both("Vital sensor doubtful", "生命体征传感器异常"),
    "device_silent": _both("Device silent", "设备失联"),
    "device_never_heard": _both("Device never heard", "设备从未上线"),
    "battery_low": _both("Battery low", "电量低"),
    "battery_empty": _both("Battery nearly empty", "电量即将耗尽"),
    "messages_lost": _both("Messages lost", "消息丢失"),
    "not_worn": _both("Not worn", "未佩戴"),
    "value_frozen": _both("Value frozen", "数值不变"),
    "values_cached": _both("Old values repeated", "重复旧数据"),
    "call_in": _both("Call for help by telephone", "来电求助"),
    "area_outage": _both("Area outage", "区域失联"),
    "area_silent": _both("Area outage", "区域失联"),
    "nobody_reachable": _both("Nobody could answer an alarm", "无人能接警"),
    "nobody_on_duty": _both("Nobody is on duty", "无人值班"),
    "rota_gap_soon": _both("Soon nobody is on duty", "即将无人值班"),
    "rota_gap": _both("A hole in the rota", "排班有空缺"),
    "incidents_orphaned": _both("Incidents of somebody who is gone", "负责人已离岗的事件"),
    "policy_names_gone": _both("A ladder names somebody who is gone", "呼叫流程人员已停用"),
    "no_responder": _both("People whom nobody could go to", "无人可上门的老人"),
    "contacts_unverified": _both("Contacts that are not proven", "未验证的联系方式"),
    "loop_stands": _both("A part of the hub stands still", "系统循环停止"),
    "provider_fails": _both("A provider fails", "通知通道故障"),
    "synthetic_press_missing": _both("The hub's own press does not arrive", "系统自检呼叫未到达"),
    "ingest_silent": _both("No press would be heard", "接警进程无响应"),
    "queue_stands": _both("Messages wait for too long", "消息积压"),
    "database_strained": _both("The database is strained", "数据库负荷异常"),
    "disk_fills": _both("The disk fills", "磁盘将满"),
    "watcher_unreachable": _both("The watcher outside is not reached", "外部看护无法到达"),
    "broker_dropped": _both("The broker dropped messages", "消息服务器丢弃消息"),
    "session_lost": _both("The hub's alarm line was interrupted", "报警通道曾中断"),
}
"""By kind of alarm; the longest beginning that fits wins, so `heart_rate_high` finds its own."""

CATEGORIES: Mapping[Category, Words] = {
    Category.PERSONAL: _both("Call for help", "求助"),
    Category.PHYSIOLOGICAL: _both("Needs somebody", "需要有人查看"),
    Category.HAZARD: _both("Hazard in the home", "家中险情"),
    Category.TECHNICAL: _both("Technical fault", "设备故障"),
}
"""What is said where the kind is unknown, or may not be told."""

OUTCOMES: Mapping[Outcome, Words] = {
    Outcome.HELPED: _both("helped", "已得到帮助"),
    Outcome.FALSE_ALARM: _both("false alarm", "误报"),
    Outcome.TEST: _both("test", "测试"),
    Outcome.NO_REPLY: _both("no reply", "无人应答"),
    Outcome.HANDED_OFF: _both("handed to the emergency service", "已移交急救部门"),
    Outcome.UNFOUNDED: _both("nothing found", "未发现异常"),
    Outcome.FIXED: _both("mended", "已修复"),
    Outcome.CLEARED: _both("over by itself", "已自行恢复"),
    Outcome.WITHDRAWN: _both("the person is well", "本人确认平安"),
}

TEXTS: Mapping[str, Words] = {
    "drill": _both("DRILL. ", "【演练】"),
    "between": _both(" ", ""),
    "service": _both("This is {service}.", "这里是{service}。"),
    "ring": _both("{what}: {who}.", "{what}：{who}。"),
    "reminder": _both("Still nobody has it. {what}: {who}.", "仍无人处理。{what}：{who}。"),
    "who_aged": _both("{name}, {age}", "{name}，{age}岁"),
    "somebody": _both("somebody", "一位老人"),
    "silent": _both("Silent alarm: do not call the home.", "静默报警：切勿致电住户。"),
    "address": _both("Address: {address}.", "地址：{address}。"),
    "access": _both("Getting in: {access}.", "进门：{access}。"),
    "indoor": _both("By {indoor}.", "位置：{indoor}。"),
    "fix": _both("Position {age}, {accuracy}: {map}", "定位（{age}，{accuracy}）：{map} "),
    "fix_spoken": _both("Last position: {age}, {accuracy}.", "最近定位：{age}，{accuracy}。"),
    "fix_now": _both("just now", "刚刚"),
    "fix_min": _both("{n} min old", "{n}分钟前"),
    "fix_h": _both("{n} h old", "{n}小时前"),
    "fix_age_unknown": _both("age unknown", "时间未知"),
    "fix_within": _both("within {n} m", "误差约{n}米"),
    "fix_accuracy_unknown": _both("accuracy unknown", "精度未知"),
    "home_map": _both("Map of the home: {map}", "住址地图：{map} "),
    "phone": _both("Home: {phone}.", "住户电话：{phone}。"),
    "opened": _both("Since {time}.", "发生于{time}。"),
    "medical": _both("Note: {medical}.", "备注：{medical}。"),
    "detail": _both("{detail}.", "{detail}。"),
    "owner": _both("{owner} has it.", "{owner}正在处理。"),
    "expected": _both("Expected there by {time}.", "预计{time}前到达。"),
    "going": _both("On the way: {names}.", "前往中：{names}。"),
    "going_at": _both("{name} ({time})", "{name}（{time}到）"),
    "there": _both("With the person: {names}.", "已到场：{names}。"),
    "and": _both(", ", "、"),
    "nobody_going": _both("Nobody is on the way yet.", "目前无人前往。"),
    "reply": _both(
        "Reply {reply} if you are going, {no} if you cannot.", "前往请回复{reply}，不能请回复{no}。"
    ),
    "link": _both("Answer here: {link}", "点此回应：{link} "),
    "press": _both("Press 1 if you are going.", "如果您前往，请按一。"),
    "press_no": _both("Press 2 if you cannot.", "如果您不能前往，请按二。"),
    "coming": _both("{owner} has it: {what}, {who}.", "{owner}已接手：{what}，{who}。"),
    "coming_somebody": _both("Somebody has it: {what}, {who}.", "已有人接手：{what}，{who}。"),
    "open_again": _both(
        "Open again, nobody has it just now: {what}, {who}.",
        "重新待处理，目前无人负责：{what}，{who}。",
    ),
    "coming_going": _both(
        "{going} is going there: {what}, {who}.", "{going}正在赶往：{what}，{who}。"
    ),
    "coming_there": _both(
        "{going} is with the person: {what}, {who}.", "{going}已到场：{what}，{who}。"
    ),
    "stay": _both(
        "You need not answer any more unless you are asked.", "如未另行通知，您无需再回应。"
    ),
    "over": _both("It is over: {what}, {who}.", "事件已结束：{what}，{who}。"),
    "outcome": _both("Outcome: {outcome}.", "结果：{outcome}。"),
    "thanks": _both("Thank you.", "谢谢您。"),
    "notice": _both("Notice: {text}", "提醒：{text}"),
    "test": _both(
        "Test message of {service}. Nothing has happened.", "{service}测试信息，没有发生任何事件。"
    ),
    "test_reply": _both(
        "Reply {reply} so that we know it reached you.", "请回复{reply}，确认您已收到。"
    ),
    "test_press": _both("Press 1 so that we know it reached you.", "请按一，确认您已收到。"),
    "ask": _both("Hello, this is {service}. Are you well?", "您好，这里是{service}。您还好吗？"),
    "ask_press": _both("If you are well, press 1.", "如果您没事，请按一。"),
    "ask_press_help": _both("If you need help, press 2.", "如果需要帮助，请按二。"),
    "ask_silence": _both("Without an answer we send somebody.", "如果没有应答，我们会派人联系您。"),
    "ask_reply": _both(
        "Reply 1 if you are well, 2 if you need help.", "没事请回复1，需要帮助请回复2。"
    ),
    "calling": _both(
        "We did not hear from you. We are calling somebody for you now.",
        "没有收到您的应答，正在为您联系工作人员。",
    ),
    "connect": _both("You are being connected with {who}.", "正在为您接通{who}。"),
    "hotline": _both("Questions: {hotline}.", "咨询电话：{hotline}。"),
    "subject_ring": _both("{what}: {who}", "{what}：{who}"),
    "subject_reminder": _both("Still open: {what}: {who}", "仍未处理：{what}：{who}"),
    "subject_coming": _both("Somebody has it: {what}, {who}", "已接手：{what}，{who}"),
    "subject_there": _both("With the person: {what}, {who}", "已到场：{what}，{who}"),
    "subject_open_again": _both("Open again: {what}, {who}", "重新待处理：{what}，{who}"),
    "subject_going": _both("On the way: {what}, {who}", "有人前往：{what}，{who}"),
    "subject_over": _both("Over: {what}, {who}", "已结束：{what}，{who}"),
    "subject_notice": _both("Notice of {service}", "{service}提醒"),
    "subject_test": _both("Test message of {service}", "{service}测试信息"),
    "subject_ask": _both("Are you well?", "您还好吗？"),
    "subject_calling": _both("Somebody is being called", "正在联系工作人员"),
}


def text(key: str, language: str, **values: object) -> str:
    """A sentence of the catalogue with its values."""
    return TEXTS[key][language_of(language)].format_map(values)


def kind_words(kind: str, detail: str | None, category: Category, language: str) -> str:
    """What happened, in two or three words. `detail` is a press's action or a hazard's name.

    >>> kind_words("heart_rate_high", None, Category.PHYSIOLOGICAL, "en")
    'Heart rate out of range'
    >>> kind_words("press", "help", Category.PERSONAL, "zh-CN")
    '请求帮助'
    """
    language = language_of(language)
    for wanted in (f"{kind}.{detail}" if detail else kind, kind):
        if wanted in KINDS:
            return KINDS[wanted][language]
    fitting = [known for known in KINDS if kind.startswith(known)]
    if kind and fitting:
        return KINDS[max(fitting, key=len)][language]
    return CATEGORIES[category][language]
