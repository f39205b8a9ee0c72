"""Pipes long streams into `gizwits log decode`, and holds its memory against a limit.

memory.py GIZWITS DEFINITION RECORDS MEGABYTES

RECORDS is a file, whose lines are repeated. Lines of two bytes are a tenth of that.
"""

import os
import subprocess
import sys

LIMIT = 200 << 10  # KiB

gizwits, definition, records, megabytes = sys.argv[1:]
megabytes = int(megabytes)
with open(records, "rb") as file:
    records = file.read()


def peak(form, block, megabytes, status):
    command = [gizwits, "log", "decode", "-d", definition, "-", "--format", form]
    command += ["-o", "/dev/null", "--rejects", "/dev/null"]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for _ in range(megabytes * 1_000_000 // len(block)):
        child.stdin.write(block)
    child.stdin.close()
    _, ended, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(ended)
    assert child.returncode == status, f"exit status {child.returncode}"
    return usage.ru_maxrss


# No line is shorter than one of two bytes, which becomes a hundred times as long as a reject.
for what, block, length, status in [
    ("records", records, megabytes, 0),
    ("junk", b"z\n" * (1 << 19), megabytes // 10, 1),
]:
    for form in ["ndjson", "parquet"]:
        used = peak(form, block, length, status)
        print(f"{length} MB of {what} to {form}: {used >> 10} MiB at most")
        assert used < LIMIT, f"more than {LIMIT >> 10} MiB"
