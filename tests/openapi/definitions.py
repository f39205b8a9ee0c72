"""Holds the JSON Schema of definitions against `gizwits check`: definitions.py GIZWITS FIXTURE...

Both accept every fixture, and both refuse each of the edits below.
"""

import copy
import json
import subprocess
import sys

import jsonschema_rs

EDITS = [
    (["protocolType"], "fixed"),
    (["packetVersion"], "0x00000005"),
    (["entities"], []),
    (["entities", 0, "attrs"], []),
    (["entities", 0, "attrs", 0, "id"], "0"),
    (["entities", 0, "attrs", 0, "id"], -1),
    (["entities", 0, "attrs", 0, "name"], ""),
    (["entities", 0, "attrs", 0, "type"], "secret"),
    (["entities", 0, "attrs", 0, "data_type"], "int8"),
    (["entities", 0, "attrs", 0, "data_type"], "enum"),
    (["entities", 0, "attrs", 0, "data_type"], "uint8"),
    (["entities", 0, "attrs", 0, "position"], None),
    (["entities", 0, "attrs", 0, "position", "unit"], "word"),
    (["entities", 0, "attrs", 0, "position", "len"], 0),
    (["entities", 0, "attrs", 0, "position", "bit_offset"], -1),
    (["entities", 0, "attrs", 2, "enum"], []),
    (["entities", 0, "attrs", 2, "enum"], ["a", 1]),
]


def check(gizwits, text):
    """Runs `gizwits check` and returns whether the definition has no errors."""
    ran = subprocess.run([gizwits, "check", "-d", "-"], input=text, text=True, capture_output=True)
    assert ran.returncode in (0, 1), ran.stderr
    return ran.returncode == 0


def main(gizwits, fixtures):
    schema = json.loads(subprocess.check_output([gizwits, "schema"]))
    jsonschema_rs.meta.validate(schema)
    validator = jsonschema_rs.validator_for(schema)
    refused = 0
    for path in fixtures:
        with open(path, encoding="utf-8-sig") as file:
            definition = json.load(file)
        validator.validate(definition)
        assert check(gizwits, json.dumps(definition)), path
    # The first fixture begins with a bool, and its third point is an enum.
    with open(fixtures[0], encoding="utf-8-sig") as file:
        sound = json.load(file)
    sound["entities"][0]["attrs"].sort(key=lambda attr: attr["id"])
    for keys, value in EDITS:
        edited = copy.deepcopy(sound)
        at = edited
        for key in keys[:-1]:
            at = at[key]
        at[keys[-1]] = value
        assert not validator.is_valid(edited), (keys, value)
        assert not check(gizwits, json.dumps(edited)), (keys, value)
        refused += 1
    print(f"definitions: {len(fixtures)} accepted, {refused} edits refused by the schema and by check")


main(sys.argv[1], sys.argv[2:])
