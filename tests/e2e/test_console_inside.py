#!/usr/bin/env python3
"""The page of what stands behind an asset, in a real browser: tests/web/inside.mjs. Skips when Chromium or Node is not installed."""
import os, sqlite3, subprocess, sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import console_server as console


def put_modules(store):
    """Two modules in slots of the controller at 10.0.0.10; its id."""
    db = sqlite3.connect(store)
    sensor, asset = db.execute("SELECT sensor, asset FROM asset_aliases WHERE kind = 'ip' AND value = '10.0.0.10'").fetchone()
    for unit, kind, value in (("1/0", "product", "Gate"), ("1/7", "product", "Meter"), ("1/7", "serial_number", "SN-7")):
        db.execute("INSERT INTO facts(sensor, asset, kind, unit, protocol, value, is_current, first_ns, last_ns, count)"
                   " VALUES(?, ?, ?, ?, 'cip', ?, 1, 1, 1, 1)", (sensor, asset, kind, unit, value))
    db.commit()
    db.close()
    return asset


def main():
    folder = console.chromium() and console.web_tests()
    if not folder:
        print("skipped: Chromium, Node or the packages of tests/web are not installed")
        return console.SKIP
    with console.sample([("admin", "admin")]) as (_, _, _, store):
        parent = put_modules(store)
        server = console.Console(store)
        try:
            environment = dict(os.environ, CHROMIUM=console.chromium(), PASSWORD=console.PASSWORD, URL=server.url, PARENT=parent)
            status = subprocess.run(["node", "inside.mjs"], cwd=folder, env=environment, timeout=300).returncode
        finally:
            stopped = server.stop()
        return status or stopped


if __name__ == "__main__":
    sys.exit(main())
