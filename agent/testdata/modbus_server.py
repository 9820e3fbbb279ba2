"""A Modbus TCP server of somebody else's making, for source_test.cpp: modbus_server.py PORT (0: a free one).

Prints its port, serves, never ends.

holding 0: 4711 | 1: -125 | 2-3: 70000 | 4-5: 0.5 as float32 | 6-7: -2 as int32, low word first
input 20: 99 | coil 3: 1 | discrete 4: 0
"""

import asyncio
import socket
import struct
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import ModbusTcpServer


def words(layout, value):
    return list(struct.unpack(">HH", struct.pack(layout, value)))


async def main():
    holding = [4711, 0x10000 - 125, *words(">I", 70000), *words(">f", 0.5), *reversed(words(">i", -2))]
    # A data block's addresses begin with 1.
    store = ModbusSlaveContext(
        hr=ModbusSequentialDataBlock(1, holding),
        ir=ModbusSequentialDataBlock(21, [99]),
        co=ModbusSequentialDataBlock(1, [False, False, False, True]),
        di=ModbusSequentialDataBlock(1, [False] * 8),
    )
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", int(sys.argv[1])))
        port = probe.getsockname()[1]
    server = ModbusTcpServer(ModbusServerContext(slaves=store, single=True), address=("127.0.0.1", port))
    serving = asyncio.create_task(server.serve_forever())
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            break
        except OSError:
            await asyncio.sleep(0.02)
    print(port, flush=True)
    await serving


asyncio.run(main())
