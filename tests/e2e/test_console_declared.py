#!/usr/bin/env python3
"""The plant's own list of its devices in the console, in a real browser: tests/web/declared.mjs. Skips when Chromium or Node is not
installed."""
import os, sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import console_server as console


def main():
    return console.browse("declared.mjs", [("vic", "viewer"), ("eve", "engineer")])


if __name__ == "__main__":
    sys.exit(main())
