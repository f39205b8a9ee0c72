"""Queries on a cluster of processes, one of which is killed, over files and over objects of an S3 server.

check.py DIST DEBUG RECORDS: the folders of `gizwits` and `records`, and of `gizwits-sql`, `gizwits-scheduler` and
`gizwits-executor`; the size of the log. Ends with status 1 if an answer differs from that of one process.
"""

import contextlib
import gzip
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import boto3

DEFINITION = Path(__file__).parents[2] / "tests/fixtures/product-a.json"
FILES = 24
BUCKET = "logs"
HOST = "127.0.0.1"
# How long a program may take to be ready, and a query to be answered.
PATIENCE = 300

# LOG is the log, RAW its undecoded lines. The definition is a file of the client alone.
QUERIES = {
    "hours": """SELECT date_trunc('hour', timestamp) AS hour, count(*) AS n, avg(room_temp) AS room,
                       max(target_temp) AS wanted, count(DISTINCT fan_speed) AS speeds
                FROM LOG GROUP BY hour ORDER BY hour""",
    "modes": """SELECT work_mode, switch, count(*) AS n, sum(on_hours) AS hours, min(timestamp) AS first
                FROM LOG WHERE room_temp > 30 AND timestamp >= '2018-01-31T08:00:00Z'
                GROUP BY work_mode, switch ORDER BY work_mode, switch""",
    "payloads": """SELECT gizwits_attr('a.json', payload, 'work_mode') AS mode,
                          sum(gizwits_decode('a.json', payload)['room_temp']) AS room, count(*) AS n
                   FROM RAW GROUP BY mode ORDER BY mode""",
}
# What `payloads` says of the decoded log.
DECODED = "SELECT work_mode AS mode, sum(room_temp) AS room, count(*) AS n FROM LOG GROUP BY mode ORDER BY mode"
# Every record of every part, so that a part takes long enough to be interrupted.
LONG = """SELECT work_mode, fan_speed, louver, count(*) AS n, sum(room_temp) AS room, sum(target_temp) AS wanted,
                 min(timestamp) AS first, max(timestamp) AS last, sum(on_hours) AS on_hours
          FROM LOG GROUP BY work_mode, fan_speed, louver ORDER BY work_mode, fan_speed, louver"""


class Failure(Exception):
    """Why the check has failed."""


def free_ports(count):
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]


