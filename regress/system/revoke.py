# SPDX-License-Identifier: ISC
"""revoke.py MCPCTL KEY-ID: an idle connection and a running call of a key
that is revoked end within a second; a key that expires is not taken."""

import asyncio
import subprocess
import sys
import time

import mcp

MCPCTL, KEY = sys.argv[1:3]


async def main():
    idle = await mcp.connect()
    status, _, _ = await mcp.ask(*idle, mcp.request(
        "second", "tools/list", {}))
    assert status == 200, status
    busy = await mcp.connect()
    busy[1].write(mcp.tool("second", "shell.container",
                           {"script": "sleep 2; echo done"}))
    other = await mcp.connect()
    status, _, _ = await mcp.ask(*other, mcp.request(
        "alice", "tools/list", {}))
    assert status == 200, status

    subprocess.run([MCPCTL, "-s", f"{mcp.DIR}/run/control.sock", "key",
                    "revoke", KEY], check=True)
    revoked = time.monotonic()
    assert await idle[0].read() == b"", "the idle connection says something"
    assert await busy[0].read() == b"", "the call was answered"
    assert time.monotonic() - revoked < 1, "it took more than a second"
    status, _, _ = await mcp.ask(*other, mcp.request(
        "alice", "tools/list", {}))
    assert status == 200, "another key's connection ended"

    again = await mcp.connect()
    status, _, _ = await mcp.ask(*again, mcp.request(
        "second", "tools/list", {}))
    assert status == 401, status

    # The short key lives for a second from when it was made, long ago.
    while True:
        short = await mcp.connect()
        status, _, _ = await mcp.ask(*short, mcp.request(
            "short", "tools/list", {}))
        if status == 401:
            break
        assert status == 200, status


asyncio.run(asyncio.wait_for(main(), 30))
