"""A server of one's own for the scripts of tests: started, killed, asked through its socket. Standard library only."""

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import time

ROOT = "/api/roundel/v1"


class NoServer(Exception):
    """Nobody answered, or the answer broke off."""


class Refused(Exception):
    """The server answered with a status that is no success."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status = status


class Connection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def uuid7():
    """A UUIDv7, as API clients make them."""
    value = int(time.time() * 1000) << 80 | secrets.randbits(80)
    value = value & ~(0xF000 << 64) | 0x7000 << 64
    value = value & ~(0xC000 << 48) | 0x8000 << 48
    text = f"{value:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def wait_for(what, limit, condition, every=0.02):
    """Waits until `condition` is true, `limit` seconds at most."""
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"not within {limit} s: {what}")
        time.sleep(every)


def git_repository(path, files):
    """Makes a repository of one commit from names and texts; a file that begins with `#!` can be run."""
    for name, text in files.items():
        file = os.path.join(path, name)
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "w") as out:
            out.write(text)
        os.chmod(file, 0o755 if text.startswith("#!") else 0o644)
    clean = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    who = ["-c", "user.name=Tests", "-c", "user.email=tests@localhost", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], who + ["commit", "-q", "-m", "Start"]):
        subprocess.run(["git", *words], cwd=path, check=True, env={**os.environ, **clean})


def built_program(fault=False):
    """Builds the program and gives its path; with `fault`, the one that answers before it commits."""
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    words = ["cargo", "build", "--release", "--message-format", "json-render-diagnostics"]
    if fault:
        words += ["--features", "fault-injection", "--target-dir", os.path.join(root, "target", "fault-injection")]
    done = subprocess.run(words, cwd=root, check=True, stdout=subprocess.PIPE)
    programs = [json.loads(line).get("executable") for line in done.stdout.splitlines() if line.startswith(b"{")]
    return [program for program in programs if program][-1]


class Server:
    """A server on `data`, with the bootstrap file of these keys."""

    def __init__(self, program, data, **bootstrap):
        self.program, self.data = program, data
        self.config = data + ".toml"
        self.log = data + ".log"
        self.process = None
        with open(self.config, "w") as out:
            for key, value in bootstrap.items():
                out.write(f"{key} = {json.dumps(value)}\n")

    def start(self):
        """Starts it and waits until it answers; gives the seconds that took."""
        began = time.monotonic()
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(
                [self.program, "--data", self.data, "serve", "--config", self.config],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        wait_for(f"an answer of the server (its log: {self.log})", 30, self._answers, every=0.001)
        return time.monotonic() - began

    def _answers(self):
        if self.process.poll() is not None:
            with open(self.log) as log:
                tail = log.read()[-2000:]
            raise RuntimeError(f"the server ended with {self.process.returncode}:\n{tail}")
        try:
            return self.get("/hello")["pid"] == self.process.pid
        except NoServer:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
                raise

    def socket(self):
        path = os.path.join(self.data, "socket")
        if len(path) > 100:
            with open(path) as file:
                return file.read()
        return path

    def request(self, method, path, body=None, timeout=30, headers=None):
        """Gives status, headers and bytes of an answer."""
        connection = Connection(self.socket(), timeout)
        try:
            content = None if body is None else json.dumps(body)
            sent = {"content-type": "application/json", **(headers or {})}
            connection.request(method, ROOT + path, content, sent)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except (OSError, http.client.HTTPException) as err:
            raise NoServer(str(err)) from err
        finally:
            connection.close()

    def get(self, path):
        return self._json("GET", path)

    def post(self, path, body, **more):
        return self._json("POST", path, body, **more)

    def _json(self, *args, **more):
        status, _, content = self.request(*args, **more)
        if status >= 300:
            raise Refused(status, content.decode(errors="replace"))
        return json.loads(content)

    def rows(self, path):
        """All rows of a list."""
        rows = []
        while True:
            mark = "&" if "?" in path else "?"
            page = self.get(f"{path}{mark}limit=1000&offset={len(rows)}")
            rows += page["rows"]
            if len(rows) >= page["total"] or not page["rows"]:
                return rows

    def raw_log(self, attempt, step, stream=None):
        """All bytes of a step's log."""
        content = b""
        which = f"&stream={stream}" if stream else ""
        while True:
            status, headers, part = self.request("GET", f"/logs/{attempt}/{step}?from={len(content)}{which}")
            if status >= 300:
                raise Refused(status, part.decode(errors="replace"))
            content += part
            if not part or len(content) >= int(headers["x-roundel-log-length"]):
                return content
