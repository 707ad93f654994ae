# SPDX-License-Identifier: ISC
"""Runs load(1) against mcpd and nginx in turn, looks at their processes in
/proc before and after, and writes the medians of all rounds."""

import argparse
import atexit
import collections
import json
import os
import signal
import statistics
import subprocess
import sys

CONNECTIONS = [1, 16, 64]
IDLE = 1000
GAP = 20        # milliseconds, in which a sandbox is made for the next call
TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
FIELDS = ["case", "peer", "connections", "calls_per_s", "p50_ms", "p99_ms",
          "rss_mb", "cpu_ms_per_call", "tool_rss_mb", "tool_cpu_ms_per_call",
          "of_nginx", "kib_per_connection", "cpu_us_by_process"]

Process = collections.namedtuple("Process", "pid parent cpu rss")
Peer = collections.namedtuple("Peer", "name port pid group")


def processes():
    """All processes: seconds of CPU, bytes of memory."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                stat = file.read().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        yield Process(int(pid), int(stat[1]),
                      (int(stat[11]) + int(stat[12])) / TICK,
                      int(stat[21]) * PAGE)


def title(process):
    """What follows the colon in its title; None if it has no title."""
    try:
        with open(f"/proc/{process.pid}/cmdline", encoding="utf-8") as file:
            words = file.read().split("\0")[0].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return words[1] if words and words[0].endswith(":") else None


def used(group):
    """CPU seconds of all that was ever in a control group, 1 or 2."""
    for top, groups, _ in os.walk("/sys/fs/cgroup"):
        if group not in groups:
            continue
        for name, unit in ("cpuacct.usage", 1e9), ("cpu.stat", 1e6):
            try:
                with open(f"{top}/{group}/{name}", encoding="ascii") as file:
                    return int(file.read().split("usage_usec")[-1].split()[0]
                               ) / unit
            except FileNotFoundError:
                continue
    return 0


def look(peer):
    """CPU seconds and bytes of each process of the peer, by its title.

    Those are the main process, its children and theirs.  What has no title
    there, and what is further down, is a tool or its sandbox."""
    children = collections.defaultdict(list)
    queue = []
    for process in processes():
        children[process.parent].append(process)
        if process.pid == peer.pid:
            queue.append((process, "parent", 0))
    seen = {"tools": (0, 0)}
    while queue:
        process, name, depth = queue.pop(0)
        cpu, rss = seen.get(name, (0, 0))
        seen[name] = cpu + process.cpu, rss + process.rss
        for child in children[process.pid]:
            known = title(child) if name != "tools" and depth < 2 else None
            queue.append((child, known or "tools", depth + 1))
    if peer.group:
        seen["tools"] = used(peer.group), seen["tools"][1]
    return seen


class Load:
    """One run of load: connected and warm once this is made."""

    def __init__(self, options, peer, tool, connections, seconds, gap=0):
        command = [options.load, "-p", peer.port, "-t", tool,
                   "-a", f"{options.dir}/ca.pem",
                   "-k", f"{options.dir}/caller.key", "-g", str(gap)]
        if peer.name == "nginx":
            command += ["-b", f"{options.dir}/body"]
        self.process = subprocess.Popen(
            command + [str(connections), str(seconds)], text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        atexit.register(self.process.kill)
        if self.line() != "ready\n":
            self.failed()

    def line(self):
        return self.process.stdout.readline()

    def failed(self):
        sys.exit(f"bench: load failed: {' '.join(self.process.args)}")

    def go(self):
        self.process.stdin.write("\n")
        line = self.line()
        return json.loads(line) if line else self.failed()

    def close(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            self.failed()


def idle(options, peer, tool):
    """What connections cost that have made one call each."""
    few = Load(options, peer, tool, 1, 0)
    before = look(peer)
    load = Load(options, peer, tool, IDLE, 0)
    after = look(peer)
    for each in load, few:
        each.process.stdin.write("\n")
        each.close()
    growth = sum(after[title][1] - before[title][1]
                 for title in before if title != "tools")
    return {"rss_mb": growth / 1e6,
            "kib_per_connection": growth / IDLE / 1024}


def measure(options, peer, tool, connections, gap):
    load = Load(options, peer, tool, connections, options.seconds, gap)
    before = look(peer)
    result = load.go()
    after = look(peer)
    load.close()
    if result["errors"] or not result["calls"]:
        load.failed()
    each = {title: (after[title][0] - before[title][0]) * 1e6 /
            result["calls"] for title in before}
    tools = each.pop("tools")
    row = {key: result[key] for key in ("calls_per_s", "p50_ms", "p99_ms")}
    row["cpu_us_by_process"] = each
    row["cpu_ms_per_call"] = sum(each.values()) / 1e3
    row["rss_mb"] = sum(rss for title, (_, rss) in after.items()
                        if title != "tools") / 1e6
    if peer.name == "mcpd":
        row["tool_cpu_ms_per_call"] = tools / 1e3
        row["tool_rss_mb"] = after["tools"][1] / 1e6
    return row


def median(rows):
    """One row of the medians of several."""
    result = {}
    for key, value in rows[0].items():
        column = [row[key] for row in rows]
        result[key] = median(column) if isinstance(value, dict) else \
            statistics.median(column)
    return result


def cases(mcpd, nginx):
    """case, peer, tool, connections, gap; nginx first, to compare with."""
    for count in CONNECTIONS:
        yield "static", nginx, "worker.container", count, 0
        yield "worker container", mcpd, "worker.container", count, 0
        yield "worker gvisor", mcpd, "worker.gvisor", count, 0
    for tier in "container", "gvisor":
        yield f"oneshot {tier}", mcpd, f"oneshot.{tier}", 1, 0
        yield f"oneshot {tier} paced", mcpd, f"oneshot.{tier}", 1, GAP


def rounds(options, mcpd, nginx):
    found = collections.defaultdict(list)
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        beside = {}
        for case, peer, tool, count, gap in cases(mcpd, nginx):
            row = measure(options, peer, tool, count, gap)
            beside.setdefault(count, row["calls_per_s"])
            if not gap:
                row["of_nginx"] = row["calls_per_s"] / beside[count]
            found[case, peer.name, count].append(row)
    return found


def significant(value):
    if isinstance(value, dict):
        return {key: significant(part) for key, part in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


def cell(row, key, scale=1, form="{:.3g}"):
    return form.format(row[key] * scale) if key in row else "-"


def table(rows):
    form = "{:23} {:6} {:>5} {:>8} {:>8} {:>8} {:>7} {:>8} {:>8} {:>9}"
    print(form.format("case", "peer", "conns", "calls/s", "p50 ms", "p99 ms",
                      "rss MB", "cpu us", "tool us", "of nginx"))
    for row in rows:
        print(form.format(
            row["case"], row["peer"], row["connections"],
            cell(row, "calls_per_s", form="{:.0f}"), cell(row, "p50_ms"),
            cell(row, "p99_ms"), cell(row, "rss_mb", form="{:.1f}"),
            cell(row, "cpu_ms_per_call", 1e3),
            cell(row, "tool_cpu_ms_per_call", 1e3),
            cell(row, "of_nginx", 100, "{:.1f} %")))
        if "kib_per_connection" in row:
            print(f"{'':23} {row['kib_per_connection']:.1f} KiB each")


def table_of_processes(rows):
    rows = [row for row in rows if row["peer"] == "mcpd" and
            "cpu_us_by_process" in row]
    titles = list(rows[0]["cpu_us_by_process"])
    print("\nCPU us per call of each process")
    print(f"{'':27}" + "".join(f"{title:>9}" for title in titles))
    for row in rows:
        print(f"{row['case']:23}{row['connections']:4}" + "".join(
            f"{row['cpu_us_by_process'][title]:9.3g}" for title in titles))


def arguments():
    parser = argparse.ArgumentParser()
    for name in "load", "dir", "mcpd", "nginx", "json":
        parser.add_argument(f"--{name}", required=True)
    for name in "seconds", "rounds":
        parser.add_argument(f"--{name}", type=int, required=True)
    return parser.parse_args()


def peer_of(name, text):
    """From the port, the pid and, if any, the control group of its tools."""
    port, pid, group = (text + ",").split(",")[:3]
    return Peer(name, port, int(pid), group)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    options = arguments()
    mcpd = peer_of("mcpd", options.mcpd)
    nginx = peer_of("nginx", options.nginx)
    rows = [{"case": "idle", "peer": peer.name, "connections": IDLE,
             **idle(options, peer, "worker.container")}
            for peer in (nginx, mcpd)]
    for (case, peer, count), found in rounds(options, mcpd, nginx).items():
        rows.append({"case": case, "peer": peer, "connections": count,
                     **median(found)})
    table(rows)
    table_of_processes(rows)
    rows = [{key: significant(row[key]) for key in FIELDS if key in row}
            for row in rows]
    with open(options.json, "w", encoding="ascii") as file:
        json.dump(rows, file, indent=1)
        file.write("\n")


main()
