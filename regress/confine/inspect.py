# SPDX-License-Identifier: ISC
"""inspect.py MCPCTL TOP UIDS: looks at every child of the running daemon through
/proc and compares it with what its folder says it is."""

import json
import os
import re
import subprocess
import sys

MCPCTL, TOP = sys.argv[1:3]
DIR = os.environ["MCPD_DIR"]
BUILD = os.environ["BUILD"]
BASE = int(sys.argv[3])
PROCESSES = ["parent", "network", "auth", "engine", "policy", "audit",
             "sandbox", "executor", "inspect", "store", "keys", "control"]

# Descriptors besides the null device, sockets and the event loop's.
FILES = {
    "audit": [f"{DIR}/state/audit/record.log"],
    "store": [f"{DIR}/state/store/mcpd.db", f"{DIR}/state/store/mcpd.db-wal",
              f"{DIR}/state/store/mcpd.db-shm"],
}
COMMON_FILES = re.compile(
    r"/dev/null|socket:\[\d+\]|anon_inode:\[event(poll|fd)\]|pipe:\[\d+\]")

failed = 0


def check(what, problems):
    global failed
    if problems:
        failed += 1
        print(f"not ok - confine: {what}")
        for problem in problems:
            print(f"# {problem}")
    else:
        print(f"ok - confine: {what}")


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def status_of(pid):
    return dict(line.split(":\t", 1) for line in
                read(f"/proc/{pid}/status").splitlines() if ":\t" in line)


def declared_libraries(process):
    """The LIBS of process.mk and what every process is linked with."""
    make = read(f"{TOP}/Makefile")
    base = re.search(r"^BASE_LIBS =\s*(.*)$", make, re.M).group(1)
    own = read(f"{TOP}/mcpd/{process}/process.mk").replace("\\\n", " ")
    own = re.search(r"^LIBS =\s*(.*)$", own, re.M)
    words = base.split() + (own.group(1).split() if own else [])
    return {word[2:] for word in words if word.startswith("-l")}


def needed_libraries(path):
    """What the program names itself, as the names of -l options."""
    text = subprocess.run(["readelf", "-d", path], check=True,
                          capture_output=True, text=True).stdout
    names = re.findall(r"\(NEEDED\).*\[(.*?)\]", text)
    names = [re.sub(r"(-[0-9]+\.[0-9]+)?\.so.*", "", name) for name in names]
    return {name[3:] for name in names} - {"c", "-linux-x86-64"}


def mapped_libraries(pid):
    return set(re.findall(r"^.* (/\S*/lib\S+\.so\S*)$",
                          read(f"/proc/{pid}/maps"), re.M))


def allowed_files(path):
    """Every library that ld.so would map for the program."""
    text = subprocess.run(["ldd", path], check=True, capture_output=True,
                          text=True).stdout
    return {os.path.realpath(name) for name in
            re.findall(r"(/\S+\.so\S*)", text)}


def check_status(child, pid):
    process = child["process"]
    status = status_of(pid)
    problems = []
    if status["Seccomp"] != "2":
        problems.append(f"seccomp mode {status['Seccomp']}")
    if status["NoNewPrivs"] != "1":
        problems.append("no_new_privs is not set")
    ids = set((status["Uid"] + "\t" + status["Gid"]).split("\t"))
    if process == "sandbox":
        if ids != {"0"}:
            problems.append(f"ids {ids}")
    else:
        nth = BASE + PROCESSES.index(process)
        if ids not in ({str(nth)}, {str(nth + len(PROCESSES))}):
            problems.append(f"ids {ids}, not {nth}")
        for word in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            if int(status[word], 16) != 0:
                problems.append(f"{word} {status[word]}")
    if status["Groups"].strip():
        problems.append(f"groups {status['Groups']}")
    return problems


def check_root(child, pid):
    root = os.readlink(f"/proc/{pid}/root")
    if child["process"] == "sandbox":
        inside = set(os.listdir(f"/proc/{pid}/root"))
        host = set(os.listdir("/"))
        return [] if inside != host else ["it sees the host's root"]
    problems = []
    if root != f"{DIR}/run/empty":
        problems.append(f"root is {root}")
    if os.listdir(f"/proc/{pid}/root"):
        problems.append("its root is not empty")
    if os.readlink(f"/proc/{pid}/cwd") != root:
        problems.append("it stands outside of its root")
    return problems


def check_descriptors(child, pid):
    process = child["process"]
    problems = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        name = os.readlink(f"/proc/{pid}/fd/{fd}")
        if COMMON_FILES.fullmatch(name) or name in FILES.get(process, []):
            continue
        # sandbox holds what its own tests know best.
        if process != "sandbox":
            problems.append(f"descriptor {fd} is {name}")
    if process == "audit":
        flags = [int(re.search(r"^flags:\s*(\d+)", read(
            f"/proc/{pid}/fdinfo/{fd}"), re.M).group(1), 8)
            for fd in os.listdir(f"/proc/{pid}/fd")
            if os.readlink(f"/proc/{pid}/fd/{fd}").endswith("record.log")]
        if len(flags) != 1 or flags[0] & 3 != os.O_WRONLY or \
                not flags[0] & os.O_APPEND:
            problems.append(f"the record is open with {flags}")
    return problems


def check_libraries(child, pid):
    process = child["process"]
    path = f"{BUILD}/libexec/mcpd/{process}"
    problems = []
    extra = needed_libraries(path) - declared_libraries(process)
    if extra:
        problems.append(f"linked with {extra}, which process.mk lacks")
    strange = {os.path.realpath(name) for name in mapped_libraries(pid)} - \
        allowed_files(path)
    if strange:
        problems.append(f"has mapped {strange}")
    return problems


def check_limits(child, pid):
    """Soft and hard, as its main.c asks for them."""
    source = read(f"{TOP}/mcpd/{child['process']}/main.c")
    files = int(re.search(r"\.open_files = (\d+)", source).group(1))
    # Its parent may not be allowed as many.
    most = int(re.search(r"^Max open files\s+\d+\s+(\d+)", read(
        f"/proc/{status_of(pid)['PPid']}/limits"), re.M).group(1))
    wanted = {"core file size": "0", "processes": "0",
              "open files": str(min(files, most))}
    limits = read(f"/proc/{pid}/limits")
    problems = []
    for name, value in wanted.items():
        got = re.search(rf"^Max {name}\s+(\S+)\s+(\S+)", limits, re.M)
        if got.groups() != (value, value):
            problems.append(f"{name}: {got.groups()}, not {value}")
    return problems


def main():
    children = json.loads(subprocess.run(
        [MCPCTL, "-j", "-s", f"{DIR}/run/control.sock", "status"],
        check=True, capture_output=True, text=True).stdout)
    children = children.get("result", children)["children"]
    uids = []
    for child in children:
        pid = child["pid"]
        name = child["process"] + (f".{child['class']}" if child["class"]
                                   else "")
        check(f"{name}: filter, ids, capabilities", check_status(child, pid))
        check(f"{name}: root", check_root(child, pid))
        check(f"{name}: descriptors", check_descriptors(child, pid))
        check(f"{name}: libraries", check_libraries(child, pid))
        check(f"{name}: limits", check_limits(child, pid))
        uids.append(status_of(pid)["Uid"])
    check("no two processes share a uid",
          [] if len(set(uids)) == len(uids) else uids)


main()
sys.exit(1 if failed else 0)
