"""A class that looks at the leaderboard: `python crowd.py PORT PAGES GREEDY SECONDS`, a process of its own.

PAGES connections ask for the board every three seconds, as browsers do, with the tag of what they have, each from an
address of its own; GREEDY connections of one more address ask as fast as they are answered. At the end it prints how
many requests each kind made, and the median and longest time that a page waited, as JSON.
"""

import asyncio
import json
import statistics
import sys
import time

PAUSE = 3.0  # seconds


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tag: str) -> tuple[int, str]:
    """One request on an open connection: the answer's status and tag."""
    writer.write(f"GET /board HTTP/1.1\r\nHost: x\r\nIf-None-Match: {tag}\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    fields = dict(line.split(": ", 1) for line in head.splitlines()[1:] if ": " in line)
    await reader.readexactly(int(fields.get("Content-Length", 0)))
    return int(head.split()[1]), fields.get("Etag", tag)


async def look(port: int, source: str, pause: float, begin: float, end: float) -> list[tuple[int, float]]:
    """Looks until `end`: the status and seconds of each request."""
    await asyncio.sleep(begin)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    tag = '""'
    seen = []
    while time.monotonic() < end:
        asked = time.monotonic()
        status, tag = await ask(reader, writer, tag)
        seen.append((status, time.monotonic() - asked))
        if status == 429:  # after which the server closes the connection
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
        await asyncio.sleep(pause)
    writer.close()
    return seen


async def main(port: int, pages: int, greedy: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    looking = [look(port, f"127.0.1.{n + 1}", PAUSE, n * PAUSE / pages, end) for n in range(pages)]
    looking += [look(port, "127.0.0.9", 0, 0, end) for _ in range(greedy)]
    seen = await asyncio.gather(*looking)
    polite = [each for one in seen[:pages] for each in one]
    rude = [status for one in seen[pages:] for status, _ in one]
    waited = [seconds for _, seconds in polite]
    print(
        json.dumps(
            {
                "pages": len(polite),
                "pages_refused": sum(status == 429 for status, _ in polite),
                "greedy": len(rude),
                "greedy_refused": rude.count(429),
                "median": round(statistics.median(waited), 4) if waited else None,
                "longest": round(max(waited), 4) if waited else None,
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:4]), float(sys.argv[4])))
