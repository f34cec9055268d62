#!/usr/bin/env python3
"""The inventory of a small plant in every form: ids stay from run to run, filters and columns, NetBox's device import by its own
rules, CycloneDX against the schema that its authors ship."""
import csv
import io
import json
import os
import subprocess
import sys
import tempfile

SIGHTGLASS, SOURCE, BUILD = (os.environ[key] for key in ("SIGHTGLASS", "SOURCE", "BUILD"))
SKIP = 77
LIBRARY = "node_modules/@cyclonedx/cyclonedx-library/res/schema"


def run(*words, code=0):
    done = subprocess.run([SIGHTGLASS, *words], capture_output=True, text=True, check=False)
    if done.returncode != code:
        sys.exit(f"{' '.join(words)}: exit {done.returncode}: {done.stderr[-800:]}")
    return done.stdout


def assets(store, *words):
    return run("assets", "-s", store, *words)


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def make_store(folder, name, capture):
    store = os.path.join(folder, name)
    run("run", "-r", capture, "-s", store, "-m", "learn")
    return store


def check_forms(store):
    rows = rows_of(assets(store, "--format", "csv"))
    whole = json.loads(assets(store, "--format", "json"))
    lines = [json.loads(line) for line in assets(store, "--format", "ndjson").splitlines()]
    assert len(rows[0]) == 60 and list(rows[0])[0] == "asset_id" and list(rows[0])[59] == "schema", list(rows[0])
    assert whole == lines and [row["asset_id"] for row in rows] == [one["asset_id"] for one in whole]
    return rows


def check_choice(store, rows):
    chosen = rows_of(assets(store, "--format", "csv", "--columns", "mac,asset_id"))
    assert [list(row.values()) for row in chosen] == [[row["mac"], row["asset_id"]] for row in rows], chosen[:2]
    plcs = rows_of(assets(store, "--format", "csv", "--class", "PLC"))
    assert plcs == [row for row in rows if row["asset_class"] == "plc"] and 0 < len(plcs) < len(rows)
    found = rows_of(assets(store, "--format", "csv", "--find", "dosing"))
    assert found == [row for row in rows if any("dosing" in cell.lower() for cell in row.values())] and found
    vendor = next(row["vendor"] for row in rows if row["vendor"])
    same = rows_of(assets(store, "--format", "csv", "--vendor", vendor[:4].lower()))
    assert same and all(vendor[:4].lower() in row["vendor"].lower() for row in same)
    assert not rows_of(assets(store, "--format", "csv", "--zone", "nowhere"))
    run("assets", "-s", store, "--columns", "ip,speed", code=2)
    run("assets", "-s", store, "--columns", "ip,ip", code=2)
    run("assets", "-s", store, "--columns", "", code=2)
    assert assets(store, "--columns", "ip,asset_class").splitlines()[0].split() == ["ip", "asset_class"]


def check_netbox(store, rows):
    """The fields of NetBox's device import (4.x): those it requires are there, lengths as in its model, names unique in the site."""
    devices = rows_of(assets(store, "--format", "netbox"))
    assert len(devices) == len(rows)
    for device, row in zip(devices, rows):
        assert all(device[key] for key in ("name", "role", "manufacturer", "device_type", "status", "site")), device
        assert device["asset_tag"] == row["asset_id"] and device["serial"] == row["serial_number"], device
        assert len(device["name"]) <= 64 and len(device["serial"]) <= 50 and len(device["asset_tag"]) <= 50, device
        assert device["status"] in ("active", "offline"), device
    assert len({device["name"] for device in devices}) == len(devices)
    assert len({device["asset_tag"] for device in devices}) == len(devices)


def schema_folder():
    """None: the package that ships the schema cannot be installed here."""
    folder = os.path.join(BUILD, "cyclonedx-modules")
    if not os.path.exists(os.path.join(folder, LIBRARY)):
        os.makedirs(folder, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            with open(os.path.join(SOURCE, "tests/cyclonedx", name), encoding="utf-8") as source:
                with open(os.path.join(folder, name), "w", encoding="utf-8") as copy:
                    copy.write(source.read())
        subprocess.run(["npm", "ci", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional",
                        "--prefer-offline", "--loglevel=error"], check=False, timeout=240)
    folder = os.path.join(folder, LIBRARY)
    return folder if os.path.exists(folder) else None


def validator():
    try:
        import jsonschema
    except ImportError:
        return None
    folder = schema_folder()
    if not folder:
        return None
    def load(name):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            return json.load(file)
    schema = load("bom-1.6.SNAPSHOT.schema.json")
    store = {}
    for name in ("spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json"):
        part = load(name)
        store[part["$id"]] = part
        store["http://cyclonedx.org/schema/" + name] = part
    return jsonschema.Draft7Validator(schema, resolver=jsonschema.RefResolver.from_schema(schema, store=store))


def parts_of(component):
    yield component
    for inside in component.get("components", []):
        yield from parts_of(inside)


def check_cyclonedx(store, rows, check):
    bom = json.loads(assets(store, "--format", "cyclonedx"))
    for error in check.iter_errors(bom):
        sys.exit(f"CycloneDX: {list(error.path)}: {error.message[:300]}")
    broken = json.loads(json.dumps(bom))
    broken["components"][0]["type"] = "toaster"
    assert list(check.iter_errors(broken)), "the check finds nothing wrong with a toaster"
    parts = [part for component in bom["components"] for part in parts_of(component)]
    refs = [part["bom-ref"] for part in parts]
    assert len(set(refs)) == len(refs)
    ids = {p["value"] for part in parts for p in part.get("properties", []) if p["name"] == "sightglass:asset_id"}
    assert ids == {row["asset_id"] for row in rows}


def main():
    with tempfile.TemporaryDirectory() as folder:
        capture = os.path.join(folder, "day.pcap")
        subprocess.run([sys.executable, os.path.join(SOURCE, "tests/plant/plantgen"), "--out", capture, "--hours", "1", "--attack", "none"],
                       check=True)
        store, other = (make_store(folder, name, capture) for name in ("one.db", "two.db"))
        rows = check_forms(store)
        assert [row["asset_id"] for row in rows] == [row["asset_id"] for row in rows_of(assets(other, "--format", "csv"))]
        run("run", "-r", capture, "-s", other, "-m", "detect")
        again = rows_of(assets(other, "--format", "csv"))
        assert [row["asset_id"] for row in rows] == [row["asset_id"] for row in again], "a second run gives other ids"
        check_choice(store, rows)
        check_netbox(store, rows)
        check = validator()
        if not check:
            print("skipped: python3-jsonschema or the npm package with CycloneDX's schema is not here")
            return SKIP
        check_cyclonedx(store, rows, check)
    return 0


if __name__ == "__main__":
    sys.exit(main())
