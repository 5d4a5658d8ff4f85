"""`docs/complaints.md` promises stories: each is there, and says in its docstring what it is."""

import ast
import re
from pathlib import Path

PAGE = Path("docs/complaints.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
COMPLAINTS = 15


def test_every_complaint_has_a_story_that_exists_and_says_what_it_promises() -> None:
    """A story that is renamed or removed takes its row along."""
    named = NAMED.findall(PAGE)
    numbers = re.findall(r"^\| (\d+) \|.*::test_\w+` \|$", PAGE, re.MULTILINE)
    assert [int(number) for number in numbers] == list(range(1, COMPLAINTS + 1))
    assert len(named) == PAGE.count("::test_")
    for path, name in named:
        stories = {
            node.name: ast.get_docstring(node)
            for node in ast.parse(Path(path).read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert stories.get(name), f"{path}::{name}"
