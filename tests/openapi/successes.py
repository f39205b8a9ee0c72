"""Every operation was seen to succeed: successes.py OPENAPI.json HAR.json"""

import json
import re
import sys

document, report = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:])
seen = set()
for entry in report["log"]["entries"]:
    if 200 <= entry["response"]["status"] < 300:
        path = re.sub(r"^https?://[^/]*|\?.*", "", entry["request"]["url"])
        seen.add((entry["request"]["method"], path))
missing = []
for template, operations in document["paths"].items():
    path = re.compile(re.sub(r"\{\w+\}", "[^/]+", template))
    for method, operation in operations.items():
        if not any(one == method.upper() and path.fullmatch(called) for one, called in seen):
            missing.append(operation["operationId"])
if missing:
    sys.exit("never seen to succeed: " + ", ".join(missing))
