# SPDX-License-Identifier: ISC
"""Bad input at the door: each is answered as it should be, and nothing that
comes behind it on the same connection is taken for a request."""

import asyncio
import json
import socket
import sys
import time
from decimal import Decimal

import mcp
import wire
from wire import check

GOOD = mcp.tool("tester", "worker.container", {"say": "good"})
BODY = GOOD.partition(b"\r\n\r\n")[2]
HOST = f"Host: localhost:{mcp.PORT}"
BEARER = f"Authorization: Bearer {mcp.key('tester')}"
TYPE = "Content-Type: application/json"
SOON = 1.0              # the times that the test configures


def http(*headers, line="POST /mcp HTTP/1.1", body=b""):
    return "\r\n".join([line, *headers]).encode() + b"\r\n\r\n" + body


def chunked(body, *more):
    return http(HOST, BEARER, TYPE, "Transfer-Encoding: chunked", *more,
                body=body)


def size(text):
    """A POST whose only length this is."""
    return http(HOST, BEARER, TYPE, text, body=BODY)


LENGTH = f"Content-Length: {len(BODY)}"
CHUNK = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)

# What, the bytes, the status that they are answered with.
SMUGGLED = [
    ("a length and chunks", chunked(CHUNK, LENGTH), 400),
    ("two lengths", size(f"{LENGTH}\r\nContent-Length: 5"), 400),
    ("the same length twice", size(f"{LENGTH}\r\n{LENGTH}"), 400),
    ("a list of lengths", size(f"{LENGTH}, {len(BODY)}"), 400),
    ("a length with a sign", size(f"Content-Length: +{len(BODY)}"), 400),
    ("a negative length", size("Content-Length: -1"), 400),
    ("a length in hexadecimal", size("Content-Length: 0x10"), 400),
    ("too long a length", size("Content-Length: " + "9" * 30), 400),
    ("a transfer coding that is none", http(
        HOST, BEARER, TYPE, "Transfer-Encoding: xchunked", body=CHUNK), 501),
    ("chunked, and then more", http(
        HOST, BEARER, TYPE, "Transfer-Encoding: chunked, gzip",
        body=CHUNK), (400, 501)),
    ("chunked twice", chunked(CHUNK, "Transfer-Encoding: chunked"), 400),
    ("a coding behind a tab", http(
        HOST, BEARER, TYPE, "Transfer-Encoding:\x0bchunked", body=CHUNK),
     (400, 501)),
    ("chunks in HTTP/1.0", http(
        HOST, BEARER, TYPE, "Transfer-Encoding: chunked", body=CHUNK,
        line="POST /mcp HTTP/1.0"), (400, 505)),
    ("a blank before the colon", size(f"Content-Length : {len(BODY)}"), 400),
    ("a folded line", size(f"{LENGTH}\r\nX-A: a\r\n b"), 400),
    ("a line that begins with a blank", http(
        f" {HOST}", HOST, BEARER, TYPE, LENGTH, body=BODY), 400),
    ("bare line feeds", size(LENGTH).replace(b"\r\n", b"\n", 1), 400),
    ("a bare carriage return", size(f"{LENGTH}\r\nX-A: a\rb"), 400),
    ("a NUL", size(f"{LENGTH}\r\nX-A: a\0b"), 400),
    ("a name that is none", size(f"{LENGTH}\r\nX(A): b"), 400),
    ("a name that is empty", size(f"{LENGTH}\r\n: b"), 400),
    ("too long a chunk", chunked(b"fffffffffffffffff\r\n"), 400),
    ("a negative chunk", chunked(b"-1\r\n"), 400),
    ("a chunk that is longer than it says", chunked(b"1\r\nab\r\n0\r\n\r\n"),
     400),
    ("a chunk that ends with a line feed", chunked(b"1\n{\n0\n\n"), 400),
    ("a chunk's extension with a line feed", chunked(
        b"1;a\nb\r\n{\r\n0\r\n\r\n"), 400),
]
REFUSED = [
    ("another host's URL", http(HOST, BEARER, TYPE, LENGTH, body=BODY,
     line="POST https://evil.example/mcp HTTP/1.1"), (400, 421)),
    ("the asterisk", http(HOST, line="OPTIONS * HTTP/1.1"), (400, 404, 405)),
    ("CONNECT", http(HOST, line="CONNECT localhost:22 HTTP/1.1"), (400, 405,
                                                                   501)),
    ("TRACE", http(HOST, line="TRACE /mcp HTTP/1.1"), (405, 501)),
    ("a method that is none", http(HOST, line="BREW /mcp HTTP/1.1"), (400,
                                                                      501)),
    ("HTTP/1.0", http(HOST, line="GET /mcp HTTP/1.0"), 505),
    ("HTTP/2 without TLS saying so", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
     (400, 505)),
    ("no host", http(BEARER, TYPE, LENGTH, body=BODY), 400),
    ("two hosts", http(HOST, HOST, BEARER, TYPE, LENGTH, body=BODY), 400),
    ("another host", http("Host: evil.example", BEARER, TYPE, LENGTH,
                          body=BODY), 421),
    ("another origin", size(f"{LENGTH}\r\nOrigin: https://evil.example"),
     403),
    ("no origin at all", size(f"{LENGTH}\r\nOrigin: null"), 403),
    ("another path", http(HOST, BEARER, TYPE, LENGTH, body=BODY,
                          line="POST /mcp/../etc HTTP/1.1"), 404),
    ("no type", http(HOST, BEARER, LENGTH, body=BODY), 415),
    ("another type", http(HOST, BEARER, LENGTH, "Content-Type: text/plain",
                          body=BODY), 415),
    ("another charset", http(HOST, BEARER, LENGTH,
                             TYPE + "; charset=utf-16", body=BODY), 415),
    ("a content coding", size(f"{LENGTH}\r\nContent-Encoding: gzip"), 415),
    ("too long a header", size(f"{LENGTH}\r\nX-A: {'a' * 5000}"), 431),
    ("too many headers", size(LENGTH + "\r\nX-A: b" * 600), 431),
    ("too long a line", http(HOST, line=f"GET /{'a' * 9000} HTTP/1.1"),
     (414, 431)),
    ("too long a body", size("Content-Length: 70000"), 413),
    ("too long a body in chunks", chunked(
        b"8000\r\n" + b" " * 0x8000 + b"\r\n" + b"8001\r\n" +
        b" " * 0x8001 + b"\r\n0\r\n\r\n"), 413),
    ("an expectation that is none", size(f"{LENGTH}\r\nExpect: magic"), 417),
    ("a credential that is none", http(HOST, TYPE, LENGTH, body=BODY), 401),
    ("one of another scheme", http(HOST, "Authorization: Basic YTpi", TYPE,
                                   LENGTH, body=BODY), 401),
]

