"""Where tests put their databases, brokers and files: in memory, where there is enough of it.

Every test has a database of its own, and making one copies some six hundred small files: 0.03 s in
memory against 0.3 to 0.6 s on a disk. Whoever kills a process there loses what a killed process
loses; a power cut is not among what these tests are about.
"""

import os
import shutil
import tempfile
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
WANTED_BYTES = 6 * 2**30
"""Free, before it is used. A run holds some two of it."""


def use_memory() -> None:
    """From here on temporary files are in memory, in child processes too; unless TMPDIR says where
    they belong, or there is too little."""
    if "TMPDIR" in os.environ or not os.access(SHARED_MEMORY, os.W_OK):
        return
    if shutil.disk_usage(SHARED_MEMORY).free < WANTED_BYTES:
        return
    os.environ["TMPDIR"] = str(SHARED_MEMORY)
    tempfile.tempdir = None
