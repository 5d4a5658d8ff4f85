"""The words of a report in each language: headings, what happened, and why. Pure.

Every reason the hub stores has words here (a test compares); one that a later release stores and
this one does not know is shown as it is called.
"""

from collections.abc import Mapping
from typing import Any

from alerts.notification import NotificationState, NotNeeded
from alerts.rendering import CHINESE, ENGLISH, language_of

Words = Mapping[str, tuple[str, str]]
"""English and Chinese."""

_SEAL_NOTE = (
    (
        "Each entry was digested when it was written into a block of the log; the block's "
        "hash covers the block before. `carebell audit verify --head` compares the whole log "
        "with a head that was kept elsewhere. The JSON of this report holds each entry's proof."
    ),
    (
        "每条记录写入日志区块时计算摘要，区块哈希覆盖前一区块。可用 carebell audit verify --head "
        "与另行保存的链首核对整个日志；本报告的 JSON 含每条记录的证明。"
    ),
)

HEADINGS: Words = {
    "title": ("Incident report", "事件报告"),
    "drill": ("DRILL - incident report", "【演练】事件报告"),
    "summary": ("Summary", "概要"),
    "person": ("Person and home", "人员与住址"),
    "times": ("Times and targets", "时间与目标"),
    "people": ("Who went there", "前往人员"),
    "hand_offs": ("Handed to emergency services", "移交急救部门"),
    "calls": ("Calls to the home", "致电住户"),
    "alarms": ("Alarms", "报警"),
    "findings": ("What detectors found", "检测发现"),
    "notifications": ("Who was told, and how it was delivered", "通知与送达"),
    "timeline": ("What happened, step by step", "处理过程"),
    "observations": ("Measurements round the incident", "事件前后的监测数据"),
    "seal": ("Proof that the log was not changed", "日志防篡改证明"),
    "incident": ("incident", "事件编号"),
    "kind": ("what", "类别"),
    "priority": ("priority", "优先级"),
    "state": ("state", "状态"),
    "outcome": ("outcome", "结果"),
    "note": ("note", "备注"),
    "owner": ("responsible", "负责人"),
    "area": ("area", "区域"),
    "follows": ("follows", "前一事件"),
    "name": ("name", "姓名"),
    "birth_year": ("born", "出生年份"),
    "address": ("address", "地址"),
    "device": ("device", "设备"),
    "position": ("position", "位置"),
    "opened": ("opened", "发生"),
    "rang": ("a human was called", "开始呼叫"),
    "answered": ("answered", "应答"),
    "attended": ("somebody was there", "到达现场"),
    "resolved": ("resolved", "结束"),
    "target": ("target", "目标"),
    "met": ("met", "达标"),
    "missed": ("missed", "未达标"),
    "nobody": ("nobody", "无"),
    "not_yet": ("not yet", "尚未"),
    "after": ("after", "用时"),
    "by": ("by", "由"),
    "time": ("time", "时间"),
    "who": ("who", "人员"),
    "what": ("what", "事项"),
    "why": ("why, and how", "原因与详情"),
    "way": ("way", "方式"),
    "to": ("to", "对象"),
    "delivery": ("deliveries", "送达记录"),
    "service": ("service", "部门"),
    "reference": ("reference", "受理编号"),
    "arrived": ("arrived", "到达"),
    "answer": ("answer", "答复"),
    "measure": ("measure", "指标"),
    "value": ("value", "数值"),
    "quality": ("quality", "质量"),
    "entry": ("entry", "条目"),
    "block": ("block", "区块"),
    "digest": ("digest", "摘要"),
    "sealed": ("sealed", "封存"),
    "as_sealed": ("unchanged", "未改动"),
    "differs": ("CHANGED since it was sealed", "封存后被改动"),
    "unsealed": ("not sealed yet", "尚未封存"),
    "head": ("head of the log", "日志链首"),
    "made": ("made", "生成"),
    "left_out": (
        "Longer than a report: the oldest entries only. Left out: {what}.",
        "内容过长，仅列出最早部分。未列全：{what}。",
    ),
    "goes_on": (
        "Goes on: only the oldest entries stand here.",
        "未完：此处仅列出最早部分。",
    ),
    "not_permitted": (
        "Not shown: whoever made this report may not see measurements.",
        "未显示：生成人无权查看监测数据。",
    ),
    "none": ("none", "无"),
    "silent": ("silent alarm (duress)", "静默报警（受胁迫）"),
    "seal_note": _SEAL_NOTE,
}