DEEP = b'{"a":' * 5000 + b"1" + b"}" * 5000


def message(extra):
    return b'{"jsonrpc":"2.0","id":1,"method":"tools/list",' + extra + b"}"


# What, the body, the status and the code of the error.
JSON = [
    ("no body", b"", 400, -32700),
    ("no JSON", b"{", 400, -32700),
    ("more than one value", b"{} {}", 400, -32700),
    ("no UTF-8", message(b'"params":{"a":"\xff"}'), 400, -32700),
    ("an overlong NUL", message(b'"params":{"a":"\xc0\x80"}'), 400, -32700),
    ("a surrogate", message(b'"params":{"a":"\xed\xa0\x80"}'), 400, -32700),
    ("half an escaped pair", message(b'"params":{"a":"\\ud800"}'), 400,
     -32700),
    ("nested too deeply", message(b'"params":' + DEEP), 400, -32700),
    ("a name twice", message(b'"method":"ping"'), 400, -32700),
    ("a name twice, escaped", message(b'"m\\u0065thod":"ping"'), 400,
     -32700),
    ("a number that is none", message(b'"params":{"a":01}'), 400, -32700),
    ("NaN", message(b'"params":{"a":NaN}'), 400, -32700),
    ("a byte order mark", b"\xef\xbb\xbf" + message(b'"a":1'), 400, -32700),
    ("a batch", b"[" + message(b'"a":1') + b"]", 400, -32600),
    ("no object", b"5", 400, -32600),
    ("another JSON-RPC", b'{"jsonrpc":"1.0","id":1,"method":"ping"}', 400,
     -32600),
    ("an id that is null", b'{"jsonrpc":"2.0","id":null,"method":"ping"}',
     400, -32600),
    ("an id with a fraction", b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}',
     400, -32600),
    ("an id beyond all numbers",
     b'{"jsonrpc":"2.0","id":1e999,"method":"ping"}', 400, -32600),
    ("parameters in a list", message(b'"params":[1]'), 400, (-32600, -32602)),
]


