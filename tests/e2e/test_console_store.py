#!/usr/bin/env python3
"""The console says that a store is not there instead of showing an empty plant; --new makes one, and what a sensor writes into it later
is shown."""
import os, subprocess, sys, tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import console_server as console


def refused(store):
    done = subprocess.run([console.SIGHTGLASS, "console", "-s", store, "--listen", "127.0.0.1:0"], capture_output=True, text=True,
                          timeout=60)
    is_told = done.returncode == 1 and f"there is no store {store}" in done.stderr and "--new" in done.stderr
    if not is_told:
        print(f"a missing store: exit {done.returncode}, {done.stderr!r}")
    if os.path.exists(store):
        print("a missing store was made")
    return is_told and not os.path.exists(store)


def filled_later(work, store):
    server = console.Console(store, more=("--new",))
    try:
        before = server.ask("GET", "/api/v1/assets").json()["total"]
        day = os.path.join(work, "day.pcap")
        console.plant_day(day)
        console.run(day, store)
        after = server.ask("GET", "/api/v1/assets").json()["total"]
    finally:
        stopped = server.stop()
    if (before, after, stopped) != (0, 2, 0):
        print(f"--new: {before} assets before the sensor ran, {after} after it, ended with {stopped}")
    return (before, after, stopped) == (0, 2, 0)


def main():
    with tempfile.TemporaryDirectory() as work:
        ok = [refused(os.path.join(work, "mistyped.db")), filled_later(work, os.path.join(work, "new.db"))]
    return 0 if all(ok) else 1


if __name__ == "__main__":
    sys.exit(main())
