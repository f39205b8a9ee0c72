"""Runs the programs of others against the simulated devices, and prints the table of what works.

    table.py GIZWITS DEFINITIONS PROGRAMS ADMINISTRATION

GIZWITS is the command line. It tells what the values of a device are. DEFINITIONS is the folder of the definitions,
PROGRAMS that of the programs, and ADMINISTRATION a command that posts JSON to a path of the simulator.

The exit status is 0 if every operation works, apart from those that a program does not have.
"""

import json
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

GIZWITS, DEFINITIONS, PROGRAMS, ADMINISTRATION = sys.argv[1:]
DOSER, PUMP, MONITOR = "10.77.0.11", "10.77.0.12", "10.77.0.13"
HERE = Path(__file__).resolve().parent
#: The longest wait for something that does happen, in seconds.
PATIENCE = 30

rows = []
programs = []


def row(program, operation, works, note=""):
    rows.append((program, operation, {True: "yes", False: "NO", None: "-"}[works], note))


def run(*command):
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if ran.returncode:
        sys.exit(f"{' '.join(command)}: {ran.stdout}{ran.stderr}")
    return ran.stdout


def ours(host):
    """The values of a device, as `gizwits lan show` prints them."""
    return json.loads(run(GIZWITS, "lan", "show", host, "-d", DEFINITIONS))["decoded"]["attrs"]


def control(host, *values):
    run(GIZWITS, "lan", "control", host, "-d", DEFINITIONS, *values)


def administer(path, values):
    run(*ADMINISTRATION.split(), path, json.dumps(values))


