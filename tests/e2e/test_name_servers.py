#!/usr/bin/env python3
"""A device that says no name is called as a name server calls it; who says one keeps its own; who is only named is no device."""
import csv
import io
import os
import struct
import subprocess
import tempfile

os.environ.setdefault("BUILD", ".")
import console_server

SIGHTGLASS = os.environ["SIGHTGLASS"]


def name(text):
    return b"".join(bytes([len(part)]) + part.encode() for part in text.split(".")) + b"\0"


def udp(capture, source, destination, ports, payload):
    header = struct.pack(">HHHH", *ports, 8 + len(payload), 0)
    packet = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(header) + len(payload), 0, 0, 64, 17, 0)
    capture.frame(console_server.mac(destination) + console_server.mac(source) + b"\x08\x00" + packet + console_server.ip(source) +
                  console_server.ip(destination) + header + payload)


def lookup(capture, host, address):
    """RFC 1035: 10.0.0.66 asks 10.0.0.53 for an A record."""
    question = name(host) + struct.pack(">HH", 1, 1)
    udp(capture, 66, 53, (40000, 53), struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + question)
    answer = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + console_server.ip(address)
    udp(capture, 53, 66, (53, 40000), struct.pack(">6H", 7, 0x8180, 1, 1, 0, 0) + question + answer)


def netbios_registration(capture, host, address):
    """RFC 1002 4.2.2: the host claims its own name."""
    half = "".join(chr(65 + (c >> 4)) + chr(65 + (c & 15)) for c in host.ljust(15).encode() + b"\0")
    record = struct.pack(">HHIHH", 0x20, 1, 300000, 6, 0) + console_server.ip(address)
    udp(capture, address, 255, (137, 137), struct.pack(">6H", 9, 0x2910, 1, 0, 0, 1) + name(half) + struct.pack(">HH", 0x20, 1) +
        b"\xc0\x0c" + record)


with tempfile.TemporaryDirectory() as folder:
    path, store = os.path.join(folder, "names.pcap"), os.path.join(folder, "s.db")
    capture = console_server.Capture(path, 1_700_000_000)
    lookup(capture, "pump7.plant.example", 7)
    lookup(capture, "station9.plant.example", 9)
    lookup(capture, "nobody.plant.example", 11)
    console_server.Modbus(capture, 66, 7, 41000)
    netbios_registration(capture, "ENG9", 9)
    capture.file.close()
    subprocess.run([SIGHTGLASS, "run", "-r", path, "-s", store, "-m", "learn"], check=True, capture_output=True)
    table = subprocess.run([SIGHTGLASS, "assets", "-s", store, "--format", "csv"], check=True, capture_output=True, text=True).stdout

rows = {row["ip"]: row for row in csv.DictReader(io.StringIO(table, newline=""))}
assert rows["10.0.0.7"]["hostname"] == "pump7.plant.example", rows["10.0.0.7"]
assert rows["10.0.0.7"]["name"] == "pump7.plant.example", rows["10.0.0.7"]
assert "hostname: dns answer 2023-11-14T22:13:20" in rows["10.0.0.7"]["sources"], rows["10.0.0.7"]["sources"]
assert "hostname 40" in rows["10.0.0.7"]["confidence"], rows["10.0.0.7"]["confidence"]
assert rows["10.0.0.9"]["hostname"] == "ENG9", rows["10.0.0.9"]
assert rows["10.0.0.9"]["conflicts"] == "", rows["10.0.0.9"]["conflicts"]
assert "10.0.0.11" not in rows and "10.0.0.255" not in rows, sorted(rows)
assert rows["10.0.0.53"]["hostname"] == rows["10.0.0.66"]["hostname"] == "", rows
