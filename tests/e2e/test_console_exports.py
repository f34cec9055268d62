#!/usr/bin/env python3
"""The inventory as the buttons of the console's page give it, in a real browser (tests/web/exports.mjs): CycloneDX against the
schema that its authors ship, and every file with what the command says. Skips when Chromium, Node or the schema is not there."""
import json, os, subprocess, sys, tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import console_server as console
import test_inventory_export as exports

FILES = (("assets.csv", "csv"), ("assets.ndjson", "ndjson"), ("netbox.csv", "netbox"))


def check_files(folder, store, check):
    for prefix, words in (("all-", ()), ("one-", ("--find", "10.0.0.10"))):
        for name, form in FILES:
            with open(os.path.join(folder, prefix + name), encoding="utf-8", newline="") as file:
                seen = file.read()
            told = subprocess.run([console.SIGHTGLASS, "assets", "-s", store, "--format", form, *words], capture_output=True, check=True)
            assert seen == told.stdout.decode(), f"{prefix}{name} is not what the command says"
        with open(os.path.join(folder, prefix + "assets.cdx.json"), encoding="utf-8") as file:
            bom = json.load(file)
        wrong = [f"{list(error.path)}: {error.message[:300]}" for error in check.iter_errors(bom)]
        assert not wrong, wrong
        told = exports.rows_of(subprocess.run([console.SIGHTGLASS, "assets", "-s", store, "--format", "csv", *words], capture_output=True,
                                              text=True, check=True).stdout)
        refs = {p["value"] for component in bom["components"] for part in exports.parts_of(component)
                for p in part.get("properties", []) if p["name"] == "sightglass:asset_id"}
        assert refs == {row["asset_id"] for row in told} and refs, (refs, told)


def main():
    check = exports.validator()
    if not check or not (console.chromium() and console.web_tests()):
        print("skipped: Chromium, Node, python3-jsonschema or the npm package with CycloneDX's schema is not here")
        return console.SKIP
    with tempfile.TemporaryDirectory() as folder:
        kept = os.path.join(folder, "store.db")

        def prepare(store, _):
            with open(kept, "wb") as copy, open(store, "rb") as source:
                copy.write(source.read())
        status = console.browse("exports.mjs", [("vic", "viewer")], prepare=prepare, FILES=folder)
        if status == 0:
            check_files(folder, kept, check)
        return status


if __name__ == "__main__":
    sys.exit(main())