ACTIONS: Words = {
    "alarm": ("alarm", "报警"),
    "finding": ("detector", "检测"),
    "clear": ("condition ended", "情况解除"),
    "escalate": ("people were called", "呼叫人员"),
    "send": ("message", "发送"),
    "look": ("looked at the incident", "查看"),
    "report": ("exported this report", "导出报告"),
    "acknowledge": ("took responsibility", "接手"),
    "take_over": ("took over", "接管"),
    "release": ("gave it back", "交还"),
    "going": ("is going there", "前往"),
    "decline": ("cannot come", "不能前往"),
    "attend": ("is with the person", "到达现场"),
    "resolve": ("closed it", "结束"),
    "reopen": ("opened it again", "重新打开"),
    "note": ("noted", "备注"),
    "add_responder": ("called somebody to go there", "增派人员"),
    "hand_off": ("handed to the emergency service", "移交急救部门"),
    "call": ("called the home", "致电住户"),
    "call_home": ("asked for a call to the home", "请求致电住户"),
    "arrived": ("the emergency service arrived", "急救部门到达"),
    "reveal": ("saw the code of the key safe", "查看钥匙箱密码"),
    "signal": ("looked at the raw signal", "查看原始信号"),
    "dead_letter_retried": ("sent a message again", "重新发送通知"),
    "dead_letter_discarded": ("gave a message up", "放弃发送通知"),
    "told_from_memory": ("was told while the database was away", "数据库中断期间已通知"),
    "clock_set_back": ("the hub's clock was set back", "系统时钟被回拨"),
}

