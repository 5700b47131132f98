"""Charges one window from a process of its own.

    python -m tests.support.charger URL ALGORITHM LIMIT WINDOW_US ASKS

Prints the times at which its requests were admitted, by the clock of the store.
"""

import asyncio
import json
import sys

from edge.ratelimit.charge import Charge, Quota
from edge.ratelimit.redis_lanes import open_lanes
from edge.ratelimit.shared import SharedWindows


async def main(url: str, algorithm: str, limit: str, window_us: str, asks: str) -> None:
    is_well = asyncio.Event()
    windows = SharedWindows(
        open_lanes(url),
        budget_s=10,
        changed=lambda well: is_well.set() if well else None,
        took=lambda *_: None,
    )
    running = asyncio.create_task(windows.run())
    await is_well.wait()
    quota = Quota("log" if algorithm == "log" else "counter", int(limit), int(window_us))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    admitted = []
    for _ in range(int(asks)):
        outcomes = await asyncio.gather(
            *(windows.decide([Charge(b"hot", quota)]) for _ in range(20))
        )
        admitted += [outcome.times_us[0] for outcome in outcomes if outcome.is_admitted]
        await asyncio.sleep(0.01)
    sys.stdout.write(json.dumps(admitted))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


asyncio.run(main(*sys.argv[1:]))
