#!/usr/bin/env python3
"""Place and owner of a public address come from databases that this test writes (MaxMind DB format 2.0); without them, and with a
damaged one, the sensor says what it can."""
import csv
import io
import os
import struct
import subprocess
import sys
import tempfile

SIGHTGLASS = os.environ["SIGHTGLASS"]


def coded(value):
    """A value of the data section: type in the upper three bits (0: in the next byte, less 7), size in the lower five."""
    if isinstance(value, str):
        data = value.encode()
        assert len(data) < 285
        return (bytes([2 << 5 | len(data)]) if len(data) < 29 else bytes([2 << 5 | 29, len(data) - 29])) + data
    if isinstance(value, dict):
        return bytes([7 << 5 | len(value)]) + b"".join(coded(key) + coded(item) for key, item in value.items())
    if isinstance(value, list):
        return bytes([len(value), 11 - 7]) + b"".join(coded(item) for item in value)
    kind, number, size = value  # an unsigned number of a kind
    return (bytes([kind << 5 | size]) if kind <= 7 else bytes([size, kind - 7])) + number.to_bytes(size, "big")


def database(path, prefix, bits, record):
    """One network of IPv4: a chain of nodes, whose other sides lead nowhere."""
    nodes = b""
    for i in range(bits):
        inside = bits + 16 if i + 1 == bits else i + 1
        bit = prefix >> (31 - i) & 1
        for side in (0, 1):
            nodes += (inside if side == bit else bits).to_bytes(3, "big")
    about = {"node_count": (6, bits, 4), "record_size": (5, 24, 2), "ip_version": (5, 4, 2), "database_type": "Test", "languages": ["en"],
             "binary_format_major_version": (5, 2, 2), "binary_format_minor_version": (5, 0, 2), "build_epoch": (9, 1, 8),
             "description": {"en": "test"}}
    with open(path, "wb") as file:
        file.write(nodes + bytes(16) + coded(record) + b"\xab\xcd\xefMaxMind.com" + coded(about))


def capture(path):
    """A machine behind the site's gateway asks 8.8.8.8 something, and is answered."""
    inside, outside = bytes([10, 0, 0, 5]), bytes([8, 8, 8, 8])
    host, gateway = bytes([0, 1, 5, 0, 0, 5]), bytes([0, 1, 5, 0, 0, 1])

    def frame(source, target, source_ip, target_ip, ports, data):
        udp = struct.pack(">HHHH", *ports, 8 + len(data), 0) + data
        head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, source_ip, target_ip)
        return (target + source + b"\x08\x00" + head + udp).ljust(60, b"\0")

    frames = [frame(host, gateway, inside, bytes([10, 0, 0, 1]), (40000, 9), b"to the gateway"),
              frame(gateway, host, bytes([10, 0, 0, 1]), inside, (9, 40000), b"and back"),
              frame(host, gateway, inside, outside, (40001, 9999), b"hello"), frame(gateway, host, outside, inside, (9999, 40001), b"hello")]
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for i, data in enumerate(frames):
            file.write(struct.pack("<IIII", 1700000000 + i, 0, len(data), len(data)) + data)


def of_public(folder, name, geoip):
    store, config = os.path.join(folder, name + ".db"), os.path.join(folder, name + ".yaml")
    with open(config, "w", encoding="utf-8") as file:
        file.write(f"geoip: [{', '.join(geoip)}]\n")
    done = subprocess.run([SIGHTGLASS, "run", "-c", config, "-r", os.path.join(folder, "x.pcap"), "-s", store, "-m", "learn"],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr
    out = subprocess.run([SIGHTGLASS, "assets", "-s", store, "--format", "csv"], capture_output=True, text=True, check=True).stdout
    return {row["ip"]: row for row in csv.DictReader(io.StringIO(out, newline=""))}


def main():
    with tempfile.TemporaryDirectory() as folder:
        capture(os.path.join(folder, "x.pcap"))
        city, asn, damaged = (os.path.join(folder, name) for name in ("city.mmdb", "asn.mmdb", "damaged.mmdb"))
        network = 8 << 24 | 8 << 16 | 8 << 8
        database(city, network, 24, {"city": {"names": {"en": "Berlin"}}, "country": {"iso_code": "DE"}})
        database(asn, network, 24, {"autonomous_system_organization": "Example Net", "autonomous_system_number": (6, 64500, 4)})
        with open(damaged, "wb") as file:
            file.write(b"no database")

        rows = of_public(folder, "both", [city, asn])
        assert isinstance(rows, dict), rows
        assert (rows["8.8.8.8"]["location"], rows["8.8.8.8"]["owner"]) == ("Berlin, DE", "Example Net (AS64500)"), rows["8.8.8.8"]
        assert "owner: guess, geoip database" in rows["8.8.8.8"]["sources"], rows["8.8.8.8"]["sources"]
        assert rows["10.0.0.5"]["location"] == "" and rows["10.0.0.5"]["owner"] == "", rows["10.0.0.5"]
        rows = of_public(folder, "one", [asn])
        assert (rows["8.8.8.8"]["location"], rows["8.8.8.8"]["owner"]) == ("", "Example Net (AS64500)"), rows["8.8.8.8"]
        rows = of_public(folder, "none", [])
        assert (rows["8.8.8.8"]["location"], rows["8.8.8.8"]["owner"]) == ("", ""), rows["8.8.8.8"]
        for bad in (damaged, os.path.join(folder, "absent.mmdb")):
            told = of_public(folder, "bad", [bad])
            assert isinstance(told, str) and bad in told, told
    return 0


if __name__ == "__main__":
    sys.exit(main())
