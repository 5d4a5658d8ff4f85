"""Large pages for a large memory: what a city's people and states take is reached at random.

With pages of 4 KiB nearly every look at somebody's state is also a walk through the page tables,
in a virtual machine through two of them; with 2 MiB the processor remembers where everything is. A
telemetry message costs a quarter less so. The kernel gives large pages to those who ask
(`transparent_hugepage` is `madvise` nearly everywhere); where it does not, nothing changes.
Source: madvise(2), MADV_HUGEPAGE and MADV_COLLAPSE.
"""

import ctypes
import re
import sys
from pathlib import Path

PAGE = 2 * 1024 * 1024
"""Of x86-64, and of arm64 with pages of 4 KiB."""
_MADV_HUGEPAGE, _MADV_COLLAPSE = 14, 25
_ANONYMOUS = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw-p 00000000 00:00 0 *(?:\[heap\])?")


def ask_for_huge_pages() -> int:
    """Ask for what this process computes with now; how many bytes that is, 0 where the system has
    no such pages. The first gigabyte takes seconds, page by page, and leaves the interpreter to
    others: for a thread. Asking again costs nothing but for what has grown."""
    if sys.platform != "linux":
        return 0
    libc = ctypes.CDLL(None)
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    asked = 0
    maps = Path("/proc/self/maps").read_bytes().decode("ascii", "replace")
    for begin, end in whole_pages(maps):
        if libc.madvise(begin, end - begin, _MADV_HUGEPAGE) != 0:
            return 0
        for at in range(begin, end, PAGE):
            libc.madvise(at, PAGE, _MADV_COLLAPSE)  # refused: the kernel tries later, by itself
        asked += end - begin
    return asked


def whole_pages(maps: str) -> list[tuple[int, int]]:
    """Begin and end of the anonymous memory in `/proc/self/maps`, inwards to whole large pages.

    >>> whole_pages("1ff000-a00000 rw-p 00000000 00:00 0 [heap]\\n1ff000-3ff000 rw-p 0 00:00 0")
    [(2097152, 10485760)]
    >>> whole_pages("200000-a00000 r--p 00000000 08:01 77 /usr/lib/libc.so.6")
    []
    """
    found = []
    for line in maps.splitlines():
        if (part := _ANONYMOUS.fullmatch(line.rstrip())) is None:
            continue
        begin, end = -(-int(part[1], 16) // PAGE) * PAGE, int(part[2], 16) // PAGE * PAGE
        if end > begin:
            found.append((begin, end))
    return found
