#!/usr/bin/env python3
"""Every host of the bottling line is taken for what the README of its captures says it is, and stands at its Purdue level: after
learning, after every attack on it, and with its site policy. What only the policy or an action can tell is not guessed before."""
import csv
import io
import os
import subprocess
import sys
import tempfile

SIGHTGLASS, SOURCE = os.environ["SIGHTGLASS"], os.environ["SOURCE"]
TESTBED = os.path.join(SOURCE, "..", "shared", "testbed")
SKIP = 77

# address, class, Purdue level: by the README's table of hosts
HOSTS = [
    ("172.21.5.254", "router", "3.5"),
    ("172.21.5.250", "switch", "1"),
    ("172.21.5.10", "hmi", "2"),
    ("172.21.5.11", "hmi", "2"),
    ("172.21.5.20", "engineering", "2"),
    ("172.21.5.30", "historian", "3"),
    ("172.21.5.101", "plc", "1"),
    ("172.21.5.102", "plc", "1"),
    ("172.21.5.103", "plc", "1"),
    ("172.21.5.104", "plc", "1"),
    ("172.21.5.110", "rtu", "1"),
    ("172.21.5.120", "server", "2"),
    ("172.21.5.130", "plc", "1"),
    ("172.21.5.140", "server", "2"),
    ("172.21.9.40", "pc", "4"),
]
# in normal operation the engineering station only opens a web page and sets its clock
UNTOLD = {"172.21.5.20": ("pc", "")}


def run(capture, store, *words):
    done = subprocess.run([SIGHTGLASS, "run", "-r", os.path.join(TESTBED, capture), "-s", store, *words], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        sys.exit(f"{capture}: {done.stderr[-500:]}")


def wrong_of(store, when, exceptions):
    done = subprocess.run([SIGHTGLASS, "assets", "-s", store, "--format", "csv"], capture_output=True, text=True, check=True)
    found = {row["ip"]: row for row in csv.DictReader(io.StringIO(done.stdout, newline=""))}
    for ip, asset_class, level in HOSTS:
        asset_class, level = exceptions.get(ip, (asset_class, level))
        row = found.get(ip, {})
        if (row.get("asset_class"), row.get("purdue_level")) != (asset_class, level):
            yield f"{when}: {ip} is {asset_class} at {level}, not {row.get('asset_class')} at {row.get('purdue_level')}"
        if "asset_class: inferred, " not in row.get("sources", ""):
            yield f"{when}: {ip} does not say why: {row.get('sources')}"


def main():
    if not os.path.exists(os.path.join(TESTBED, "normal-learn.pcap")):
        print("shared captures are not here: skipped")
        return SKIP
    with tempfile.TemporaryDirectory() as folder:
        store, placed = os.path.join(folder, "one.db"), os.path.join(folder, "two.db")
        config = os.path.join(folder, "config.yaml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"policy: {os.path.join(SOURCE, 'tests/e2e/testbed-policy.yaml')}\n")
        run("normal-learn.pcap", store, "-m", "learn")
        run("normal-learn.pcap", placed, "-m", "learn", "-c", config)
        wrong = [*wrong_of(store, "after learning", UNTOLD), *wrong_of(placed, "with the site policy", {})]
        for name in sorted(os.listdir(TESTBED)):
            if name.startswith("attack-") and name.endswith(".pcap"):
                run(name, store, "-m", "detect")
        wrong += wrong_of(store, "after the attacks", {})
    print("\n".join(wrong) or f"{len(HOSTS)} hosts, three times")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