REASONS: Words = {
    "opened": ("opened a new incident", "新建事件"),
    "follows": ("opened one that follows the last", "延续上一事件"),
    "same_address": (
        "opened one beside another at this address",
        "与同一地址的另一事件并列",
    ),
    "joined": ("joined the open incident, which rang again", "并入未结事件，再次响铃"),
    "raises_priority": ("joined, and made it more urgent", "并入并提高优先级"),
    "realarms": ("rang again although somebody had it", "已有人处理，仍再次响铃"),
    "drill": ("practice", "演练"),
    "asked": ("the person was asked first", "先询问本人"),
    "asked_already": ("a further sign while the person was asked", "询问期间的新迹象"),
    "cannot_ask": ("no device there can ask, so it rang", "现场设备无法询问，直接响铃"),
    "unanswered": ("asked while the database was away, no answer", "数据库中断期间询问无应答"),
    "withdrawn": ("the person is well", "本人确认平安"),
    "cancel_noted": ("a cancel after the raise: noted", "响铃后的取消：仅记录"),
    "cancel_alone": ("a cancel with nothing to cancel", "无可取消的事件"),
    "test_recorded": ("a test", "测试"),
    "maintenance": ("muted: planned maintenance", "计划维护期间静默"),
    "motion_recorded": ("kept as evidence", "作为证据保存"),
    "hazard_ended": ("the sensor says it is over: noted", "传感器报告解除：仅记录"),
    "still_holds": ("goes on: noted", "情况持续：仅记录"),
    "worth_a_look": ("worth a look by day; wakes nobody", "待日间查看，不惊动人员"),
    "candidate": ("not certain enough yet", "尚不确定"),
    "question_withdrawn": ("the detector took its question back", "检测撤回询问"),
    "cleared": ("over by itself", "已自行恢复"),
    "over_noted": ("the detector says it is over: noted", "检测报告解除：仅记录"),
    "over_alone": ("an end that no open incident is about", "没有对应的未结事件"),
    "part_of_outage": ("part of an outage of the area", "属于区域失联"),
    "not_served": ("the person is not served any more", "本人已不在服务范围"),
    "not_at_home": ("the person is away or in hospital", "本人外出或住院"),
    "not_due": ("nothing was due", "未到时间"),
    "first_step": ("first step of the ladder", "第一级"),
    "next_step": ("nobody answered: next step", "无人应答：下一级"),
    "last_step_repeated": ("nobody answered: last step again", "无人应答：重复最后一级"),
    "no_answer": ("the person did not answer", "本人无应答"),
    "lease_lapsed": ("no progress in time: it rang again", "逾时无进展：再次响铃"),
    "wanted": ("more people were wanted", "请求增援"),
    "resolved": ("over", "已结束"),
    "sending": ("being sent", "发送中"),
    "sent": ("sent", "已发出"),
    "delivered": ("delivered", "已送达"),
    "answered": ("answered", "已应答"),
    "unconfirmed": ("no receipt came", "未收到回执"),
    "failed": ("failed", "失败"),
    "refused": ("refused for good", "被拒绝"),
    "delayed": ("put off", "延后"),
    "broken": ("a mistake of the hub's own", "系统自身错误"),
    "unreachable": ("no way to reach them so", "无法以此方式联系"),
    "taken": ("taken", "已接收"),
    "rate_limited": ("the provider asked to wait", "服务商要求稍候"),
    "look_up_failed": ("the register could not be read", "无法读取名册"),
    "no_address": ("no number or address", "没有号码或地址"),
    "not_configured": ("this channel is not configured", "未配置此渠道"),
    "not_to_be_told": ("may not be told", "不可告知"),
    "receipt_missing": ("the receipt is missing", "缺少回执"),
    "not_delivered": ("the provider says it did not arrive", "服务商报告未送达"),
    "not_needed": ("somebody has it already", "已有人处理"),
    "crashed": ("ended the courier again and again", "多次导致发送进程中断"),
    "pending": ("waits", "等待发送"),
    "poisoned": ("waits for an operator", "等待运维处理"),
    "discarded": ("an operator discarded it", "运维已放弃"),
    "superseded": ("not needed any more", "已无需发送"),
    "human_acted": ("a human had acted before", "已有人处理，取消发送"),
    "question_settled": ("the question was settled", "询问已了结，取消发送"),
    "rung_just_now": ("was rung by this way just before", "刚以此方式呼叫过，取消发送"),
    "sent_before_it_was_superseded": ("was under way already, and went out", "已在途中，仍已发出"),
    "sent_again": ("an operator wanted it sent again", "运维要求重新发送"),
    "unreadable": ("this release cannot read it", "当前版本无法读取"),
    "receipt": ("the provider's receipt came", "已收到回执"),
    "nobody": ("there was nobody to tell", "无人可通知"),
    "nobody_signed_in": ("nobody was at a desk", "值班台无人登录"),
    "nobody_on_duty": ("nobody was on duty", "无人值班"),
    "no_contact": ("no such contact", "没有该联系人"),
    "no_responder_near": ("no responder near", "附近没有可派人员"),
    "not_there": ("does not exist any more", "已不存在"),
    "channel_not_configured": ("this channel is not configured", "未配置此渠道"),
    "quiet_hours": ("waits for the morning", "免打扰时段"),
    "declined": ("said that they cannot come", "表示不能前往"),
    "coming_already": ("is coming already", "已在路上"),
}

