"""Holds what became of a log with bad lines against the log that has none.

bad.py BAD GOOD OUT REJECTS TOLD

BAD has the number of each bad line and the kind of its reject, GOOD is the output of the log without any,
TOLD is what was said of the other one.
"""

import collections
import itertools
import json
import re
import sys

bad, good, out, rejects, told = (open(path, encoding="utf-8") for path in sys.argv[1:])
bad = [(int(line), kind) for line, kind in (row.split() for row in bad)]
found = [json.loads(line) for line in rejects]
found = [(reject["line"], reject["reason"]["kind"]) for reject in found]
assert found == bad, next(pair for pair in zip(found, bad) if pair[0] != pair[1])

numbers, count = {line for line, _ in bad}, 0
lines = (line for number, line in enumerate(good, 1) if number not in numbers)
for wanted, line in itertools.zip_longest(lines, out):
    assert line == wanted, f"{line}, not {wanted}"
    count += 1

summary = next(told).replace(",", "")
total, decoded, rejected, kinds = re.fullmatch(
    r"(\d+) records   (\d+) decoded   (\d+) rejected \((.*)\) -> .*\n", summary
).groups()
assert (int(total), int(decoded), int(rejected)) == (count + len(bad), count, len(bad)), summary
words = kinds.split()
kinds = {kind: int(number) for number, kind in zip(words[::2], words[1::2])}
assert kinds == collections.Counter(kind for _, kind in bad), summary
print(f"{len(bad)} bad lines of {count + len(bad)} are told, and the others are the same: {kinds}")
