#!/usr/bin/env python3
"""Two routers that share a virtual address (VRRP, RFC 5798; HSRP, RFC 2281): one takes over from the other for the first time
and nothing is told; a device of another kind that claims the address is told."""
import json
import os
import struct
import subprocess
import sys
import tempfile

NET = (10, 0, 0)
A, B, VIRTUAL, CLIENT, PLC, FAR = (*NET, 2), (*NET, 3), (*NET, 1), (*NET, 20), (*NET, 10), (10, 9, 0, 5)
MACS = {A: "02aa00000002", B: "02aa00000003", CLIENT: "02aa00000020", PLC: "02aa00000010"}
ROGUE = "02ee00000099"
KINDS = {"vrrp": "00005e000107", "hsrp": "00000c07ac07", "hsrp2": "00000c9ff007"}


def raw(mac):
    return bytes.fromhex(mac)


class Capture:
    def __init__(self, now):
        self.now = now
        self.frames = []

    def frame(self, source, target, ethertype, payload):
        self.frames.append((self.now, raw(target) + raw(source) + struct.pack(">H", ethertype) + payload))
        self.now += 0.01

    def arp(self, operation, mac, ip, target_mac, target_ip, to="ffffffffffff"):
        body = struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation) + raw(mac) + bytes(ip) + raw(target_mac) + bytes(target_ip)
        self.frame(mac, to, 0x0806, body + bytes(18))

    def ip(self, mac, to, source, target, protocol, payload):
        head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), len(self.frames) & 0xFFFF, 0, 255, protocol, 0, bytes(source),
                           bytes(target))
        total = sum(struct.unpack(">10H", head))
        total = (total & 0xFFFF) + (total >> 16)
        self.frame(mac, to, 0x0800, head[:10] + struct.pack(">H", ~(total + (total >> 16)) & 0xFFFF) + head[12:] + payload)

    def udp(self, mac, to, source, target, ports, payload):
        self.ip(mac, to, source, target, 17, struct.pack(">HHHH", *ports, 8 + len(payload), 0) + payload)

    def hello(self, kind, router):
        """The active router speaks from the virtual MAC with its own address; the other one listens."""
        if kind == "vrrp":
            self.ip(KINDS[kind], "01005e000012", router, (224, 0, 0, 18), 112,
                    struct.pack(">BBBBHH4s", 0x31, 7, 120, 1, 100, 0, bytes(VIRTUAL)))
        else:
            group = (224, 0, 0, 2) if kind == "hsrp" else (224, 0, 0, 102)
            self.udp(KINDS[kind], "01005e000002" if kind == "hsrp" else "01005e000066", router, group, (1985, 1985),
                     struct.pack(">BBBBBBBB8s4s", 0, 0, 16, 3, 10, 120, 7, 0, b"cisco\0\0\0", bytes(VIRTUAL)))

    def second(self, kind, active):
        """What goes on in a second while `active` forwards."""
        start = self.now
        virtual = KINDS[kind]
        self.hello(kind, active)
        for router in (A, B):
            self.arp(1, MACS[router], router, "000000000000", CLIENT)
            self.arp(2, MACS[CLIENT], CLIENT, MACS[router], router, MACS[router])
        self.arp(1, MACS[CLIENT], CLIENT, "000000000000", VIRTUAL)
        self.arp(2, virtual, VIRTUAL, MACS[CLIENT], CLIENT, MACS[CLIENT])
        self.udp(MACS[CLIENT], virtual, CLIENT, FAR, (5000, 123), b"\x23" + bytes(47))
        self.udp(MACS[active], MACS[CLIENT], FAR, CLIENT, (123, 5000), b"\x24" + bytes(47))
        self.arp(1, MACS[CLIENT], CLIENT, "000000000000", PLC)
        self.arp(2, MACS[PLC], PLC, MACS[CLIENT], CLIENT, MACS[CLIENT])
        self.now = start + 1

    def failover(self, kind):
        self.arp(1, KINDS[kind], VIRTUAL, "000000000000", VIRTUAL)

    def write(self, path):
        with open(path, "wb") as out:
            out.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
            for when, frame in self.frames:
                out.write(struct.pack("<IIII", int(when), int(when % 1 * 1e6), len(frame), len(frame)) + frame)


def told(path, store, mode):
    done = subprocess.run([os.environ["SIGHTGLASS"], "run", "-r", path, "-s", store, "-m", mode, "--alerts", "-"],
                          capture_output=True, text=True, check=True)
    return [line for line in map(json.loads, done.stdout.splitlines()) if line["sightglass"]["revision"] == 1]


def main():
    with tempfile.TemporaryDirectory() as work:
        for kind, virtual in KINDS.items():
            store, path = os.path.join(work, f"{kind}.db"), os.path.join(work, "a.pcap")
            learned = Capture(1_700_000_000.0)
            for _ in range(120):
                learned.second(kind, A)
            learned.write(path)
            alerts = told(path, store, "learn")
            assert not alerts, (kind, "while learning", [a["message"] for a in alerts])

            later = Capture(learned.now)
            for active in (B, A, B):
                later.failover(kind)
                for _ in range(30):
                    later.second(kind, active)
            later.write(path)
            alerts = told(path, store, "detect")
            assert not alerts, (kind, "failover", [(a["rule"]["id"], a["message"]) for a in alerts])

            stolen = Capture(later.now)
            stolen.second(kind, B)
            stolen.arp(2, ROGUE, VIRTUAL, MACS[CLIENT], CLIENT, MACS[CLIENT])
            for _ in range(20):
                stolen.second(kind, B)
            stolen.arp(2, virtual, PLC, MACS[CLIENT], CLIENT, MACS[CLIENT])  # nor does the virtual MAC excuse everything
            for _ in range(20):
                stolen.second(kind, B)
            stolen.write(path)
            alerts = told(path, store, "detect")
            claims = {a["rule"]["id"] for a in alerts} & {"net.arp-spoof", "asset.duplicate-ip", "asset.ip-mac-changed"}
            targets = " ".join(a["message"] for a in alerts)
            assert claims and "10.0.0.1 " in targets + " " and "10.0.0.10" in targets, (kind, [(a["rule"]["id"], a["message"]) for a in alerts])
    print("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
