"""A client in a process of its own that sends at a steady rate, whether it is answered or not.

    python sending.py HOST PORT REQUESTS_PER_SECOND SECONDS < REQUEST

The request comes as bytes; each is sent on a connection of its own. Prints "sent" when all are sent, and when all are
answered JSON: how often each status came back (0: no answer), and the seconds to the slowest one.
"""

import asyncio
import json
import sys
from collections import Counter


async def ask(host: str, port: int, request: bytes) -> int:
    """The status of one answer; 0 if there was none."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(request)
        answer = await reader.read()
        writer.close()
        return int(answer.split(b" ", 2)[1]) if answer else 0
    except OSError:
        return 0


async def send(host: str, port: int, rate: float, seconds: float, request: bytes) -> dict:
    """What came back of all that was sent."""
    loop, asked, slowest = asyncio.get_running_loop(), [], 0.0

    async def timed() -> int:
        nonlocal slowest
        begun = loop.time()
        status = await ask(host, port, request)
        slowest = max(slowest, loop.time() - begun)
        return status

    begun = loop.time()
    while (now := loop.time() - begun) < seconds:
        while len(asked) < now * rate:
            asked.append(asyncio.create_task(timed()))
        await asyncio.sleep(0.005)
    print("sent", flush=True)
    return {"statuses": Counter(await asyncio.gather(*asked)), "slowest_s": slowest}


if __name__ == "__main__":
    host, port, rate, seconds = sys.argv[1:]
    print(json.dumps(asyncio.run(send(host, int(port), float(rate), float(seconds), sys.stdin.buffer.read()))))
