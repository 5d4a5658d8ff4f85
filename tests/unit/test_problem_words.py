"""Whatever the API may say when it refuses, it can say in Chinese."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, Field, ValidationError

from hub.api.access import MEANING
from hub.api.problem_words import in_chinese, malformed_in_chinese, wants_chinese, without_echo
from hub.api.problems import Problem

ROOT = Path(__file__).parents[2]
HAN = re.compile(r"[\u4e00-\u9fff]")
ANSWERING = {"Problem", "later", "problem_response", "senseless", "_senseless"}
"""What the routes answer with."""
PASSED_ON = {
    "AlreadyOwned", "AlreadyThere", "AreaMisplaced", "BadHandover", "BadPlan", "BadPolicy",
    "BadRota", "CannotAsk", "DeviceRevoked", "HandOffRefused", "IllegalTransition", "ImportRefused",
    "Incomplete", "LastAdministrator", "NotAVisitFile", "NotAdmitted", "NotCallable", "NotPrinted",
    "NotSent", "NotTheirs", "NotThere", "NothingToDo", "OutcomeMissing", "PolicyError",
    "SpanTooLong", "StillHolds",
}  # fmt: skip
"""Errors whose words stand in an answer."""
NOT_BY_THE_API = ("hub/cli", "hub/at_the_machine.py", "hub/embedded")
WORDED_BY_VALUE = ("hub/register_file.py", "hub/voice_number.py", "hub/api/")
"""Where a ValueError says what is allowed."""
FILLED = "X1"


def sentence(node: ast.expr) -> str | None:
    """A text as it may come out; None where it is not one that stands here."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else FILLED for part in node.values
        )
    return None


def said(path: Path) -> Iterator[tuple[int, str]]:
    """What a module may say in an answer, with its line."""
    name = path.relative_to(ROOT).as_posix()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Assign) and name.startswith("hub/api/"):
            target = node.targets[0]
            if isinstance(target, ast.Name) and target.id.startswith("NO_"):
                yield node.lineno, sentence(node.value) or ""
        if isinstance(node, ast.ClassDef) and node.name in PASSED_ON:
            yield node.lineno, (ast.get_docstring(node) or "").splitlines()[0]
        if not isinstance(node, ast.Call):
            continue
        called = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
        by_value = called == "ValueError" and name.startswith(WORDED_BY_VALUE)
        answers = called in ANSWERING and name.startswith("hub/api/")
        if (
            called in PASSED_ON
            or by_value
            or answers
            or (called, name) == ("add", "hub/register_file.py")
        ):
            for argument in node.args[-1:] if called == "add" else node.args:
                text = sentence(argument)
                if text and " " in text and text.rpartition(": ")[2] != FILLED:
                    yield node.lineno, text


def all_said() -> Iterator[tuple[str, str]]:
    for folder in ("hub", "alerts"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(NOT_BY_THE_API) and "node_modules" not in name:
                yield from ((f"{name}:{line}", text) for line, text in said(path))
    for returned in re.findall(r'return f?"(.+)"', (ROOT / "hub/passwords.py").read_text())[:5]:
        yield "hub/passwords.py", re.sub(r"\{.*?\}", FILLED, returned)
    judged = (ROOT / "hub/store/sql/imports.sql").read_text()
    faults = re.sub(r"' \|\| \w+ \|\| '", FILLED, judged)
    yield from (
        ("imports.sql", fault) for fault in re.findall(r"'((?:an|a|another) [^']+)'", faults)
    )


def test_every_sentence_of_an_answer_is_said_in_chinese() -> None:
    found = dict(map(reversed, all_said())) | dict.fromkeys(MEANING.values(), "MEANING")  # type: ignore[arg-type]
    assert len(found) > 180, "they were looked for in the wrong place"
    unsaid = {text: where for text, where in found.items() if not HAN.search(in_chinese(text))}
    assert unsaid == {}


def test_what_a_sentence_is_about_stays_in_it() -> None:
    assert in_chinese("陈洁 has it; take it over instead") == "已由 陈洁 负责，如需负责请改为接手"
    assert in_chinese("There is no such device") == "没有这个设备"
    assert in_chinese("Something still belongs to it; move or remove that first.\n  people: 2") == (
        "仍有内容属于它，请先移走或删除。\n人员 2"
    )
    assert in_chinese("new: at least 10 characters are wanted") == "新密码：至少需要 10 个字符"
    assert in_chinese("something nobody has translated") == "something nobody has translated"


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("desk has it", "已由 desk 负责"),
        ("voice is family: on duty can be dispatcher, supervisor",
         "voice 的角色是家属；能值班的有：值班员、主管"),
        ("call belongs to family and does not see desk", "call 属于 family，看不到 desk"),
        ("row 1: the column kind is missing", "第 1 行：缺少列 类型"),
        ("row 1: the column phone is there twice", "第 1 行：列 phone 重复"),
        ("row 1: there is no column 'desk'; there are: id, name",
         "第 1 行：没有名为 'desk' 的列；可用的列：编号、名称"),
        ("desk", "desk"),
        ("name", "name"),
        ("people: 2, open incidents: 1", "人员 2，未办结的警情 1"),
        ("step 2: device is told by the channel push alone", "第 2 步：设备只能用推送通知"),
        ("low: from 20 to 300 per min", "下限：20 到 300 per min"),
    ],
)  # fmt: skip
def test_names_and_values_stay_as_they_were_given(said: str, wanted: str) -> None:
    assert in_chinese(said) == wanted


@pytest.mark.parametrize(
    ("asked", "chinese"),
    [
        ("zh-CN", True), ("zh-CN,zh;q=0.9,en;q=0.8", True), ("en-GB,en;q=0.9,zh;q=0.8", False),
        ("en;q=0.5, zh;q=0.9", True), ("fr", False), ("", False), ("zh;q=oops", True), ("*", False),
    ],
)  # fmt: skip
def test_the_language_is_the_one_that_is_asked_for(asked: str, chinese: bool) -> None:
    assert wants_chinese(asked) is chinese


def test_a_malformed_body_is_said_field_by_field() -> None:
    class Body(BaseModel):
        birth_year: int = Field(ge=1880)
        name: str

    with pytest.raises(ValidationError) as caught:
        Body.model_validate({"birth_year": 12})
    words = [
        malformed_in_chinese({**error, "loc": ("body", *error["loc"])})
        for error in caught.value.errors()
    ]
    assert words == ["出生年份：不能小于 1880", "姓名或名称：必填"]


def test_an_answer_says_nothing_twice_and_names_its_language() -> None:
    title = "The rota cannot be planned like this"
    problem = Problem(422, title, f"{title}.\n  name at least one weekday")
    assert without_echo(title, problem.explanation) == "name at least one weekday"
    answer = problem.response(chinese=True)
    assert answer.headers["content-language"] == "zh-CN"
    assert bytes(answer.body).decode().count("不能这样排班") == 1