def wait(what, ready, program=None):
    """Waits until `ready` returns something true, and returns it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if program is not None and program.poll() is not None:
            raise Failure(f"{what}: the program has ended with status {program.returncode}")
        with contextlib.suppress(OSError):
            if found := ready():
                return found
        time.sleep(0.02)
    raise Failure(f"{what}: not in {PATIENCE} s")


class Cluster:
    """A folder with a log, and the programs that answer queries over it."""

    def __init__(self, stack, dist, debug, records):
        self.stack, self.dist, self.debug = stack, dist, debug
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.client = self.folder / "client"
        self.client.mkdir()
        shutil.copy(DEFINITION, self.client / "a.json")
        self.s3, self.scheduler_port = free_ports(2)
        self.environment = os.environ | {
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT": f"http://{HOST}:{self.s3}",
            "AWS_ALLOW_HTTP": "true",
            "RUST_LOG": "info",
        }
        self.write_log(records)

    def write_log(self, records):
        """Writes the log as plain and compressed files, the same lines for RAW, and the decoded log."""
        made = subprocess.run([self.dist / "records", "A", str(records)], stdout=subprocess.PIPE, check=True)
        lines = made.stdout.splitlines(keepends=True)
        self.log, self.raw = self.folder / "log", self.folder / "raw"
        self.log.mkdir()
        self.raw.mkdir()
        for n in range(FILES):
            part = b"".join(lines[len(lines) * n // FILES : len(lines) * (n + 1) // FILES])
            (self.raw / f"{n:02}.json").write_bytes(part)
            if n % 3 == 0:
                (self.log / f"{n:02}.ndjson.gz").write_bytes(gzip.compress(part, 1))
            else:
                (self.log / f"{n:02}.ndjson").write_bytes(part)
        decode = [self.dist / "gizwits", "log", "decode", "-d", DEFINITION, *sorted(self.log.iterdir())]
        subprocess.run([*decode, "-o", self.folder / "decoded.parquet"], check=True)

    def start(self, name, *command):
        """Starts a program, which ends with this one."""
        log = self.stack.enter_context(open(self.folder / f"{name}.log", "wb"))
        home = self.folder / name
        home.mkdir()
        # However this program ends, the kernel then ends its programs.
        command = ["setpriv", "--pdeathsig", "KILL", *map(str, command)]
        program = subprocess.Popen(command, cwd=home, env=self.environment, stdout=log, stderr=log)
        self.stack.callback(program.wait)
        self.stack.callback(program.kill)
        return program

    def start_s3(self):
        """Starts the S3 server and uploads the log."""
        program = self.start("s3", sys.executable, "-m", "moto.server", "-H", HOST, "-p", self.s3)
        wait("S3", lambda: socket.create_connection((HOST, self.s3), 1).close() or True, program)
        s3 = boto3.client(
            "s3",
            endpoint_url=self.environment["AWS_ENDPOINT"],
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
        )
        s3.create_bucket(Bucket=BUCKET)
        for file in [*self.log.iterdir(), *self.raw.iterdir()]:
            s3.upload_file(str(file), BUCKET, str(file.relative_to(self.folder)))

    def start_scheduler(self):
        program = self.start(
            "scheduler",
            self.debug / "gizwits-scheduler",
            *("--bind-host", HOST, "--external-host", HOST, "--bind-port", self.scheduler_port),
            *("--executor-timeout-seconds", 5, "--expire-dead-executor-interval-seconds", 1),
        )
        wait("scheduler", lambda: self.state("executors") is not None, program)

    def start_executor(self, name):
        """Starts an executor that runs one part of a query at a time."""
        count = len(self.state("executors"))
        port, grpc, health = free_ports(3)
        program = self.start(
            name,
            self.debug / "gizwits-executor",
            *("--scheduler-host", HOST, "--scheduler-port", self.scheduler_port, "--id", name),
            *("--bind-host", HOST, "--external-host", HOST, "--work-dir", self.folder / name / "work"),
            *("--bind-port", port, "--bind-grpc-port", grpc, "--bind-health-port", health),
            *("--vcores", 1, "--executor-heartbeat-interval-seconds", 1),
        )
        wait(name, lambda: len(self.state("executors")) > count, program)
        return program

    def state(self, what):
        """What the scheduler says of itself."""
        with urllib.request.urlopen(f"http://{HOST}:{self.scheduler_port}/api/{what}", timeout=10) as answer:
            return json.load(answer)

    def sql(self, query, place=None, cluster=True):
        """The command of a query over the log of a place, on the cluster or in one process."""
        if place is None:
            query = query.replace("LOG", f"'{self.folder}/decoded.parquet'")
        else:
            query = query.replace("LOG", f"gizwits_log('{place}/log/*', 'a.json')")
            if "RAW" in query:
                raw = f"CREATE EXTERNAL TABLE raw STORED AS JSON LOCATION '{place}/raw/';\n"
                query = raw + query.replace("RAW", "raw")
        command = [self.debug / "gizwits-sql", "--format", "csv", "-c", query]
        if cluster:
            command += ["--cluster", f"df://{HOST}:{self.scheduler_port}"]
        return command

    def ask(self, query, place=None, cluster=True):
        """The answer to a query."""
        done = subprocess.run(
            self.sql(query, place, cluster),
            cwd=self.client,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        if done.returncode != 0:
            raise Failure(f"{query}\n{done.stderr}")
        return done.stdout

    def refusal(self, command):
        """What a command that must fail says."""
        done = subprocess.run(
            command, cwd=self.client, env=self.environment, capture_output=True, text=True, timeout=PATIENCE
        )
        if done.returncode != 1:
            raise Failure(f"{command} has status {done.returncode}, and 1 is expected")
        return done.stderr.strip()

    def ask_and_kill(self, query, place, victim):
        """The answer to a query during which an executor is killed while it runs a part."""
        before = {job["job_id"] for job in self.state("jobs")}
        program = subprocess.Popen(
            self.sql(query, place), cwd=self.client, env=self.environment, stdout=subprocess.PIPE, text=True
        )
        self.stack.callback(program.wait)
        self.stack.callback(program.kill)

        def is_in_the_middle():
            # Two executors of one core: each runs one of the two running parts, and has finished others.
            for job in self.state("jobs"):
                if job["job_id"] not in before:
                    stages = self.state(f"job/{job['job_id']}/stages")["stages"]
                    counts = tasks(stages)
                    if counts.get("Running", 0) >= 2 and counts.get("Successful", 0) >= 2:
                        return job["job_id"], counts
            return None

        job, counts = wait("the middle of the query", is_in_the_middle)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        if program.poll() is not None:
            raise Failure("the query was over before the executor was killed")
        print(f"killed one of two executors when the parts of the query were {counts}")
        answer, _ = program.communicate(timeout=PATIENCE)
        if program.returncode != 0:
            raise Failure("the query failed after an executor was killed")
        status = self.state(f"job/{job}")["job_status"]
        alive = [executor["id"] for executor in self.state("executors")]
        print(f"the other one has finished it: {status}; executors: {', '.join(alive)}")
        return answer


def tasks(stages):
    """The number of tasks by their state."""
    counts = {}
    for stage in stages:
        for task in stage["tasks"]:
            if task is not None:
                counts[str(task["status"])] = counts.get(str(task["status"]), 0) + 1
    return counts


def same(name, answers):
    """Compares the answers of all ways to the first one."""
    (first, expected), *others = answers.items()
    for way, found in others:
        if found != expected:
            raise Failure(f"{name}: the answer of {way} is not that of {first}:\n{found}\n{expected}")
    if expected.count("\n") < 2:
        raise Failure(f"{name}: the answer is empty")
    print(f"{name}: {expected.count(chr(10)) - 1} rows, the same from {', '.join(answers)}")


def check(cluster):
    files, objects = cluster.folder, f"s3://{BUCKET}"
    cluster.start_s3()
    cluster.start_scheduler()
    victim, _ = cluster.start_executor("one"), cluster.start_executor("two")
    for name, query in QUERIES.items():
        decoded = DECODED if name == "payloads" else query
        same(
            name,
            {
                "log decode": cluster.ask(decoded, cluster=False),
                "one process": cluster.ask(query, files, cluster=False),
                "one process on S3": cluster.ask(query, objects, cluster=False),
                "the cluster": cluster.ask(query, files),
                "the cluster on S3": cluster.ask(query, objects),
            },
        )
    same(
        "with a killed executor",
        {
            "log decode": cluster.ask(LONG, cluster=False),
            "one process on S3": cluster.ask(LONG, objects, cluster=False),
            "the cluster on S3": cluster.ask_and_kill(LONG, objects, victim),
        },
    )
    unknown = cluster.refusal(cluster.sql("SELECT count(*) FROM LOG", "/only/on/the/client"))
    unreachable = cluster.refusal(
        [cluster.debug / "gizwits-sql", "--cluster", f"df://{HOST}:{free_ports(1)[0]}", "-c", "SELECT 1"]
    )
    for said, expected in [(unknown, "error: no file matches"), (unreachable, "error: no scheduler answers at")]:
        print(said)
        if not said.startswith(expected) or "\n" in said:
            raise Failure(f"expected: {expected}…")


def main():
    dist, debug, records = sys.argv[1:]
    # The end of the block below ends all programs.
    for end in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(end, lambda *_: sys.exit(1))
    with contextlib.ExitStack() as stack:
        cluster = Cluster(stack, Path(dist), Path(debug), int(records))
        try:
            check(cluster)
        except (Failure, OSError, subprocess.SubprocessError) as failure:
            for log in sorted(cluster.folder.glob("*.log")):
                print(f"--- {log.name}", *log.read_text(errors="replace").splitlines()[-30:], sep="\n")
            sys.exit(f"failed: {failure}")


main()
