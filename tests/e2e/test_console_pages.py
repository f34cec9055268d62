#!/usr/bin/env python3
"""Every page of the console in a real browser, judged by axe-core: tests/web/pages.mjs. Skips when Chromium or Node is not
installed. Screenshots: BUILD/screenshots."""
import os, sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import console_server as console


def main():
    screenshots = os.path.join(console.BUILD, "screenshots")
    os.makedirs(screenshots, exist_ok=True)
    return console.browse("pages.mjs", [("admin", "admin"), ("vic", "viewer")], lambda store, dark: console.run(dark, store),
                          timeout=800, SCREENSHOTS=screenshots)


if __name__ == "__main__":
    sys.exit(main())
