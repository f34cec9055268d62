#!/usr/bin/env python3
"""The map of large plants, in a real browser: tests/web/map.mjs. Skips when Chromium or Node is not
installed."""
import os, sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import console_server as console


def main():
    return console.browse("map.mjs", [("admin", "admin")])


if __name__ == "__main__":
    sys.exit(main())
