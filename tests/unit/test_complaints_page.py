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
    found = re.findall(r"^\| (\d+) \|.*::(test_\w+)` \|$", PAGE, re.MULTILINE)
    assert [int(number) for number, _ in found] == list(range(1, COMPLAINTS + 1))
    numbers = {name: number for number, name in found}
    assert len(named) == PAGE.count("::test_")
    for path, name in named:
        stories = {
            node.name: ast.get_docstring(node)
            for node in ast.parse(Path(path).read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert stories.get(name), f"{path}::{name}"
        if (number := numbers.get(name)) is not None:
            assert str(stories[name]).startswith(f"Complaint {number}. "), f"{path}::{name}"
            assert Path(path).parts[1] in ("acceptance", "brokers"), "lived through, not computed"
