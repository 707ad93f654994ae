# SPDX-License-Identifier: ISC
"""Several network workers: whichever of them a connection lands on, it is
one server; when one is killed, the others answer on."""

import asyncio
import os
import signal
import sys

import mcp
import wire
from wire import check

WORKERS = 3


async def everywhere(pids):
    """A connection to each worker: {pid: connection}."""
    found, spare = {}, []
    while len(found) < len(pids):
        connection = await mcp.connect()
        spare.append(connection)
        pid = wire.holder(connection[1], pids)
        found.setdefault(pid, connection)
    for connection in spare:
        if connection not in found.values():
            connection[1].transport.abort()
    return found


def echo(number):
    return {"name": "worker.container", "arguments": {"say": number}}


async def stream(connection, name, lines):
    """Opens the event stream of a session."""
    head = ["GET /mcp HTTP/1.1", f"Host: localhost:{mcp.PORT}",
            f"Authorization: Bearer {mcp.key(name)}",
            "Accept: text/event-stream", *lines]
    connection[1].write("\r\n".join(head).encode() + b"\r\n\r\n")
    head = await connection[0].readuntil(b"\r\n\r\n")
    return int(head.split()[1])


async def sessions(at):
    """A session is opened at one worker and used at all."""
    first, *rest = at.values()
    lines = await wire.session(*first, "tester")
    for number, connection in enumerate(rest):
        status, _, reply = await mcp.ask(*connection, wire.post(
            "tester", wire.old("tools/call", echo(number)), *lines))
        check("a session is known to every worker", status == 200 and
              mcp.text(reply) == str(number), status, reply)
    check("its stream can be at another one",
          await stream(rest[0], "tester", lines) == 200)
    ended = f"DELETE /mcp HTTP/1.1\r\nHost: localhost:{mcp.PORT}\r\n" \
        f"Authorization: Bearer {mcp.key('tester')}\r\n" + \
        "".join(f"{line}\r\n" for line in lines) + "\r\n"
    status, _, _ = await mcp.ask(*rest[1], ended.encode())
    check("it can be ended at a third", status in (200, 204), status)
    await asyncio.wait_for(rest[0][0].readuntil(b"0\r\n\r\n"), 10)
    check("which closes the stream", True)
    status, _, _ = await mcp.ask(*first, wire.post(
        "tester", wire.old("tools/call", echo(0)), *lines))
    check("and it is over at the first", status == 404, status)


async def sockets(pids):
    """WebSockets until each worker has one."""
    found = {}
    while len(found) < len(pids):
        socket = await wire.Socket.open("tester")
        reply = await socket.ask(wire.INITIALIZE)
        assert reply["result"]["protocolVersion"] == wire.OLD, reply
        found.setdefault(wire.holder(socket.writer, pids), socket)
    replies = await asyncio.gather(*[
        socket.ask(wire.old("tools/call", echo(pid)))
        for pid, socket in found.items()])
    check("each worker has a WebSocket that answers",
          [mcp.text(reply) for reply in replies] ==
          [str(pid) for pid in found], replies)


async def answered(connection, number):
    """Calls until it is answered; before, calls under way may be lost."""
    while True:
        status, headers, reply = await mcp.ask(*connection, mcp.tool(
            "tester", "worker.container", {"say": number}))
        if status == 503 and "retry-after" in headers:
            continue
        if status != 200:
            check("calls are lost in a way that is documented", False,
                  status, reply)
            return False
        if "error" in reply:
            if reply["error"]["code"] != -32603:
                return False
        elif reply["result"]["isError"]:
            if reply["result"]["_meta"]["mcpd/outcome"] != "lost":
                return False
        else:
            return mcp.text(reply) == str(number)


async def kill(pids):
    at = await everywhere(pids)
    before = wire.log_size()
    victim = pids[1]
    os.kill(victim, signal.SIGKILL)
    check("a killed worker's connections end",
          await at[victim][0].read() == b"")
    for pid in pids:
        if pid != victim:
            check("another's answer on, on the same connection",
                  await answered(at[pid], pid))
    await wire.logged("process is back.*process=network", before)
    now = [child["pid"] for child in (await wire.children()).values()
           if child["process"] == "network"]
    check("it is back, and the others are the same",
          len(now) == WORKERS and victim not in now and
          set(pids) - set(now) == {victim}, pids, now)
    at = await everywhere(now)
    for pid, connection in at.items():
        status, _, reply = await mcp.ask(*connection, mcp.tool(
            "tester", "worker.container", {"say": pid}))
        check("every worker answers", status == 200 and
              mcp.text(reply) == str(pid), status, reply)


async def main():
    pids = [child["pid"] for child in (await wire.children()).values()
            if child["process"] == "network"]
    check(f"there are {WORKERS} workers", len(pids) == WORKERS, pids)
    uids = {os.stat(f"/proc/{pid}").st_uid for pid in pids}
    check("each is a user of its own", len(uids) == WORKERS, uids)
    await sessions(await everywhere(pids))
    await sockets(pids)
    await kill(pids)


sys.exit(wire.run(main(), 60))
