# SPDX-License-Identifier: ISC
"""metrics.py PORT: the metrics, health and readiness; that they follow what
happens; and bad requests to their listener."""

import asyncio
import os
import re
import signal
import sys

import mcp
import wire
from wire import check

PORT = int(sys.argv[1])
SAMPLE = re.compile(r'([a-z_0-9]+)(\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})? '
                    r'(-?[0-9.e+]+)$')


async def raw(data):
    """Everything that a request is answered with."""
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.write(data)
    came = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return came.decode()


async def get(path):
    """(status, headers, body)"""
    came = await raw(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    head, _, body = came.partition("\r\n\r\n")
    return int(head.split()[1]), head, body


async def figures():
    """Every sample: {name{labels}: value}."""
    _, _, body = await get("/metrics")
    found = {}
    for line in body.splitlines():
        if not line.startswith("#"):
            match = SAMPLE.match(line)
            assert match, line
            assert match[1] + (match[2] or "") not in found, line
            found[match[1] + (match[2] or "")] = float(match[3])
    return found


async def form():
    status, head, body = await get("/metrics")
    check("metrics", status == 200 and "version=0.0.4" in head, head)
    families = re.findall(r"^# TYPE (\S+) (counter|gauge)$", body, re.M)
    names = [name for name, _ in families]
    check("each has its type once", len(set(names)) == len(names) > 60)
    check("and a help",
          re.findall(r"^# HELP (\S+) \S.*$", body, re.M) == names)
    found = await figures()
    check("every sample has a type",
          {key.partition("{")[0] for key in found} == set(names))
    check("counters are called so", all(
        name.endswith("_total") for name, kind in families
        if kind == "counter"))
    check("no names, no contents",
          not re.search("alice|tester|worker.container|secret-word", body))


def grown(before, after):
    return {key: after[key] - before.get(key, 0) for key in after
            if after[key] != before.get(key, 0)}


async def calls():
    connection = await mcp.connect()
    before = await figures()
    for _ in range(5):
        status, _, _ = await mcp.ask(*connection, mcp.tool(
            "tester", "worker.container", {"say": "secret-word"}))
        assert status == 200, status
    await mcp.ask(*connection, mcp.tool("alice", "jq", {
        "filter": ".", "input": 1}))
    bad = mcp.tool("tester", "worker.container", {}).replace(
        mcp.key("tester").encode(), b"mcpd_wrong")
    await mcp.ask(*await mcp.connect(), bad)
    await mcp.ask(*await mcp.connect(), b"GET / HTTP/1.0\r\n\r\n")
    changed = grown(before, await figures())
    for name, by in (("engine_calls_tool", 6), ("policy_allowed", 6),
                     ("executor_calls", 6), ("inspect_outputs", 6),
                     ("network_refused_auth", 1), ("auth_refused", 1),
                     ("network_refused_http", 1),
                     ("control_scrapes", 1), ("network_connections", 2)):
        keys = [key for key in changed
                if key.partition("{")[0] == f"mcpd_{name}_total"]
        check(f"{name} has grown by {by}",
              len(keys) == 1 and changed[keys[0]] == by, changed)
    check("the record has grown by two lines for each call, at least",
          sum(by for key, by in changed.items()
              if key.startswith("mcpd_audit_records_total")) >= 12, changed)


async def readiness():
    check("healthy", (await get("/healthz"))[::2] == (200, "ok\n"))
    check("ready", (await get("/readyz"))[::2] == (200, "ready\n"))
    before = await figures()
    # The third time, it is not started again at once.
    for number in range(3):
        pid = (await wire.children())["policy"]["pid"]
        since = wire.log_size()
        os.kill(pid, signal.SIGKILL)
        await wire.logged(f"ended by a signal.*process=policy pid={pid}",
                          since)
        if number < 2:
            await wire.logged("process is back.*process=policy", since)
    status, _, body = await get("/readyz")
    check("not ready while a process is down", status == 503 and
          "policy" in body, status, body)
    check("but healthy", (await get("/healthz"))[0] == 200)
    down = await figures()
    check("which process is up can be seen",
          [key for key in down if key.startswith("mcpd_process_up")
           and down[key] == 0 and "policy" in key] != [] and
          down['mcpd_parent_ready{instance="0"}'] == 0, down)
    await wire.logged("process is back.*process=policy", since)
    check("ready again", (await get("/readyz"))[::2] == (200, "ready\n"))
    changed = grown(before, await figures())
    check("restarts are counted", [by for key, by in changed.items()
          if key.startswith("mcpd_process_restarts_total")] == [3], changed)
    check("counters do not fall", all(
        by > 0 for key, by in changed.items() if key.split("{")[0].endswith(
            "_total") and "policy" not in key), changed)


async def bad_requests():
    host = "\r\nHost: x\r\n"
    for what, data, want in (
            ("another path", f"GET /none HTTP/1.1{host}\r\n", 404),
            ("a path that is longer", f"GET /metrics/ HTTP/1.1{host}\r\n",
             404),
            ("another method", f"POST /metrics HTTP/1.1{host}\r\n", 405),
            ("an old version", f"GET /metrics HTTP/1.0{host}\r\n", 505),
            ("a URL", f"GET http://x/metrics HTTP/1.1{host}\r\n", 400),
            ("no host", "GET /metrics HTTP/1.1\r\n\r\n", 400),
            ("content", f"GET /metrics HTTP/1.1{host}Content-Length: 1"
             "\r\n\r\na", 400),
            ("no HTTP", "\x16\x03\x01\x02\r\n\r\n", 400),
            ("a NUL", f"GET /met\0rics HTTP/1.1{host}\r\n", 400),
            ("a header without end", "GET /metrics HTTP/1.1\r\nA: " +
             "a" * 9000, 431)):
        came = await raw(data.encode())
        check(f"{what}: {want}", came.startswith(f"HTTP/1.1 {want} "), came)
    came = await raw(b"GET /metrics HTTP/1.1\r\n")
    check("one that says no more is closed", came == "", came)
    check("and it serves on", (await get("/healthz"))[0] == 200)


async def main():
    await form()
    await calls()
    await readiness()
    await bad_requests()


sys.exit(wire.run(main(), 60))
