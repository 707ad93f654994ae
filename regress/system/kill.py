# SPDX-License-Identifier: ISC
"""kill.py MCPCTL: kills each child with SIGKILL while calls run, and looks
how long it takes until calls are answered again."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time

import mcp

MCPCTL = sys.argv[1]
CLIENTS = 16
failed = 0


def check(what, good, *notes):
    global failed
    failed += not good
    print(("ok" if good else "not ok") + f" - {what}")
    for note in notes if not good else ():
        print(f"# {note}")


def status():
    out = subprocess.run([MCPCTL, "-j", "-s", f"{mcp.DIR}/run/control.sock",
                          "status"], capture_output=True, text=True,
                         check=False)
    if out.returncode != 0:
        return None
    reply = json.loads(out.stdout)
    return reply.get("result", reply)


class Load:
    """Clients that call and call; each remembers what it was told."""

    def __init__(self):
        self.answered = []          # (time, number)
        self.number = 0
        self.stopping = False
        self.news = asyncio.Condition()

    async def client(self):
        connection = None
        while not self.stopping:
            self.number += 1
            number = self.number
            try:
                if connection is None:
                    connection = await mcp.connect()
                code, _, reply = await asyncio.wait_for(
                    mcp.ask(*connection, mcp.tool(
                        "tester", "worker.container", {"say": number},
                        number)), 30)
                if code == 200 and "result" in reply and \
                        not reply["result"]["isError"]:
                    assert mcp.text(reply) == str(number), reply
                    self.answered.append((time.monotonic(), number))
                    async with self.news:
                        self.news.notify_all()
            except (OSError, asyncio.IncompleteReadError, ConnectionError,
                    ValueError):
                if connection is not None:
                    connection[1].transport.abort()
                connection = None

    async def until_answered(self, limit):
        """Seconds until a call is answered that begins from now on."""
        since, first = time.monotonic(), self.number
        try:
            async with self.news:
                await asyncio.wait_for(self.news.wait_for(
                    lambda: self.answered and
                    self.answered[-1][1] > first), limit)
        except asyncio.TimeoutError:
            return None
        return self.answered[-1][0] - since


async def kill_one(load, child):
    name = child["process"] + (f".{child['class']}" if child["class"] else "")
    os.kill(child["pid"], signal.SIGKILL)
    took = await load.until_answered(20)
    check(f"{name} killed: calls are answered again within a second",
          took is not None and took < 1, took)
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        now = await asyncio.to_thread(status)
        if now and all(c["state"] == "up" for c in now["children"]):
            return
    check(f"{name} comes back", False)


def recorded():
    """Every call that the record has an intent of."""
    found = 0
    with open(f"{mcp.DIR}/state/audit/record.log", encoding="utf-8") as file:
        for line in file:
            found += '"type":"intent"' in line
    return found


async def main():
    load = Load()
    before = recorded()
    clients = [asyncio.create_task(load.client()) for _ in range(CLIENTS)]
    await load.until_answered(20)
    for child in status()["children"]:
        await kill_one(load, child)
    load.stopping = True
    await asyncio.gather(*clients)
    check("nothing that was answered is missing from the record",
          recorded() - before >= len(load.answered),
          recorded() - before, len(load.answered))
    print(f"# {len(load.answered)} calls answered")


asyncio.run(asyncio.wait_for(main(), 300))
sys.exit(1 if failed else 0)