STATES: Words = {
    "checking": ("the person is being asked", "正在询问本人"),
    "raised": ("nobody has it yet", "尚无人处理"),
    "acknowledged": ("somebody has it", "已有人处理"),
    "attended": ("somebody is with the person", "已有人到场"),
    "resolved": ("closed", "已结束"),
    "high": ("high", "高"),
    "medium": ("medium", "中"),
    "low": ("low", "低"),
    "told": ("called", "已通知"),
    "going": ("on the way", "前往中"),
    "declined": ("cannot come", "不能前往"),
    "arrived": ("there", "已到达"),
    "ambulance": ("ambulance", "急救"),
    "fire": ("fire brigade", "消防"),
    "police": ("police", "公安"),
    "desk": ("desk", "值班台"),
    "device": ("device", "设备"),
    "push": ("push", "推送"),
    "email": ("e-mail", "邮件"),
    "sms": ("SMS", "短信"),
    "voice": ("call", "语音电话"),
    "webhook": ("webhook", "网络接口"),
    "apprise": ("robot", "群机器人"),
    "ring": ("somebody is needed", "呼叫"),
    "reminder": ("still nobody", "再次呼叫"),
    "check_in": ("are you well?", "询问"),
    "calling": ("somebody is being called", "正在联系"),
    "coming": ("somebody has it", "已接手"),
    "over": ("it is over", "已结束"),
    "connect": ("the home is being called", "正在接通住户"),
    "notice": ("notice", "提醒"),
    "test": ("test message", "测试信息"),
    "answered": ("answered", "已应答"),
    "well": ("well", "平安"),
    "help": ("needs help", "需要帮助"),
    "no_reply": ("no reply", "无人应答"),
    "busy": ("busy", "占线"),
    "asked": ("is being asked for", "正在发起"),
    "placed": ("was placed", "已拨出"),
    "ended": ("ended", "已挂断"),
    "talk": ("to talk", "人工通话"),
    "failed": ("failed", "失败"),
    "refused": ("refused", "拒绝"),
    "hub": ("hub", "系统"),
}

DETAILS: Words = {
    "address": ("address", "地址"),
    "attempt": ("attempt", "第几次"),
    "by": ("by", "来源"),
    "channel": ("way", "方式"),
    "channels": ("ways", "方式"),
    "detail": ("answer", "回应"),
    "expected_arrival_s": ("arrives in s", "预计到达（秒）"),
    "expired": ("the link was too old", "链接已过期"),
    "expires_at": ("until", "有效至"),
    "flags": ("marks", "标记"),
    "format": ("format", "格式"),
    "how": ("by", "途径"),
    "kind": ("what", "类别"),
    "ladder": ("ladder", "呼叫方案"),
    "language": ("language", "语言"),
    "from": ("from", "来自"),
    "nobody": ("not reached", "未联系到"),
    "note": ("note", "备注"),
    "outcome": ("outcome", "结果"),
    "owner": ("responsible", "负责人"),
    "phase": ("stage", "阶段"),
    "provider_id": ("the provider's number", "服务商编号"),
    "recipient": ("to", "对象"),
    "reference": ("reference", "受理编号"),
    "repeats": ("repeats", "重复"),
    "result": ("result", "结果"),
    "service": ("service", "部门"),
    "step": ("step", "级别"),
    "text": ("text", "内容"),
    "told": ("told", "通知"),
    "used": ("the link was used before", "链接已使用过"),
    "whom": ("whom", "对象"),
}
"""What an entry of the log says besides; what is not here is called as it is stored."""

RECIPIENTS: Words = {
    "dispatchers": ("dispatchers", "值班员"),
    "person": ("the person", "本人"),
    "fallback": ("second hotline", "备用热线"),
    "emergency_service": ("prompt to call 120", "提醒拨打120"),
    "on_duty:dispatcher": ("dispatcher on duty", "当班值班员"),
    "on_duty:second": ("second dispatcher on duty", "当班二线"),
    "on_duty:supervisor": ("supervisor on duty", "当班主管"),
    "family": ("all contacts", "全部联系人"),
    "nearest": ("nearest responder", "最近的救援人员"),
}
"""Who is told without a name of their own."""

