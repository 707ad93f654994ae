# SPDX-License-Identifier: ISC
"""What tests need that look below and behind the client of mcp.py: its
results as TAP, sessions, WebSockets, and the daemon's processes."""

import asyncio
import base64
import json
import os
import struct
import subprocess

import mcp

MCPCTL = os.environ["BUILD"] + "/bin/mcpctl"
OLD = "2025-11-25"
failed = 0


def check(what, good, *notes):
    global failed
    failed += not good
    print(("ok" if good else "not ok") + f" - {what}", flush=True)
    for note in notes if not good else ():
        print(f"# {note}")


def run(main, limit):
    """Runs it, and returns the status to exit with."""
    asyncio.run(asyncio.wait_for(main, limit))
    return 1 if failed else 0


async def ctl(*words):
    """Status and output of mcpctl."""
    process = await asyncio.create_subprocess_exec(
        MCPCTL, "-j", "-s", f"{mcp.DIR}/run/control.sock", *words,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    out, _ = await process.communicate()
    return process.returncode, out.decode()


async def children():
    """Every process by its name: {"network.1": {"pid": 7, ...}}"""
    _, out = await ctl("status")
    reply = json.loads(out)
    found = {}
    for child in reply.get("result", reply)["children"]:
        name = child["process"]
        for more in ("class", "instance"):
            name += f".{child[more]}" if child.get(more) else ""
        found[name] = child
    return found


async def logged(pattern, since=0):
    """Waits until the log has it, from that byte on."""
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", 'tail -c +"$1" -f "$2" | grep -Eq -m 1 -- "$3"', "sh",
        str(since + 1), f"{mcp.DIR}/mcpd.log", pattern)
    await asyncio.wait_for(process.wait(), 60)


def log_size():
    return os.stat(f"{mcp.DIR}/mcpd.log").st_size


def server_inode(writer):
    """The inode of the server's end of a connection."""
    port = writer.get_extra_info("sockname")[1]
    with open("/proc/net/tcp", encoding="ascii") as file:
        for line in file:
            part = line.split()
            if part[1].endswith(f":{mcp.PORT:04X}") and \
                    part[2].endswith(f":{port:04X}"):
                return part[9]
    return None


def holder(writer, pids):
    """The process of pids that has the server's end."""
    inode = server_inode(writer)
    for pid in pids:
        for name in os.listdir(f"/proc/{pid}/fd"):
            try:
                link = os.readlink(f"/proc/{pid}/fd/{name}")
            except FileNotFoundError:
                continue
            if link == f"socket:[{inode}]":
                return pid
    return None


def post(name, body, *headers):
    """The bytes of a POST with this body and these headers besides."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    lines = ["POST /mcp HTTP/1.1", f"Host: localhost:{mcp.PORT}",
             f"Authorization: Bearer {mcp.key(name)}",
             "Content-Type: application/json",
             "Accept: application/json, text/event-stream",
             *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def old(method, params=None, number=1):
    """A message as revisions up to 2025-11-25 have it."""
    message = {"jsonrpc": "2.0", "method": method}
    if number is not None:
        message["id"] = number
    if params is not None:
        message["params"] = params
    return message


INITIALIZE = old("initialize", {
    "protocolVersion": OLD, "capabilities": {},
    "clientInfo": {"name": "regress", "version": "1"}})


async def session(reader, writer, name):
    """Opens a session; the headers that belong to it."""
    status, headers, _ = await mcp.ask(reader, writer, post(name, INITIALIZE))
    assert status == 200, status
    lines = [f"Mcp-Session-Id: {headers['mcp-session-id']}",
             f"MCP-Protocol-Version: {OLD}"]
    status, _, _ = await mcp.ask(reader, writer, post(
        name, old("notifications/initialized", None, None), *lines))
    assert status == 202, status
    return lines


class Socket:
    """One WebSocket (RFC 6455)."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @staticmethod
    async def open(name, *headers):
        """The socket, or the status of what it was answered with."""
        reader, writer = await mcp.connect()
        nonce = base64.b64encode(os.urandom(16)).decode()
        lines = ["GET /mcp HTTP/1.1", f"Host: localhost:{mcp.PORT}",
                 f"Authorization: Bearer {mcp.key(name)}",
                 "Upgrade: websocket", "Connection: Upgrade",
                 "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {nonce}",
                 *headers]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
        status, _, _ = await mcp.answer(reader)
        if status != 101:
            writer.transport.abort()
            return status
        return Socket(reader, writer)

    def send(self, data, first=0x81, masked=True):
        """A frame; its first byte says what it is."""
        size = len(data)
        mask = 0x80 if masked else 0
        head = bytes([first])
        if size < 126:
            head += bytes([mask | size])
        elif size < 65536:
            head += struct.pack("!BH", mask | 126, size)
        else:
            head += struct.pack("!BQ", mask | 127, size)
        if masked:
            key = os.urandom(4)
            pad = (key * (size // 4 + 1))[:size]
            data = key + (int.from_bytes(data, "big") ^ int.from_bytes(
                pad, "big")).to_bytes(size, "big")
        self.writer.write(head + data)

    async def receive(self):
        """(opcode, bytes) of the next frame."""
        first, size = await self.reader.readexactly(2)
        if size == 126:
            size, = struct.unpack("!H", await self.reader.readexactly(2))
        elif size == 127:
            size, = struct.unpack("!Q", await self.reader.readexactly(8))
        return first & 15, await self.reader.readexactly(size)

    async def ask(self, message):
        self.send(json.dumps(message).encode())
        opcode, data = await self.receive()
        assert opcode == 1, (opcode, data)
        return json.loads(data)

    async def closed(self):
        """The status of the close frame that comes, 0 if there is none."""
        try:
            while True:
                opcode, data = await self.receive()
                if opcode == 8:
                    return int.from_bytes(data[:2], "big")
        except (OSError, asyncio.IncompleteReadError):
            return 0
