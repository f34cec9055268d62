#!/usr/bin/env python3
"""The console in a real browser: a small plant with hostile names is replayed into a store, the page shows it, and what a
second replay adds arrives live. Skips when Chromium or Node is not installed. Screenshots: BUILD/screenshots."""
import os, subprocess, sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import console_server as console


def main():
    folder = console.chromium() and console.web_tests()
    if not folder:
        print("skipped: Chromium, Node or the packages of tests/web are not installed")
        return console.SKIP
    with console.sample() as (_, _, dark, store):
        server = console.Console(store)
        try:
            screenshots = os.path.join(console.BUILD, "screenshots")
            os.makedirs(screenshots, exist_ok=True)
            environment = dict(os.environ, CHROMIUM=console.chromium(), URL=server.url, STORE=store, CAPTURE=dark,
                               SCREENSHOTS=screenshots, HOSTILE=console.HOSTILE.decode())
            status = subprocess.run(["node", "console.mjs"], cwd=folder, env=environment, timeout=300).returncode
        finally:
            stopped = server.stop()
        if stopped != 0:
            print(f"the console ended with {stopped}")
        return status or stopped


if __name__ == "__main__":
    sys.exit(main())