async def status_of(data):
    """Status, JSON, and what comes behind it on the connection."""
    reader, writer = await mcp.connect()
    try:
        writer.write(data)
        status, headers, reply = await mcp.answer(reader)
        return status, headers, reply, reader, writer
    except (OSError, asyncio.IncompleteReadError, ConnectionError) as error:
        writer.transport.abort()
        return 0, {}, repr(error), reader, writer


def fits(got, want):
    return got in (want if isinstance(want, tuple) else (want,))


async def refused():
    for what, data, want in SMUGGLED + REFUSED:
        status, headers, reply, reader, writer = await status_of(
            data + (GOOD if (what, data, want) in SMUGGLED else b""))
        good = fits(status, want)
        if status == 401:
            good = good and "www-authenticate" in headers
        if (what, data, want) in SMUGGLED:
            try:
                good = good and await asyncio.wait_for(
                    reader.read(), 5) == b""
            except (asyncio.TimeoutError, OSError):
                good = False
        writer.transport.abort()
        check(f"{what}: {want}", good, status, headers, reply)


async def bad_json():
    for what, body, want, code in JSON:
        status, _, reply, _, writer = await status_of(
            wire.post("tester", body))
        check(f"{what}: {want}, {code}", status == want and
              fits(reply["error"]["code"], code), status, reply)
        writer.transport.abort()
    status, _, reply, _, writer = await status_of(wire.post(
        "tester", b'{"jsonrpc":"2.0","id":1,"result":{}}',
        "MCP-Protocol-Version: 2026-07-28", "Mcp-Method: ping"))
    check("an answer that nobody asked for", status == 400 and
          reply["error"]["code"] == -32602, status, reply)
    writer.transport.abort()
    for number in ("123456789012345678901234567890", "-0.1e-7", "1e400"):
        # Python would make it a number of its own.
        data = mcp.tool("tester", "echo.container", {"say": "@" * 30})
        data = data.replace(b'"' + b"@" * 30 + b'"',
                            number.encode() + b" " * (32 - len(number)))
        status, _, reply, _, writer = await status_of(data)
        said = mcp.text(reply)
        check(f"{number} is passed on as it is", status == 200 and
              Decimal(said.strip()[len('{"say":'):-1]) == Decimal(number),
              status, reply)
        writer.transport.abort()


async def sessions():
    connection = await mcp.connect()
    lines = await wire.session(*connection, "tester")
    other = lines[0][:-1] + ("0" if lines[0][-1] != "0" else "1")
    for what, name, line in (("another's session", "alice", lines[0]),
                             ("no session", "tester", other),
                             ("a session that is no name", "tester",
                              "Mcp-Session-Id: ../../etc")):
        status, _, reply, _, writer = await status_of(wire.post(
            name, wire.old("tools/list"), line, lines[1]))
        check(f"{what}: 404", fits(status, (400, 404) if "name" in what
                                   else 404), status, reply)
        writer.transport.abort()
    status, _, reply = await mcp.ask(*connection, wire.post(
        "tester", wire.old("tools/list"), *lines))
    check("the session itself is there yet", status == 200, status, reply)


def frame(data, first=0x81, masked=True):
    return lambda socket: socket.send(data, first, masked)


