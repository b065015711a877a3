"""Figures of the scripts under tests/perf: what is read from /proc, how values become a row, and docs/performance.md,
of which each script writes its own section and leaves the others as they are. Standard library only."""

import json
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime, timezone

from server import Connection, uuid7, wait_for

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
TICK = os.sysconf("SC_CLK_TCK")

HEAD = """# Performance

Each section is written by its own script under `tests/perf`; what is said by hand comes from the notes beside it.
Everything is measured from outside, on a release build with every promise of durability kept.
"""
# The sections in their order, each with the script that writes it.
SECTIONS = ("run", "turns", "console", "log", "soak")


def many_jobs(count):
    """A config of that many jobs, each one run, none needing another."""
    names = [f"job-{number:04}" for number in range(count)]
    jobs = "".join(f'  {name}:\n    machine: true\n    steps:\n      - run: "true"\n' for name in names)
    return f"version: 2.1\njobs:\n{jobs}workflows:\n  main:\n    jobs:\n" + "".join(f"      - {name}\n" for name in names)


def in_parallel(socket, requests, clients):
    """Sends `(method, path, body)` from several threads at once, each waiting for its answer before the next."""
    left, lock, failures = iter(requests), threading.Lock(), []

    def client():
        connection = Connection(socket, 120)
        while not failures:
            with lock:
                request = next(left, None)
            if request is None:
                break
            method, path, body = request
            headers = {"content-type": "application/json", "idempotency-key": uuid7()}
            connection.request(method, "/api/roundel/v1" + path, json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                failures.append(f"{method} {path}: {answer.status}: {text.decode(errors='replace')}")
        connection.close()

    threads = [threading.Thread(target=client, daemon=True) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise RuntimeError(f"the server refused: {failures[0]}")


def submit(server, repository, count, clients):
    """Makes pipelines from several threads at once; gives their ids once all are acknowledged."""
    ids = [uuid7() for _ in range(count)]
    in_parallel(server.socket(), (("POST", "/pipelines", {"id": id, "source": repository}) for id in ids), clients)
    return ids


def limit(seconds):
    """Has the script end by an exception when it takes longer, until `signal.alarm(0)`, and by one when it is told to end, so
    that it ends what it started."""
    def too_long(*_):
        raise TimeoutError(f"the measurements took longer than {seconds} s")
    signal.signal(signal.SIGALRM, too_long)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.alarm(seconds)


def drain(server, enable):
    """Turns the drain of all nodes on or off."""
    for node in server.rows("/nodes"):
        server.post(f"/nodes/{node['id']}/drain", {"enable": enable}, headers={"idempotency-key": uuid7()})


def settled(server, limit):
    """Waits until nothing waits or runs, `limit` seconds at most."""
    def empty():
        summary = server.get("/summary")
        return summary["waiting"] == 0 and summary["running"] == 0
    wait_for("all runs to end", limit, empty)


def one_run(server, repository):
    """Milliseconds from before the `POST` of a pipeline of one run until a client that keeps asking reads that the run has
    begun, and that it is over."""
    pipeline, sent = uuid7(), time.monotonic()
    server.post("/pipelines", {"id": pipeline, "source": repository})

    def read(field):
        wait_for(f"a run that has {field}", 30, lambda: any(
            run[field] for flow in server.get(f"/pipelines/{pipeline}")["workflows"] for job in flow["jobs"] for run in job["runs"]
        ), every=0.0005)
        return (time.monotonic() - sent) * 1000
    waited, whole = read("started_at"), read("stopped_at")
    time.sleep(0.05)
    return waited, whole


class Spread:
    """Median and spread of some values."""

    def __init__(self, values):
        self.values = sorted(values)

    def at(self, share):
        return self.values[round(share * (len(self.values) - 1))]

    def text(self, unit, digits):
        middle = statistics.median(self.values)
        if len(self.values) == 1:
            return f"{middle:,.{digits}f} {unit}", "one value"
        low, high, words = (self.at(0.1), self.at(0.9), "p10-p90") if len(self.values) >= 10 else (
            self.values[0], self.values[-1], "min-max")
        return f"{middle:,.{digits}f} {unit}", f"{low:,.{digits}f}-{high:,.{digits}f} ({words})"


class Report:
    """The figures, in the order they came, and what is said about them."""

    def __init__(self):
        self.rows, self.details = [], []

    def add(self, name, values, unit, digits=1, target="", met=None):
        spread = Spread(values)
        middle, width = spread.text(unit, digits)
        verdict = "" if met is None else ("met" if met(statistics.median(spread.values)) else "**missed**")
        self.rows.append((name, str(len(values)), middle, width, target, verdict))
        print(f"{name}: {middle}, {width}, n {len(values)} {verdict}", flush=True)

    def add_worst(self, name, values, unit, limit, digits=1):
        """A figure whose target is for the 99th of a hundred."""
        spread = Spread(values)
        middle = f"{statistics.median(spread.values):,.{digits}f} {unit}"
        worst = spread.at(0.99)
        width = f"p99 {worst:,.{digits}f}, highest {spread.values[-1]:,.{digits}f}"
        verdict = "met" if worst <= limit else "**missed**"
        self.rows.append((name, str(len(values)), middle, width, f"p99 <= {limit} {unit}", verdict))
        print(f"{name}: {middle}, {width}, n {len(values)} {verdict}", flush=True)

    def say(self, text):
        self.details.append(text)
        print(text, flush=True)

    def lines(self):
        """The table and what is said below it, as Markdown."""
        return [
            "| figure | n | median | spread | target | |", "| --- | ---: | ---: | ---: | --- | --- |",
            *("| " + " | ".join(row) + " |" for row in self.rows), "",
            *(line for text in self.details for line in (text, "")),
        ]


class Cpu:
    """Seconds of CPU of a process, and of its children that ended, from /proc/PID/stat."""

    def __init__(self, pid):
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        self.user, self.system, self.children_user, self.children_system = (int(f) / TICK for f in fields[11:15])

    @property
    def own(self):
        return self.user + self.system

    @property
    def children(self):
        return self.children_user + self.children_system


def memory(pid):
    """Resident memory and its highest, in MB of a million bytes."""
    with open(f"/proc/{pid}/status") as file:
        kb = {words[0]: int(words[1]) for words in map(str.split, file) if words[0] in ("VmRSS:", "VmHWM:")}
    return kb["VmRSS:"] * 1024 / 1e6, kb["VmHWM:"] * 1024 / 1e6


def own_memory(pid):
    """What of its resident memory is no page of a file, in MB: programs that run twice share those."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon:")) * 1024 / 1e6


def machine():
    with open("/proc/cpuinfo") as file:
        models = re.findall(r"model name\s*:\s*(.+)", file.read())
    with open("/proc/meminfo") as file:
        total = int(re.search(r"MemTotal:\s+(\d+)", file.read()).group(1)) * 1024 / 1e9
    return f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores, {total:.1f} GB, Linux {platform.release()}"


def file_system(directory):
    """Type of the file system the data directories are made on; for ext4, whether it has a journal."""
    with open("/proc/self/mountinfo") as file:
        mounts = [(words[4], words[words.index("-") + 1], words[words.index("-") + 2]) for words in map(str.split, file)]
    inside = [mount for mount in mounts if os.path.commonpath([directory, mount[0]]) == mount[0]]
    _, kind, device = max(inside, key=lambda mount: len(mount[0]))
    if kind != "ext4":
        return kind
    journals = os.listdir("/proc/fs/jbd2") if os.path.isdir("/proc/fs/jbd2") else []
    name = os.path.basename(os.path.realpath(device))
    return "ext4 with a journal" if any(journal.rpartition("-")[0] == name for journal in journals) else "ext4 without a journal"


def commit():
    def git(*words):
        return subprocess.run(["git", *words], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    changed = git("status", "--porcelain", "--untracked-files=no", "--", "src", "tests", "Cargo.toml", "Cargo.lock")
    return git("rev-parse", "--short=12", "HEAD") + (" with changes" if changed else "")


def write_section(section, title, report, load, took):
    """Writes one section of docs/performance.md anew: its table, and the notes of `tests/perf/SECTION.md`."""
    path = os.path.join(ROOT, "docs", "performance.md")
    with open(path) as file:
        text = file.read()
    # A section goes from its mark to the next one.
    kept = dict(re.findall(r"<!-- (\w+) -->\n(.*?)(?=<!-- \w+ -->|\Z)", text, re.DOTALL))
    with open(os.path.join(ROOT, "tests", "perf", f"{section}.md")) as file:
        notes = file.read().strip()
    kept[section] = "\n".join([
        f"## {title}", "",
        f"- written by `tests/perf/{section}`, with `tests/perf/{section}.md`",
        f"- machine: {machine()}",
        f"- file system of the data directory: {file_system(os.path.realpath(tempfile.gettempdir()))}",
        f"- load average before: {' '.join(f'{value:.2f}' for value in load)} (0 is a quiet machine; above that the figures"
        " are shared with somebody)",
        f"- commit: {commit()}, {datetime.now(timezone.utc):%Y-%m-%d}; took {took:.0f} s", "",
        *report.lines(), notes, "", "",
    ])
    with open(path, "w") as out:
        out.write(HEAD + "\n" + "".join(f"<!-- {name} -->\n{kept[name]}" for name in SECTIONS if name in kept).rstrip() + "\n")
