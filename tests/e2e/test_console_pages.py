#!/usr/bin/env python3
"""Every page of the console in a real browser, judged by axe-core: tests/web/pages.mjs. Skips when Chromium or Node is not
installed. Screenshots: BUILD/screenshots."""
import os, subprocess, sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import console_server as console


def main():
    folder = console.chromium() and console.web_tests()
    if not folder:
        print("skipped: Chromium, Node or the packages of tests/web are not installed")
        return console.SKIP
    with console.sample([("admin", "admin"), ("vic", "viewer")]) as (_, _, dark, store):
        console.run(dark, store)
        server = console.Console(store)
        try:
            screenshots = os.path.join(console.BUILD, "screenshots")
            os.makedirs(screenshots, exist_ok=True)
            environment = dict(os.environ, CHROMIUM=console.chromium(), PASSWORD=console.PASSWORD, URL=server.url,
                               SCREENSHOTS=screenshots)
            status = subprocess.run(["node", "pages.mjs"], cwd=folder, env=environment, timeout=800).returncode
        finally:
            stopped = server.stop()
        return status or stopped


if __name__ == "__main__":
    sys.exit(main())
