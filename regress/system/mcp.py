# SPDX-License-Identifier: ISC
"""A small client for tests that need more than curl: many connections at
once, slow ones, and ones that break off."""

import asyncio
import json
import os
import ssl

DIR = os.environ["MCPD_DIR"]
PORT = int(os.environ["MCPD_PORT"])
META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {}}


def key(name):
    with open(f"{DIR}/{name}.key", encoding="ascii") as file:
        return file.read().strip()


def context():
    return ssl.create_default_context(cafile=f"{DIR}/ca.pem")


def request(name, method, params, number=1, extra=""):
    """The bytes of a modern request."""
    body = json.dumps({"jsonrpc": "2.0", "id": number, "method": method,
                       "params": {**params, "_meta": META}}).encode()
    named = f"Mcp-Name: {params['name']}\r\n" if "name" in params else ""
    head = (f"POST /mcp HTTP/1.1\r\nHost: localhost:{PORT}\r\n"
            f"Authorization: Bearer {key(name)}\r\n"
            "Content-Type: application/json\r\n"
            "Accept: application/json, text/event-stream\r\n"
            "MCP-Protocol-Version: 2026-07-28\r\n"
            f"Mcp-Method: {method}\r\n{named}{extra}"
            f"Content-Length: {len(body)}\r\n\r\n")
    return head.encode() + body


def tool(name, which, arguments, number=1):
    return request(name, "tools/call",
                   {"name": which, "arguments": arguments}, number)


async def connect(shared=context()):
    return await asyncio.open_connection("localhost", PORT, ssl=shared,
                                         limit=1 << 26)


async def answer(reader):
    """Reads one answer: its status, its headers and its JSON, if any."""
    line = await reader.readline()
    if not line:
        raise ConnectionError("closed without an answer")
    status = int(line.split()[1])
    headers = {}
    while (line := (await reader.readline()).strip()):
        name, _, value = line.decode().partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return status, headers, json.loads(body) if body else None


async def ask(reader, writer, data):
    writer.write(data)
    await writer.drain()
    return await answer(reader)


def text(reply):
    """The text of a tool's result."""
    return reply["result"]["content"][0]["text"]
