#!/usr/bin/env python3
"""mal.indicator: a TLS program that an indicator list names by its JA3 is told, from the packets on; another one is not.

The fingerprint is computed here, from its definition: the MD5 of "version,ciphers,extensions,groups,point formats" of the
client's hello, numbers joined by "-", without the reserved values of RFC 8701."""
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile

HMI, SERVER = (10, 0, 0, 20), (10, 0, 0, 99)


def block(size, payload):
    return len(payload).to_bytes(size, "big") + payload


def numbers(values):
    return b"".join(struct.pack(">H", value) for value in values)


def is_grease(value):
    return value & 0x0F0F == 0x0A0A and value >> 8 == value & 0xFF


def hello(ciphers, groups, formats):
    """The record, and the JA3 of it."""
    name = b"update.example"
    extensions = [
        (0x2A2A, b""),
        (0, block(2, b"\0" + block(2, name))),
        (10, block(2, numbers(groups))),
        (11, block(1, bytes(formats))),
        (0x1A1A, b"\0"),
    ]
    body = b"\x03\x03" + bytes(32) + block(1, b"") + block(2, numbers(ciphers)) + block(1, b"\0")
    body += block(2, b"".join(struct.pack(">H", kind) + block(2, data) for kind, data in extensions))
    lists = [ciphers, [kind for kind, _ in extensions], groups, formats]
    text = ",".join(["771"] + ["-".join(str(v) for v in values if not is_grease(v)) for values in lists])
    return b"\x16\x03\x01" + block(2, b"\x01" + block(3, body)), hashlib.md5(text.encode()).hexdigest()


def capture(path, payload):
    frames = []

    def segment(source, target, ports, at, flags, data=b""):
        tcp = struct.pack(">HHIIBBHHH", *ports, *at, 0x50, flags, 8192, 0, 0) + data
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), len(frames), 0, 64, 6, 0, bytes(source), bytes(target))
        total = sum(struct.unpack(">10H", ip))
        total = (total & 0xFFFF) + (total >> 16)
        ip = ip[:10] + struct.pack(">H", ~(total + (total >> 16)) & 0xFFFF) + ip[12:]
        frames.append(bytes((2, 0, *target)) + bytes((2, 0, *source)) + b"\x08\x00" + ip + tcp)

    there, back = (40000, 443), (443, 40000)
    segment(HMI, SERVER, there, (1000, 0), 0x02)
    segment(SERVER, HMI, back, (5000, 1001), 0x12)
    half = len(payload) // 2
    segment(HMI, SERVER, there, (1001, 5001), 0x18, payload[:half])
    segment(HMI, SERVER, there, (1001 + half, 5001), 0x18, payload[half:])
    segment(SERVER, HMI, back, (5001, 1001 + len(payload)), 0x10)
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for i, frame in enumerate(frames):
            out.write(struct.pack("<IIII", 1_700_000_000 + i, 0, len(frame), len(frame)) + frame)


def told(config, path):
    done = subprocess.run([os.environ["SIGHTGLASS"], "run", "-c", config, "-r", path, "-s", ":memory:", "-m", "learn", "--alerts", "-"],
                          capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [line for line in lines if line["rule"]["id"] == "mal.indicator"]


def main():
    bad, fingerprint = hello([0x0A0A, 0xC02F, 0x0035], [0x3A3A, 29, 23], [0])
    good, other = hello([0x0A0A, 0xC02F, 0x002F], [0x3A3A, 29, 23], [0])
    assert fingerprint != other
    with tempfile.TemporaryDirectory() as work:
        at = lambda name: os.path.join(work, name)
        with open(at("list.csv"), "w", encoding="utf-8") as out:
            out.write(f"type,value,description\nja3,{fingerprint.upper()},a loader\n")
        with open(at("bundle.json"), "w", encoding="utf-8") as out:
            json.dump({"type": "bundle", "objects": [{"type": "indicator", "name": "a loader", "pattern_type": "stix",
                                                      "pattern": f"[x-ja3:value = '{fingerprint}']"}]}, out)
        capture(at("bad.pcap"), bad)
        capture(at("good.pcap"), good)
        for file in ("list.csv", "bundle.json"):
            with open(at("config.yaml"), "w", encoding="utf-8") as out:
                out.write(f"indicators: [{at(file)}]\n")
            alerts = told(at("config.yaml"), at("bad.pcap"))
            assert alerts, f"{file}: {fingerprint} is not told"
            first = alerts[0]
            assert fingerprint in json.dumps(first), first["message"]
            assert first["source"]["ip"] == "10.0.0.20" and first["destination"]["ip"] == "10.0.0.99", first
            assert len({line["event"]["id"] for line in alerts}) == 1, [line["message"] for line in alerts]
            assert not told(at("config.yaml"), at("good.pcap")), f"{file}: another program is told"
    print("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
