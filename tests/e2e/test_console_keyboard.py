#!/usr/bin/env python3
"""The console without a mouse, in a real browser: tests/web/keyboard.mjs. Skips when Chromium or Node is not
installed."""
import os, sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import console_server as console


def main():
    return console.browse("keyboard.mjs", [("admin", "admin")], lambda store, dark: console.run(dark, store))


if __name__ == "__main__":
    sys.exit(main())
