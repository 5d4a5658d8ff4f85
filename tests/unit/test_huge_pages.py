"""A large memory in large pages, in a process of its own on this kernel."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import re
from pathlib import Path
from hub.huge_pages import ask_for_huge_pages

def large_kib():
    return int(re.search(r"AnonHugePages: +(\\d+)", Path("/proc/self/smaps_rollup").read_text())[1])

kept = [bytes(600) for _ in range(100_000)]
before = large_kib()
asked = ask_for_huge_pages()
print(before, asked, large_kib())
"""


def test_what_a_process_computes_with_comes_into_large_pages() -> None:
    offered = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if not offered.exists() or "[never]" in offered.read_text():
        pytest.skip("this kernel has no large pages to give")
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True,
                          check=True).stdout  # fmt: skip
    before, asked, after = map(int, told.split())
    assert asked > 60_000_000
    if "[madvise]" in offered.read_text():
        assert before == 0
    assert after > 30_000
