"""A terminal for scripts: a program on a pty, and as much of a vt parser as the console needs. Standard library only."""

import fcntl
import os
import re
import signal
import struct
import subprocess
import termios
import threading
import time

# What ends a frame (DEC 2026).
END = b"\x1b[?2026l"
PIECE = re.compile(r"\x1b\[([?<>=]?)([\d;:]*)([ -/]*)([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.|[\x00-\x1f]|[^\x1b\x00-\x1f]+")


class Screen:
    """Cells with their text and whether they have a ground of their own; wide characters are not known."""

    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.text = [[" "] * columns for _ in range(rows)]
        self.ground = [[""] * columns for _ in range(rows)]
        self.x = self.y = 0
        self.now = ""

    def feed(self, text):
        for piece in PIECE.finditer(text):
            whole = piece.group(0)
            if whole[0] not in "\x1b" and whole >= " ":
                for letter in whole:
                    if self.x < self.columns and self.y < self.rows:
                        self.text[self.y][self.x] = letter
                        self.ground[self.y][self.x] = self.now
                    self.x += 1
            elif piece.group(4):
                self.control(piece.group(1), piece.group(2), piece.group(4))

    def control(self, mark, numbers, what):
        if mark:
            return
        values = [int(number or 0) for number in re.split("[;:]", numbers)] if numbers else []
        if what in "Hf":
            self.y, self.x = (max(value, 1) - 1 for value in (values + [1, 1])[:2])
        elif what == "C":
            self.x += max((values or [1])[0], 1)
        elif what == "G":
            self.x = max((values or [1])[0], 1) - 1
        elif what == "J":
            for row in range(self.rows):
                self.text[row] = [" "] * self.columns
                self.ground[row] = [""] * self.columns
        elif what == "m":
            self.style(values or [0])
        elif what not in "hlr":
            raise ValueError(f"a control sequence that is not known here: {mark}{numbers}{what}")

    def style(self, values):
        left = list(values)
        while left:
            value = left.pop(0)
            if value in (38, 48):
                more = left[:2] if left[:1] == [5] else left[:4]
                del left[:len(more)]
                if value == 48:
                    self.now = str(more)
            elif value in (0, 49):
                self.now = ""
            elif 40 <= value <= 47 or 100 <= value <= 107:
                self.now = str(value)

    def line(self, row):
        return "".join(self.text[row])

    def lines(self):
        return [self.line(row) for row in range(self.rows)]


class Terminal:
    """A program on a pty of its own. What it writes is read at once by a thread, with the moment it came."""

    def __init__(self, words, size, env=None):
        self.ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        clean = {name: value for name, value in os.environ.items()
                 if name not in ("NO_COLOR", "COLORTERM", "COLORFGBG", "TMUX", "SSH_TTY")}
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *words], stdin=theirs, stdout=theirs, stderr=theirs,
            env={**clean, "TERM": "xterm-256color", **(env or {})})
        os.close(theirs)
        self.screen = Screen(*size)
        self.bytes = 0
        self.frames = 0
        self.came, self.lock = [], threading.Condition()
        self.rest = b""
        self.ended = False
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    @property
    def pid(self):
        """The program's: `setsid` becomes it."""
        return self.process.pid

    def _read(self):
        while True:
            try:
                chunk = os.read(self.ours, 65536)
            except (OSError, ValueError):
                chunk = b""
            with self.lock:
                if chunk:
                    self.came.append((time.monotonic(), chunk))
                    self.bytes += len(chunk)
                self.ended = not chunk
                self.lock.notify_all()
            if not chunk:
                return

    def frame(self, limit):
        """Takes in the next whole frame; gives the moment it was there, or `None` when none comes within the limit."""
        end = time.monotonic() + limit
        while True:
            with self.lock:
                while not self.came and not self.ended:
                    left = end - time.monotonic()
                    if left <= 0 or not self.lock.wait(left):
                        break
                if not self.came:
                    if self.ended:
                        raise RuntimeError("the program ended:\n" + "\n".join(self.screen.lines()))
                    return None
                at, chunk = self.came.pop(0)
            self.rest += chunk
            cut = self.rest.find(END)
            if cut < 0:
                continue
            cut += len(END)
            frame, self.rest = self.rest[:cut], self.rest[cut:]
            if self.rest:
                with self.lock:
                    self.came.insert(0, (at, self.rest))
                self.rest = b""
            self.screen.feed(frame.decode(errors="replace"))
            self.frames += 1
            return at

    def wait(self, what, condition, limit=30):
        """Takes in frames until the screen is as wanted; gives the moment of that frame."""
        end = time.monotonic() + limit
        at = time.monotonic()
        while not condition(self.screen):
            left = end - time.monotonic()
            came = self.frame(left) if left > 0 else None
            if came is None:
                raise TimeoutError(f"never came: {what}\n" + "\n".join(self.screen.lines()))
            at = came
        return at

    def drain(self):
        """Takes in all that is there already."""
        while self.frame(0) is not None:
            pass

    def keys(self, keys):
        """Types; gives the moment before."""
        data = keys.encode()
        at = time.monotonic()
        os.write(self.ours, data)
        return at

    def close(self):
        """Ends the program."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        # The other end is closed, so it ends; before that the number of this end must not be another's.
        self.reader.join(10)
        os.close(self.ours)
