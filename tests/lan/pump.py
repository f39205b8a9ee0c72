"""Lets python-jebao do what it can with a pump, and prints a line of JSON for each operation.

    pump.py HOST
"""

import asyncio
import json
import sys

from jebao import MDP20000Device, discover_devices


async def main(host):
    def told(operation, **values):
        print(json.dumps({"operation": operation, **values}), flush=True)

    found = await discover_devices(timeout=2)
    told("discover", found=[[one.ip_address, one.device_id, one.model] for one in found])
    pump = MDP20000Device(host)
    await pump.connect()
    told("log in", connected=pump.is_connected)

    async def values(operation):
        await pump.update()
        told(operation, state=pump.state.name, speed=pump.speed)
        # The reader compares these values with the device before the next operation.
        sys.stdin.readline()

    await values("read")
    await pump.turn_on()
    await values("turn on")
    await pump.set_speed(65)
    await values("set speed")
    await pump.start_feed(3)
    await values("start feed")
    await pump.cancel_feed(70)
    await values("cancel feed")
    await pump.turn_off()
    await values("turn off")
    await pump.disconnect()


asyncio.run(main(sys.argv[1]))