_NUMBERED: Words = {
    "family": ("contact number {n}", "第{n}联系人"),
    "nearest": ("{n} nearest responders", "最近的{n}名救援人员"),
}
FLAGS: Words = {
    "late": ("late", "延迟到达"),
    "clock_unknown": ("device time unknown", "设备时间未知"),
    "clock_ahead": ("device clock ahead", "设备时间超前"),
    "unreadable": ("unreadable", "内容无法读取"),
    "damaged": ("partly damaged", "部分内容损坏"),
    "wrong_premises": ("from other premises", "来自其他住所"),
    "unknown_device": ("unregistered device", "设备未登记"),
    "duress": ("under duress", "受胁迫"),
    "repeated": ("sent repeatedly", "重复发送"),
    "not_served": ("not served any more", "已不在服务范围"),
}
"""Marks of an alarm."""
DEVICE_KINDS: Words = {
    "button": ("Button", "按钮"),
    "wristband": ("Wristband", "手环"),
    "care_bed": ("Care bed", "护理床"),
    "motion_sensor": ("Motion sensor", "人体感应器"),
    "door_sensor": ("Door sensor", "门磁"),
    "hazard_sensor": ("Hazard sensor", "险情探测器"),
    "gateway": ("Gateway", "网关"),
    "phone": ("Phone", "手机"),
}
REFUSALS: Words = {
    "AlreadyOwned": ("somebody else has it", "已由他人接手"),
    "HandOffRefused": ("no such emergency service, or a reference too long", "急救部门或编号有误"),
    "IllegalTransition": ("not possible in its state", "当前状态下不可执行"),
    "Incomplete": ("something was missing", "内容不完整"),
    "NotTheirs": ("it was not theirs to do", "无权执行"),
    "OutcomeMissing": ("without an outcome", "缺少结果"),
}
"""Why a deed was refused, by the error's name."""
YES = ("yes", "是")
TIMES = ("{n} times until {until}", "共{n}次，至{until}")
"""Of one who looked again and again."""

_COLUMN = {ENGLISH: 0, CHINESE: 1}
REFUSED = ("not possible: {what}", "未成功：{what}")


def heading(key: str, language: str) -> str:
    """A fixed word of the report."""
    return HEADINGS[key][_COLUMN[language_of(language)]]


def said(words: Words, key: str | None, language: str) -> str:
    """What a stored name means; the name itself where nothing is known of it."""
    if not key:
        return ""
    found = words.get(key)
    return key.replace("_", " ") if found is None else found[_COLUMN[language_of(language)]]


def target(who: str, language: str) -> str:
    """Whom a step of a ladder means: a selector in words, an id where it is one."""
    noun, _, which = who.partition(":")
    if which.isdecimal() and noun in _NUMBERED:
        return _NUMBERED[noun][_COLUMN[language_of(language)]].format(n=which)
    return RECIPIENTS[who][_COLUMN[language_of(language)]] if who in RECIPIENTS else who


def yes(language: str) -> str:
    """What is so."""
    return YES[_COLUMN[language_of(language)]]


def times(count: int, until: str, language: str) -> str:
    """How often, and until when."""
    return TIMES[_COLUMN[language_of(language)]].format(n=count, until=until)


def fate(notification: Mapping[str, Any]) -> str:
    """The reason that says what became of a notification: of one that was not needed any more, why,
    or that it went out all the same.

    Rows of releases that kept no reason say it in their detail.
    """
    state = str(notification["state"])
    if state != NotificationState.SUPERSEDED:
        return state
    if any(each["state"] in WENT for each in notification.get("deliveries", ())):
        return NotNeeded.SENT_AFTER_ALL.value
    reason = notification["reason"]
    if reason in set(NotNeeded):
        return str(reason)
    return _FATES.get(notification["detail"], NotNeeded.HUMAN_ACTED).value


WENT = frozenset({"sending", "sent", "delivered", "answered"})
"""States of an attempt that need no explanation."""
_FATES = {"clear": NotNeeded.CLEARED, "question settled": NotNeeded.QUESTION_SETTLED}


def action_words(action: str, language: str) -> str:
    """What was done, also what was tried in vain."""
    verb = action.removesuffix("_refused")
    told = said(ACTIONS, verb, language)
    if verb == action:
        return told
    return REFUSED[_COLUMN[language_of(language)]].format(what=told)
