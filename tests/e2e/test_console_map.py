#!/usr/bin/env python3
"""The map of large plants, in a real browser: tests/web/map.mjs. Skips when Chromium or Node is not
installed."""
import os, subprocess, sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import console_server as console


def main():
    folder = console.chromium() and console.web_tests()
    if not folder:
        print("skipped: Chromium, Node or the packages of tests/web are not installed")
        return console.SKIP
    with console.sample([("admin", "admin")]) as (_, _, _, store):
        server = console.Console(store)
        try:
            environment = dict(os.environ, CHROMIUM=console.chromium(), PASSWORD=console.PASSWORD, URL=server.url)
            status = subprocess.run(["node", "map.mjs"], cwd=folder, env=environment, timeout=300).returncode
        finally:
            stopped = server.stop()
        return status or stopped


if __name__ == "__main__":
    sys.exit(main())
