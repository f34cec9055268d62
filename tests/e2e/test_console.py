#!/usr/bin/env python3
"""The console in a real browser: a small plant with hostile names is replayed into a store, the page shows it, and what a
second replay adds arrives live. Skips when Chromium or Node is not installed. Screenshots: BUILD/screenshots."""
import os, re, shutil, struct, subprocess, sys, tempfile

SIGHTGLASS, SOURCE, BUILD = (os.environ[k] for k in ("SIGHTGLASS", "SOURCE", "BUILD"))
HOSTILE = b"<img src=x onerror=document.title='pwned'>"
SKIP = 77


def mac(n):
    return bytes([2, 0, 0, 0, 0, n])


def ip(n):
    return bytes([10, 0, 0, n])


class Capture:
    """Frames with the fields that matter; checksums are left out, as offloading machines do."""

    def __init__(self, path, start):
        self.file, self.time = open(path, "wb"), start
        self.file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))

    def frame(self, data):
        data = data.ljust(60, b"\0")
        self.file.write(struct.pack("<IIII", int(self.time), int(self.time % 1 * 1e6), len(data), len(data)) + data)
        self.time += 0.01

    def tcp(self, source, destination, ports, sequence, acknowledgement, flags, payload=b""):
        header = struct.pack(">HHIIBBHHH", *ports, sequence, acknowledgement, 0x50, flags, 8192, 0, 0)
        size = 20 + len(header) + len(payload)
        packet = struct.pack(">BBHHHBBH", 0x45, 0, size, 0, 0, 64, 6, 0) + ip(source) + ip(destination)
        self.frame(mac(destination) + mac(source) + b"\x08\x00" + packet + header + payload)


class Modbus:
    """One connection of client to server."""

    def __init__(self, capture, client, server, port):
        self.c, self.client, self.server, self.port = capture, client, server, port
        self.sent, self.answered, self.transaction = 1, 1, 0
        self.up(0x02), self.down(0x12), self.up(0x10)

    def up(self, flags, payload=b""):
        self.c.tcp(self.client, self.server, (self.port, 502), self.sent, self.answered, flags, payload)
        self.sent += len(payload) + (flags & 2 != 0)

    def down(self, flags, payload=b""):
        self.c.tcp(self.server, self.client, (502, self.port), self.answered, self.sent, flags, payload)
        self.answered += len(payload) + (flags & 2 != 0)

    def exchange(self, request, response):
        self.transaction += 1
        for send, pdu in ((self.up, request), (self.down, response)):
            send(0x18, struct.pack(">HHHB", self.transaction, 0, len(pdu) + 1, 1) + pdu)


def identity(*texts):
    objects = b"".join(bytes([i, len(t)]) + t for i, t in enumerate(texts))
    return bytes([0x2B, 0x0E, 1, 1, 0, 0, len(texts)]) + objects


def plant_day(path):
    capture = Capture(path, 1700000000)
    hmi = Modbus(capture, 20, 10, 50000)
    hmi.exchange(b"\x2b\x0e\x01\x00", identity(HOSTILE, b"BMX P34 2020", b"V2.70"))
    for _ in range(5):
        hmi.exchange(struct.pack(">BHH", 3, 100, 2), b"\x03\x04\x00\x01\x00\x02")
    capture.file.close()


def night(path):
    capture = Capture(path, 1700003600)
    stranger = Modbus(capture, 66, 10, 50001)
    write = struct.pack(">BHH", 6, 260, 900)
    stranger.exchange(write, write)
    capture.file.close()


def run(capture, store):
    subprocess.run([SIGHTGLASS, "run", "-r", capture, "-m", "detect", "-s", store], check=True,
                   stderr=subprocess.DEVNULL)


def browser_tests():
    """The folder with playwright-core, installed beside the build; None when that is not possible."""
    folder = os.path.join(BUILD, "web-tests")
    os.makedirs(folder, exist_ok=True)
    for name in ("package.json", "package-lock.json", "console.mjs"):
        shutil.copy(os.path.join(SOURCE, "tests/web", name), folder)
    if not os.path.isdir(os.path.join(folder, "node_modules/playwright-core")):
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, stdout=subprocess.DEVNULL)
        if done.returncode != 0:
            return None
    return folder


def main():
    chromium = shutil.which("chromium")
    if not chromium or not shutil.which("node") or not shutil.which("npm"):
        print("skipped: Chromium, Node or npm is not installed")
        return SKIP
    folder = browser_tests()
    if not folder:
        print("skipped: playwright-core cannot be installed")
        return SKIP
    with tempfile.TemporaryDirectory() as work:
        day, dark, store = (os.path.join(work, n) for n in ("day.pcap", "night.pcap", "store.db"))
        plant_day(day)
        night(dark)
        run(day, store)
        console = subprocess.Popen([SIGHTGLASS, "console", "-s", store, "--listen", "127.0.0.1:0"],
                                   stderr=subprocess.PIPE, text=True)
        try:
            url = re.search(r"http://127\.0\.0\.1:\d+/", console.stderr.readline()).group()
            screenshots = os.path.join(BUILD, "screenshots")
            os.makedirs(screenshots, exist_ok=True)
            environment = dict(os.environ, CHROMIUM=chromium, URL=url, STORE=store, CAPTURE=dark,
                               SCREENSHOTS=screenshots, HOSTILE=HOSTILE.decode())
            status = subprocess.run(["node", "console.mjs"], cwd=folder, env=environment, timeout=300).returncode
        finally:
            console.terminate()
            stopped = console.wait(timeout=10)
        if stopped != 0:
            print(f"the console ended with {stopped}")
        return status or stopped


if __name__ == "__main__":
    sys.exit(main())
