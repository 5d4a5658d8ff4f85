"""Who lives in the street of the pictures, once in a Chinese city and once in a British one. Names
and numbers are made up; the British numbers are those that Ofcom keeps free for drama."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Resident:
    """Somebody of the street; devices are kinds. The id is the same in both cities."""

    id: str
    name: str
    birth_year: int
    address: str
    devices: tuple[str, ...]
    person: dict[str, Any] = field(default_factory=dict)
    access_notes: str = ""


@dataclass(frozen=True, slots=True)
class Cast:
    """One city with its people."""

    language: str
    locale: str
    """Of the browser: how its own fields write a day."""
    time_zone: str
    city: str
    latitude: float
    longitude: float
    street: tuple[Resident, ...]
    contacts: tuple[dict[str, Any], ...]
    responders: tuple[tuple[str, str], ...]
    """Neighbour, station and team: name and telephone."""
    desk: str
    """Who sits there: the name of the first administrator."""
    dispatchers: tuple[tuple[str, str, str], ...]
    """Username, name and telephone."""
    daughter: tuple[str, str]
    relations: tuple[str, str]
    """Of the daughter to the two she cares for."""
    ground: str
    """What somebody signed."""
    key_safe: str
    night_policy: str
    caller: str
    """The number somebody calls from."""
    hotline: str
    labels: dict[str, str]
    """What the installer wrote on devices, by kind."""
    given: tuple[str, ...]
    family: tuple[str, ...]
    """Names of the neighbours beside them."""
    roads: tuple[str, ...]
    neighbour: str
    """How a name is put together."""
    house: str
    """How an address is."""


CHINESE = Cast(
    language="zh-CN",
    locale="zh-CN",
    time_zone="Asia/Shanghai",
    city="鲤城区",
    latitude=24.9076,
    longitude=118.5865,
    street=(
        Resident("zhao", "赵玉珍", 1938, "涂门街 12 号 3 栋 402",
                 ("button", "wristband", "phone", "motion_sensor"),
                 {"medical_notes": "服用华法林（抗凝药），跌倒后注意出血；左髋置换 2019",
                  "mobility": "walker", "lives_alone": True, "phone": "138 0000 4127"},
                 "单元门密码 2046#；门铃声小，请敲门。养一只小狗。"),
        Resident("chen", "陈国强", 1944, "西街 88 号 1 栋 203", ("care_bed", "wristband"),
                 {"medical_notes": "冠心病，支架 2021；高血压", "mobility": "stick"}),
        Resident("lin", "林秀兰", 1941, "东湖街 5 号 701", ("hazard_sensor", "button"),
                 {"mobility": "independent", "lives_alone": True}),
        Resident("huang", "黄阿妹", 1935, "涂门街 30 号 101", ("wristband", "button"),
                 {"mobility": "wheelchair", "lives_alone": False}),
        Resident("wu", "吴德福", 1947, "津淮街 21 号 1102", ("button",), {"lives_alone": True}),
        Resident("cai", "蔡美玉", 1940, "新门街 7 号", ("button",), {}),
    ),
    contacts=(
        {"name": "李娜", "relation": "女儿", "phone": "139 0000 2231", "has_key": True},
        {"name": "王建国", "relation": "邻居", "phone": "136 0000 7702"},
    ),
    responders=(("王建国（邻居）", "136 0000 7702"), ("涂门社区站", "0595-5550 1100"),
                ("流动服务二队", "138 0000 3312")),
    desk="苏敏",
    dispatchers=(("chenjie", "陈洁", "138 0000 6611"), ("linxiao", "林晓", "138 0000 6612")),
    daughter=("lina", "李娜"),
    relations=("女儿", "儿媳"),
    ground="签字表 2026-031",
    key_safe="左侧水表箱内",
    night_policy="夜间求助",
    caller="13800004127",
    hotline="12349",
    labels={"button": "床头按钮", "wristband": "手环", "phone": "手机", "care_bed": "护理床",
            "motion_sensor": "走廊感应器", "hazard_sensor": "厨房燃气探测器"},
    given=("秀英", "桂兰", "淑华", "建国", "德明", "志强", "文彬", "凤英"),
    family=("王", "李", "张", "刘", "杨", "周", "徐", "孙"),
    roads=("新华北路", "中山路", "南俊路", "庄府巷", "打锡街"),
    neighbour="{family}{given}",
    house="{road} {number} 号",
)  # fmt: skip

BRITISH = Cast(
    language="en",
    locale="en-GB",
    time_zone="Europe/London",
    city="Bristol",
    latitude=51.4545,
    longitude=-2.5879,
    street=(
        Resident("zhao", "Margaret Walker", 1938, "Flat 4, 12 Park Street",
                 ("button", "wristband", "phone", "motion_sensor"),
                 {"medical_notes": "Takes warfarin: bleeds easily after a fall. Hip replaced 2019",
                  "mobility": "walker", "lives_alone": True, "phone": "0117 496 0412"},
                 "Entry code 2046#. The bell is faint: please knock. Keeps a small dog."),
        Resident("chen", "George Bennett", 1944, "88 Whiteladies Road", ("care_bed", "wristband"),
                 {"medical_notes": "Coronary heart disease, stent 2021; high blood pressure",
                  "mobility": "stick"}),
        Resident("lin", "Dorothy Hughes", 1941, "Flat 7, 5 Queen Square",
                 ("hazard_sensor", "button"), {"mobility": "independent", "lives_alone": True}),
        Resident("huang", "Joan Fletcher", 1935, "30 Park Street", ("wristband", "button"),
                 {"mobility": "wheelchair", "lives_alone": False}),
        Resident("wu", "Arthur Griffiths", 1947, "21 Redcliffe Parade", ("button",),
                 {"lives_alone": True}),
        Resident("cai", "Sheila Morgan", 1940, "7 Christmas Steps", ("button",), {}),
    ),
    contacts=(
        {"name": "Emily Walker", "relation": "daughter", "phone": "+44 7700 900231",
         "has_key": True},
        {"name": "John Price", "relation": "neighbour", "phone": "+44 7700 900702"},
    ),
    responders=(("John Price (neighbour)", "+44 7700 900702"),
                ("Park Street station", "0117 496 0110"), ("Mobile team 2", "+44 7700 900331")),
    desk="Grace Turner",
    dispatchers=(("harriet", "Harriet Lloyd", "+44 7700 900611"),
                 ("tom", "Tom Barker", "+44 7700 900612")),
    daughter=("emily", "Emily Walker"),
    relations=("daughter", "daughter-in-law"),
    ground="signed form 2026-031",
    key_safe="in the meter box on the left",
    night_policy="Calls for help at night",
    caller="01174960412",
    hotline="0117-496-0999",
    labels={"button": "Bedside button", "wristband": "Wristband", "phone": "Phone",
            "care_bed": "Care bed", "motion_sensor": "Hall sensor",
            "hazard_sensor": "Kitchen gas sensor"},
    given=("Mary", "Jean", "Brian", "Peter", "Ruth", "Alan", "Sylvia", "Derek"),
    family=("Shaw", "Carter", "Webb", "Palmer", "Reid", "Foster", "Doyle", "Marsh"),
    roads=("Gloucester Road", "Victoria Street", "Corn Street", "Jacobs Wells Road", "Broad Quay"),
    neighbour="{given} {family}",
    house="{number} {road}",
)  # fmt: skip
