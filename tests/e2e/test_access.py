#!/usr/bin/env python3
"""access.*: raised by made and public captures, quiet on their twins."""
import json
import os
import struct
import subprocess
import sys
import tempfile

CAPTURES = os.path.join(os.environ["SOURCE"], "..", "shared", "captures")
PLC, HMI, LAPTOP = (10, 0, 0, 10), (10, 0, 0, 20), (10, 0, 0, 30)

# public capture, what must be raised, what must not
PUBLIC = [
    ("it/suricata_psexec_add_user.pcap", "access.remote-exec access.file-transfer", "plc."),
    ("it/ndpi_smbv1.pcap", "access.weak-protection", "access.remote-exec"),
    ("it/zeek_smb2_readwrite.pcap", "", "access."),
    ("it/zeek_smb1.pcap", "", "access."),
    ("opc-da/lsw_opc_da_sync_read.pcap", "", "access."),
]


class Capture:
    """Ethernet frames with the time of each."""

    def __init__(self):
        self.frames = []
        self.now = 1_700_000_000.0
        self.port = 40000

    def segment(self, source, target, ports, numbers, flags, payload=b""):
        tcp = struct.pack(">HHIIBBHHH", *ports, *numbers, 0x50, flags, 8192, 0, 0) + payload
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), len(self.frames) & 0xffff, 0, 64, 6, 0)
        ip += bytes(source) + bytes(target)
        total = sum(struct.unpack(">10H", ip))
        total = (total & 0xffff) + (total >> 16)
        ip = ip[:10] + struct.pack(">H", ~(total + (total >> 16)) & 0xffff) + ip[12:]
        mac = lambda host: bytes((2, 0)) + bytes(host)
        self.frames.append((self.now, mac(target) + mac(source) + b"\x08\x00" + ip + tcp))
        self.now += 0.002

    def session(self, client, server, port, *turns, pause=0.0):
        """turns: request, answer, request, answer, ..."""
        self.port += 1
        there, back = (self.port, port), (port, self.port)
        sent, heard = 1000, 5000
        self.segment(client, server, there, (sent, 0), 0x02)
        sent += 1
        self.segment(server, client, back, (heard, sent), 0x12)
        heard += 1
        self.segment(client, server, there, (sent, heard), 0x10)
        for i, turn in enumerate(turns):
            if i % 2 == 0:
                self.segment(client, server, there, (sent, heard), 0x18, turn)
                sent += len(turn)
            else:
                self.segment(server, client, back, (heard, sent), 0x18, turn)
                heard += len(turn)
                self.now += pause
        self.segment(client, server, there, (sent, heard), 0x11)
        self.segment(server, client, back, (heard, sent + 1), 0x11)

    def poll(self, count):
        turns = []
        for i in range(count):
            turns += [struct.pack(">HHHBBHH", i, 0, 6, 1, 3, 0, 2), struct.pack(">HHHBBBHH", i, 0, 7, 1, 3, 4, 7, 9)]
        self.session(HMI, PLC, 502, *turns, pause=1.0)

    def page(self, client):
        self.session(client, PLC, 80, b"GET / HTTP/1.1\r\nHost: plc\r\n\r\n",
                     b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

    def logins(self, client, refused):
        turns = [b"USER op\r\n", b"331 Password\r\n"]
        for _ in range(refused):
            turns += [b"PASS x\r\n", b"530 No\r\n", b"USER op\r\n", b"331 Password\r\n"]
        turns += [b"PASS y\r\n", b"230 Welcome\r\n"]
        self.session(client, PLC, 21, *turns)

    def write(self, path):
        with open(path, "wb") as out:
            out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
            for when, frame in self.frames:
                out.write(struct.pack("<IIII", int(when), int(when % 1 * 1e6), len(frame), len(frame)) + frame)


def alerts(capture, store, mode):
    done = subprocess.run([os.environ["SIGHTGLASS"], "run", "-r", capture, "-s", store, "-m", mode, "--alerts", "-"],
                          capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"{capture}: exit {done.returncode}: {done.stderr[-500:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def made(folder):
    store, first, second = (os.path.join(folder, name) for name in ("s.db", "first.pcap", "second.pcap"))
    usual, odd = Capture(), Capture()
    usual.poll(60)
    for _ in range(3):
        usual.page(HMI)
        usual.logins(HMI, 0)
        usual.poll(20)
    usual.write(first)
    alerts(first, store, "learn")
    odd.now = usual.now + 10
    odd.port = usual.port
    odd.poll(20)
    odd.page(HMI)
    odd.logins(HMI, 2)
    odd.poll(20)
    odd.page(LAPTOP)
    odd.logins(LAPTOP, 6)
    odd.write(second)
    found = [a for a in alerts(second, store, "detect") if a["rule"]["id"].startswith("access.")]
    wrong = []
    for rule in ("access.controller-web", "access.login-bruteforce"):
        of = [a for a in found if a["rule"]["id"] == rule]
        if not any(a["source"].get("ip") == "10.0.0.30" for a in of):
            wrong.append(f"made: {rule} is missing")
        if any(a["source"].get("ip") == "10.0.0.20" for a in of):
            wrong.append(f"made: {rule} of what is usual")
    if not any("after it had failed" in a["message"] for a in found):
        wrong.append("made: the log-in that worked at last is not told")
    return wrong


def public():
    wrong = []
    for name, expected, forbidden in PUBLIC:
        found = {a["rule"]["id"] for a in alerts(os.path.join(CAPTURES, name), ":memory:", "detect")}
        missing = set(expected.split()) - found
        if missing:
            wrong.append(f"{name}: missing {' '.join(sorted(missing))}")
        extra = sorted(rule for rule in found if rule.startswith(forbidden))
        if extra:
            wrong.append(f"{name}: {' '.join(extra)}")
    return wrong


def main():
    with tempfile.TemporaryDirectory() as folder:
        wrong = made(folder)
    if os.path.exists(CAPTURES):
        wrong += public()
    else:
        print("shared captures are not here: only made ones were run")
    print("\n".join(wrong) or "ok")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