async def sockets():
    cases = [
        ("a frame without mask", frame(b"{}", masked=False), 1002),
        ("a reserved bit", frame(b"{}", 0xc1), 1002),
        ("an opcode that is none", frame(b"{}", 0x83), 1002),
        ("a ping in parts", frame(b"", 0x09), 1002),
        ("too long a ping", frame(b"x" * 126, 0x89), 1002),
        ("the rest of nothing", frame(b"{}", 0x80), 1002),
        ("no UTF-8", frame(b'"\xff"'), 1007),
        ("binary", frame(b"{}", 0x82), 1003),
        ("too long a message", frame(b" " * 70000), 1009),
        ("a length of 2^63", lambda socket: socket.writer.write(
            b"\x81\xff" + b"\x80" + b"\0" * 7 + b"abcd"), (1002, 1009)),
    ]
    for what, send, want in cases:
        opened = await wire.Socket.open("tester",
                                        "Sec-WebSocket-Protocol: mcp")
        send(opened)
        got = await asyncio.wait_for(opened.closed(), 5)
        check(f"WebSocket, {what}: {want}", fits(got, want), got)
        opened.writer.transport.abort()
    opened = await wire.Socket.open("tester")
    opened.send(b"{")
    _, data = await opened.receive()
    check("WebSocket, no JSON: an answer", json.loads(data)["error"]["code"]
          == -32700, data)
    reply = await opened.ask(wire.INITIALIZE)
    check("and it goes on", "result" in reply, reply)
    opened.writer.transport.abort()
    for what, line, want in (
            ("another subprotocol", "Sec-WebSocket-Protocol: soap", 400),
            ("another origin", "Origin: https://evil.example", 403),
            ("two keys", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", 400)):
        got = await wire.Socket.open("tester", line)
        check(f"WebSocket, {what}: {want}", got == want, got)


async def ends_in_time(what, reader, writer, trickle=b""):
    """Sends bit by bit until it is closed; (seconds, what came)."""
    since, came = time.monotonic(), b""
    while time.monotonic() - since < 10:
        try:
            if trickle:
                writer.write(trickle[:1])
                trickle = trickle[1:]
            more = await asyncio.wait_for(reader.read(4096), 0.05)
        except asyncio.TimeoutError:
            continue
        except OSError:
            break
        if not more:
            break
        came += more
    took = time.monotonic() - since
    check(f"{what}: closed in time", SOON * 0.9 <= took < SOON * 4, took)
    writer.transport.abort()
    return came


async def slow():
    came = await ends_in_time("a header bit by bit", *await mcp.connect(),
                              GOOD.replace(b"\r\n", b"\r\nX: y\r\n", 1))
    check("a header bit by bit: 408", came.startswith(b"HTTP/1.1 408"), came)
    reader, writer = await mcp.connect()
    writer.write(GOOD[:-20])
    came = await ends_in_time("a body that does not come", reader, writer)
    check("a body that does not come: 408",
          came.startswith(b"HTTP/1.1 408"), came)
    plain = await asyncio.open_connection("localhost", mcp.PORT)
    plain[1].write(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03")
    came = await ends_in_time("half a TLS record", *plain)
    check("half a TLS record: no answer", not came.startswith(b"HTTP"), came)
    plain = await asyncio.open_connection("localhost", mcp.PORT)
    plain[1].write(http(HOST, line="GET /mcp HTTP/1.1"))
    came = await asyncio.wait_for(plain[0].read(), 5)
    check("HTTP without TLS: closed", not came.startswith(b"HTTP"), came)
    plain[1].close()


async def main():
    before = {name: child["pid"]
              for name, child in (await wire.children()).items()}
    await refused()
    await bad_json()
    await sessions()
    await sockets()
    await slow()
    for _ in range(100):        # connections that end at once
        with socket.create_connection(("localhost", mcp.PORT)) as half:
            half.send(b"\x16\x03")
    after = {name: child["pid"]
             for name, child in (await wire.children()).items()}
    check("every process is the one that it was", before == after, before,
          after)
    status, _, reply, _, _ = await status_of(GOOD)
    check("a good call is answered", status == 200 and
          mcp.text(reply) == '"good"', status, reply)


sys.exit(wire.run(main(), 120))