class Program:
    """A program that prints lines of JSON."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        programs.append(self)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        """Queues the objects and, at the end, None. Lines that are no objects are left out."""
        for line in self.process.stdout:
            if line.startswith("{"):
                self.lines.put(json.loads(line))
        self.lines.put(None)

    def line(self, end=None):
        """The next object, or None if there is none at the time `end`."""
        is_needed = end is None
        end = time.monotonic() + PATIENCE if is_needed else end
        try:
            one = self.lines.get(timeout=max(0, end - time.monotonic()))
        except queue.Empty:
            if is_needed:
                sys.exit(f"{self.process.args}: no line in {PATIENCE} s")
            return None
        if one is None:
            sys.exit(f"{self.process.args}: ended with status {self.process.wait(PATIENCE)}")
        return one

    def until(self, is_wanted):
        """The first object that is wanted, or None if there is none in time."""
        end = time.monotonic() + PATIENCE
        while (one := self.line(end)) is not None:
            if is_wanted(one):
                return one
        return None

    def go_on(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self):
        self.process.kill()
        self.process.wait()


def same(theirs, own):
    """Whether values are equal. A bool may be 0 or 1, and numbers may have rounding errors of floats."""
    if isinstance(theirs, (int, float)) and isinstance(own, (int, float)):
        return abs(theirs - own) < 1e-9
    return theirs == own


def differences(theirs, own):
    """The names that only one side has, and those whose values are not the same."""
    both = set(theirs) & set(own)
    return sorted((set(theirs) ^ set(own)) | {name for name in both if not same(theirs[name], own[name])})


def gizwits():
    found = [json.loads(line) for line in run(GIZWITS, "lan", "discover").splitlines()]
    addresses = sorted(one["address"] for one in found)
    row("gizwits", "discover", addresses == [DOSER, PUMP, MONITOR], ", ".join(addresses))


def doser():
    program, command = "jebao-doser 0.3.0", f"{PROGRAMS}/bin/jebao-doser"
    found = run(command, "discover")
    row(program, "discover", all(host in found for host in (DOSER, PUMP, MONITOR)))
    status = json.loads(run(command, "status", DOSER, "--json"))
    row(program, "log in", True)
    own = ours(DOSER)
    wrong = differences(status, own)
    row(program, "read", not wrong and len(own) > 40, f"{len(own)} values, differences: {wrong or 'none'}")
    watcher = Program(command, "listen", DOSER, "--json")
    watcher.line()
    control(DOSER, "IntervalT2=9")
    heard = watcher.until(lambda status: status.get("IntervalT2") == 9)
    row(program, "watch", heard is not None, "a control of ours")
    # The program runs a head for a second: two controls, both of which it hears as reports.
    dose = Program(command, "dose", DOSER, "3", "1")
    runs = watcher.until(lambda status: status.get("channe3") is True)
    ends = watcher.until(lambda status: status.get("channe3") is False)
    dose.process.wait(PATIENCE)
    watcher.end()
    after = ours(DOSER)
    is_alone = differences(after, {**own, "IntervalT2": 9}) == []
    row(program, "control", bool(runs and ends and is_alone), "head 3 on and off, all else as before")


def pump():
    program = "python-jebao 0.1.7"
    peer = Program(f"{PROGRAMS}/bin/python", str(HERE / "pump.py"), PUMP)
    found = peer.line()["found"]
    row(program, "discover", [PUMP, "circulationPumpOfTests", "MDP-20000"] in found)
    row(program, "log in", peer.line()["connected"])
    for operation, state, points in (
        ("read", "OFF", {"on": False, "feed": False, "speed": 40}),
        ("turn on", "ON", {"on": True, "feed": False, "speed": 40}),
        ("set speed", "ON", {"on": True, "speed": 65}),
        ("start feed", "FEED", {"feed": True, "feed_minutes": 3}),
        ("cancel feed", "ON", {"on": True, "feed": False, "speed": 70}),
        ("turn off", "OFF", {"on": False, "speed": 70}),
    ):
        told, own = peer.line(), ours(PUMP)
        is_ours = all(same(own[name], value) for name, value in points.items())
        is_theirs = told["operation"] == operation and told["speed"] == own["speed"] and told["state"] == state
        kind = "read" if operation == "read" else f"control: {operation}"
        row(program, kind, is_ours and is_theirs, f"{told['state']}, speed {told['speed']}")
        peer.go_on()
    row(program, "watch", None, "the program has none: it reads in intervals")
    peer.end()


def monitor():
    program = "node-ph803w 0.3.0"
    peer = Program("node", str(HERE / "monitor.js"), f"{PROGRAMS}/node_modules/node-ph803w", MONITOR)
    found = []
    while (event := peer.line())["operation"] == "found":
        found.append(event["ip"])
    row(program, "discover", MONITOR in found, ", ".join(sorted(found)))
    login = peer.until(lambda event: event["operation"] in ("log in", "failed"))
    is_accepted = login is not None and login.get("accepted") is True
    row(program, "log in", is_accepted)

    def is_ours(data):
        own = ours(MONITOR)
        return (
            same(data["ph"], own["pH"])
            and same(data["redox"], own["mV"])
            and same(data["phOutlet"], own["pH_OUT"])
            and same(data["redoxOutlet"], own["mV_OUT"])
        )

    data = peer.until(lambda event: event["operation"] == "data")
    row(program, "read", data is not None and is_ours(data), f"pH {data['ph']}, {data['redox']} mV" if data else "")
    administer("/devices/phMonitorOfTheTestsAAA", {"act": "set", "attrs": {"pH": 6.91, "mV_OUT": True}})
    data = peer.until(lambda event: event["operation"] == "data" and event["ph"] == 6.91)
    row(program, "watch", data is not None and is_ours(data), "a sensor that changes")
    row(program, "control", None, "the program has none: the device only measures")
    peer.end()


try:
    gizwits()
    doser()
    pump()
    monitor()
finally:
    for program in programs:
        program.end()
    print("| program | operation | works | |\n| --- | --- | --- | --- |")
    for line in rows:
        print("| " + " | ".join(line) + " |")
sys.exit(any(works == "NO" for _, _, works, _ in rows))
