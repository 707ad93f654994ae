# SPDX-License-Identifier: ISC
"""hijack.py MCPCTL TOP: has each child try each thing that it must not do.
It must be killed by its filter, or be refused; what the filter allows a
process for a reason is named here."""

import ctypes
import json
import os
import re
import select
import signal
import subprocess
import sys
import time

MCPCTL, TOP = sys.argv[1:3]
DIR = os.environ["MCPD_DIR"]
LIMIT = 30

# The store may change its own database: that is what it is for.
ALLOWED = {
    "store": {"truncate what is open", "write over what is open"},
}

libc = ctypes.CDLL(None, use_errno=True)
failed = 0


def attempts():
    with open(f"{TOP}/common/child/hijack.c", encoding="ascii") as file:
        return re.findall(r'^\t{ "(.*?)",', file.read(), re.M)


def children():
    out = subprocess.run(
        [MCPCTL, "-j", "-s", f"{DIR}/run/control.sock", "status"],
        capture_output=True, text=True, check=False)
    if out.returncode != 0:
        return []
    status = json.loads(out.stdout)
    return status.get("result", status)["children"]


class Log:
    """The daemon's log, from here on."""

    def __init__(self):
        self.file = open(f"{DIR}/mcpd.log", "rb")
        self.file.seek(0, os.SEEK_END)
        # tail waits for what is appended; what it says does not matter.
        self.tail = subprocess.Popen(
            ["tail", "-c", "0", "-f", f"{DIR}/mcpd.log"],
            stdout=subprocess.PIPE)
        self.rest = b""

    def next_line(self, end):
        while True:
            line, newline, rest = self.rest.partition(b"\n")
            if newline:
                self.rest = rest
                return line.decode()
            more = self.file.read()
            self.rest += more
            if more:
                continue
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.tail.stdout], [], [],
                                              min(left, 1))[0]:
                if left <= 0:
                    return None
                continue
            os.read(self.tail.stdout.fileno(), 65536)

    def until(self, pattern):
        """Lines up to one that matches, or None when it does not come."""
        end = time.monotonic() + LIMIT
        lines = []
        while (line := self.next_line(end)) is not None:
            lines.append(line)
            if re.search(pattern, line):
                return lines
        return None

    def close(self):
        self.tail.kill()
        self.tail.wait()
        self.file.close()


def say(good, what, *notes):
    global failed
    failed += not good
    print(("ok" if good else "not ok") + f" - hijacked {what}")
    for note in notes if not good else ():
        print(f"# {note}")


def send(pid, number):
    """sigqueue(3), which Python does not have."""
    if libc.sigqueue(pid, signal.SIGUSR1, ctypes.c_void_p(number)) != 0:
        raise OSError(ctypes.get_errno(), "sigqueue")


def attempt(log, child, number, what):
    """Returns the pid that the child has afterwards."""
    name = child["process"] + child["class"]
    word = child["process"] + (f".{child['class']}" if child["class"] else "")
    pid = child["pid"]
    send(pid, number)
    if what == "forge RUN":
        # Whoever gets it blames the forger, who is ended for it.  errno=0:
        # it has not been given its edges yet.
        while (lines := log.until(
                rf'msg="bad message" from={word} |'
                rf'process={word} msg="HIJACKED.* errno=0')) and \
                "errno=0" in lines[-1]:
            send(pid, number)
        say(lines is not None, f"{name}: {what}", "nobody complained")
        killed = lines is not None
    else:
        lines = log.until(rf'process={word} pid={pid} signal=|process={word} '
                          rf'msg="HIJACKED (refused|succeeded)"')
        last = lines[-1] if lines else "neither killed nor refused"
        killed = "signal=" in last
        say("signal=SYS" in last or "HIJACKED refused" in last,
            f"{name}: {what}", last)
    if killed:
        back = log.until(rf'"process is back" process={word} pid=\d+')
        pid = int(re.search(r" pid=(\d+)", back[-1]).group(1))
    return pid


def main():
    log = Log()
    try:
        for child in children():
            if child["process"] == "sandbox":
                continue
            for number, what in enumerate(attempts()):
                if what not in ALLOWED.get(child["process"], ()):
                    child["pid"] = attempt(log, child, number, what)
    finally:
        log.close()


main()
sys.exit(1 if failed else 0)
