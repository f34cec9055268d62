#!/usr/bin/env python3
"""Names from the wire that would like to be HTML (hostile_plant.py), through the sensor to every page of the console: tests/web/names.mjs
looks at them in a browser. What the store has of them must be seen on some page, as text. Skips when Chromium or Node is not installed."""
import os, re, sqlite3, subprocess, sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import console_server as console, hostile_plant

LEAST = {1, 2, 4, 8, 9, 11, 12, 13, 14, 15, 16}  # the sensor keeps these for sure


def kept(store):
    """The numbers of those that a table with something to show has."""
    with sqlite3.connect(store) as db:
        numbers = {int(n) for table in ("facts", "asset_aliases", "alerts", "baseline_ranges", "baseline_tags", "incidents")
                   for row in db.execute(f"SELECT * FROM {table}") for value in row if isinstance(value, str)
                   for n in re.findall(r"alert\((\d+)\)", value)}
    db.close()
    return numbers


def main():
    folder = console.chromium() and console.web_tests()
    if not folder:
        print("skipped: Chromium, Node or the packages of tests/web are not installed")
        return console.SKIP
    with console.sample([("admin", "admin")]) as (work, _, dark, store):
        plant = os.path.join(work, "plant.pcap")
        hostile_plant.write(plant, 1700000100)
        console.run(plant, store)
        console.run(dark, store)
        names = kept(store)
        print("kept:", ", ".join(hostile_plant.NAMES[n] for n in sorted(names)))
        if not names >= LEAST:
            print("FAILED: the store lacks", [hostile_plant.NAMES[n] for n in LEAST - names])
            return 1
        server = console.Console(store)
        try:
            environment = dict(os.environ, CHROMIUM=console.chromium(), PASSWORD=console.PASSWORD, URL=server.url,
                               NAMES=",".join(map(str, sorted(names))))
            status = subprocess.run(["node", "names.mjs"], cwd=folder, env=environment, timeout=800).returncode
        finally:
            stopped = server.stop()
        return status or stopped


if __name__ == "__main__":
    sys.exit(main())
