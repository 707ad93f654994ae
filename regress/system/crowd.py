# SPDX-License-Identifier: ISC
"""More calls at once than may be in flight, and clients that do not read:
every call is answered or refused with a reason, nothing waits for ever."""

import asyncio
import sys

import mcp

CALLS = 2500
SLOW = 50
failed = 0


def check(what, good, *notes):
    global failed
    failed += not good
    print(("ok" if good else "not ok") + f" - {what}")
    for note in notes if not good else ():
        print(f"# {note}")


async def one(connection, number, results):
    status, headers, reply = await mcp.ask(*connection, mcp.tool(
        "tester", "worker.container", {"say": number}, number))
    if status == 200:
        assert reply["id"] == number, reply
        assert mcp.text(reply) == str(number), reply
    else:
        assert status == 503 and "retry-after" in headers, (status, headers)
    results[status] = results.get(status, 0) + 1


async def slow():
    """Asks for a lot, many times over, and reads none of it."""
    reader, writer = await mcp.connect()
    for number in range(20):
        writer.write(mcp.tool("tester", "echo.container",
                              {"text": "x" * 200000}, number))
    return reader, writer


async def main():
    gate = asyncio.Semaphore(100)

    async def connect():
        async with gate:
            return await mcp.connect()

    slows = await asyncio.gather(*[slow() for _ in range(SLOW)])
    connections = await asyncio.gather(*[connect() for _ in range(CALLS)])
    results = {}
    answers = await asyncio.gather(
        *[one(connection, number, results)
          for number, connection in enumerate(connections)],
        return_exceptions=True)
    errors = [repr(a) for a in answers if a is not None]
    check("every call was answered or refused cleanly", not errors,
          len(errors), *errors[:5])
    check("most were answered", results.get(200, 0) > CALLS // 4, results)
    # All of them once more, on the same connections, a few at a time.
    again = {}

    async def calmly(number, connection):
        async with gate:
            await one(connection, number, again)

    answers = await asyncio.gather(
        *[calmly(number, connection)
          for number, connection in enumerate(connections)],
        return_exceptions=True)
    errors = [repr(a) for a in answers if a is not None]
    check("afterwards all are answered", not errors and
          again == {200: CALLS}, again, *errors[:5])
    for _, writer in slows + connections:
        writer.transport.abort()


asyncio.run(asyncio.wait_for(main(), 200))
sys.exit(1 if failed else 0)
