#!/usr/bin/env python3
"""console_wire.py INTERFACE: sends what a line of its input asks for, "CLIENT SERVER PORT" (last bytes of the addresses, port of the
client): the client writes a register of the server. Answers each line when its frames are out."""
import os, socket, struct, sys, time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import console_server as console


class Wire(console.Capture):
    """Frames that go out instead of into a file."""

    def __init__(self, interface):
        self.socket, self.time = socket.socket(socket.AF_PACKET, socket.SOCK_RAW), time.time()
        self.socket.bind((interface, 0))

    def frame(self, data):
        self.socket.send(data.ljust(60, b"\0"))


wire = Wire(sys.argv[1])
for line in sys.stdin:
    client, server, port = map(int, line.split())
    write = struct.pack(">BHH", 6, 260, 900)
    console.Modbus(wire, client, server, port).exchange(write, write)
    print("sent", line.strip(), flush=True)
