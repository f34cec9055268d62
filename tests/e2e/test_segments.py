#!/usr/bin/env python3
"""Two cells behind VLANs use the same addresses for different work. What was learned of each holds in the next run too, whichever of
them speaks first there: nothing is told of either, and work of one cell seen in the other is."""
import json
import os
import struct
import subprocess
import sys
import tempfile

SIGHTGLASS = os.environ["SIGHTGLASS"]
HMI, PLC = ("02a0000000%02x", "0a010105"), ("02b0000000%02x", "0a010110")


def datagram(vlan, source, target, ports, payload):
    udp = struct.pack("!HHHH", *ports, 8 + len(payload), 0) + payload
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0x4000, 64, 17, 0) + bytes.fromhex(source[1] + target[1])
    total = sum(struct.unpack("!10H", ip))
    total = (total & 0xFFFF) + (total >> 16)
    ip = ip[:10] + struct.pack("!H", ~total & 0xFFFF) + ip[12:]
    macs = bytes.fromhex(target[0] % vlan + source[0] % vlan)
    return macs + struct.pack("!HHH", 0x8100, vlan, 0x0800) + ip + udp


def poll(vlan, number, function, start):
    """Modbus over UDP: one read of four registers and its answer."""
    request = struct.pack("!HHHBBHH", number, 0, 6, 1, function, start, 4)
    answer = struct.pack("!HHHBBB4H", number, 0, 11, 1, function, 8, 1, 2, 3, 4)
    return [datagram(vlan, HMI, PLC, (40000, 502), request), datagram(vlan, PLC, HMI, (502, 40000), answer)]


def capture(path, begin, seconds, work):
    """work: (vlan, function, start) of each poll of a second, in this order."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for second in range(seconds):
            for place, (vlan, function, start) in enumerate(work):
                for answer, frame in enumerate(poll(vlan, second & 0xFFFF, function, start)):
                    micros = place * 100000 + answer * 2000
                    file.write(struct.pack("<IIII", begin + second, micros, len(frame), len(frame)) + frame)
    return path


def alerts(folder, name, mode, file):
    out = os.path.join(folder, name)
    done = subprocess.run([SIGHTGLASS, "run", "-r", file, "-s", os.path.join(folder, "s.db"), "-m", mode, "--alerts", out,
                           "-c", os.path.join(folder, "c.yaml")], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr[-800:])
    with open(out, encoding="utf-8") as lines:
        return sorted({json.loads(line)["rule"]["id"] for line in lines})


def main():
    twelve, thirteen = (12, 3, 100), (13, 4, 5000)
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "c.yaml"), "w", encoding="utf-8") as file:
            file.write("capture:\n  segment_by_vlan: true\n")
        alerts(folder, "a0", "learn", capture(os.path.join(folder, "0"), 1700000000, 600, [twelve, thirteen]))
        again = alerts(folder, "a1", "detect", capture(os.path.join(folder, "1"), 1700001000, 60, [thirteen, twelve]))
        mixed = alerts(folder, "a2", "detect", capture(os.path.join(folder, "2"), 1700002000, 60, [(13, 3, 100), twelve]))
    print("the cells in the other order:", again, "work of one cell in the other:", mixed)
    if again:
        sys.exit("FAILED: what was learned of a VLAN was not found again")
    if not any(rule.startswith("rw.") for rule in mixed):
        sys.exit("FAILED: the cells are one")


main()
