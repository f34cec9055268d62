#!/usr/bin/env python3
"""Every one of the sixty columns is filled in a real run where somebody tells it: the traffic of the sample plant, its site policy, its
own list and a decision; the rest in public captures, when they are here. Every form of the export carries what is filled."""
import csv
import io
import json
import os
import subprocess
import sys
import tempfile

SIGHTGLASS, SOURCE = os.environ["SIGHTGLASS"], os.environ["SOURCE"]
CAPTURES = os.path.join(SOURCE, "..", "shared", "captures")

POLICY = """policy:
  hosts:
    pumps: 192.168.40.101
    dosing: 192.168.40.102
  zones:
    - {name: cell, level: 1, hosts: [pumps, dosing, 192.168.40.103]}
    - {name: supervision, level: 2, subnets: 192.168.40.0/24}
  conduits:
    - {from: supervision, to: cell}
  safety_assets: dosing
  critical_assets: pumps
"""
LIST = [["IP", "CMDB ID", "Owner", "Location", "Description", "Tags"],
        ["192.168.40.101", "INV-7", "shift B", "pump house", "raw water pumps", "water;pumps"]]

# column, host, value of it or the beginning of it: what the plant's generator sends, the policy, the list and the decision say
PLANT = [
    ("asset_id", "192.168.40.101", "a-"),
    ("name", "192.168.40.102", "DOSING"),
    ("asset_class", "192.168.40.103", "plc"),
    ("role", "192.168.40.21", "operator"),
    ("vendor", "192.168.40.101", "Riverside Controls"),
    ("model", "192.168.40.102", "CPU 315-2 PN/DP"),
    ("order_number", "192.168.40.102", "6ES7 315-2EH14-0AB0"),
    ("serial_number", "192.168.40.103", "00c0ffee"),
    ("hardware_version", "192.168.40.102", "5"),
    ("firmware_version", "192.168.40.103", "32.11"),
    ("ip", "192.168.40.103", "192.168.40.103"),
    ("mac", "192.168.40.103", "00:00:bc:40:01:03"),
    ("protocol_names", "192.168.40.102", "CPU 315-2 PN/DP;DOSING;WATER WORKS"),
    ("rack", "192.168.40.102", "0"),
    ("slot", "192.168.40.102", "2"),
    ("modules", "192.168.40.103", "unit 1/0: 1756-L83E/B"),
    ("site", "192.168.40.21", "plant"),
    ("zone", "192.168.40.103", "cell"),
    ("purdue_level", "192.168.40.21", "2"),
    ("segment", "192.168.40.21", "default"),
    ("criticality", "192.168.40.101", "critical"),
    ("safety", "192.168.40.102", "yes"),
    ("authorised", "192.168.40.31", "yes, by anna, "),
    ("status", "192.168.40.21", "active"),
    ("operating_mode", "192.168.40.102", "run"),
    ("program_id", "192.168.40.102", "SHA-256 "),
    ("protocols_served", "192.168.40.101", "modbus"),
    ("protocols_used", "192.168.40.23", "enip;cip"),
    ("ports_open", "192.168.40.102", "tcp/102 s7comm"),
    ("peers", "192.168.40.101", "2: 192.168.40."),
    ("writers", "192.168.40.103", "192.168.40.23 2026-03-02T"),
    ("encrypted_share", "192.168.40.101", "0%"),
    ("first_seen", "192.168.40.101", "2026-03-02T06:"),
    ("last_seen", "192.168.40.101", "2026-03-02T0"),
    ("last_program_change", "192.168.40.102", "2026-03-02T"),
    ("sensor", "192.168.40.101", ""),
    ("alerts_open", "192.168.40.102", ""),
    ("risk", "192.168.40.102", ""),
    ("confidence", "192.168.40.102", "class 90, vendor 30, model 90"),
    ("sources", "192.168.40.103", "asset_class: inferred, "),
    ("declared_match", "192.168.40.101", "yes"),
    ("declared_match", "192.168.40.102", "no"),
    ("location", "192.168.40.101", "pump house"),
    ("owner", "192.168.40.101", "shift B"),
    ("description", "192.168.40.101", "raw water pumps"),
    ("tags", "192.168.40.101", "water;pumps"),
    ("cmdb_id", "192.168.40.101", "INV-7"),
    ("schema", "192.168.40.101", "1"),
]
# what the sample plant has not: capture, columns that are filled by it in one row or another
ELSEWHERE = [
    ("l2/lldp_and_cdp.pcap", ("os", "hostname", "switch_port")),
    ("melsec/melsoft_UDP_unclean_1.pcap", ("conflicts",)),
    ("profinet/icsnpp_mixed_1.pcap", ("ip_other",)),
    ("enip/lsw_cip.pcap", ("key_switch",)),
    ("enip/cl5000_ip_address_change.pcap", ("parent_asset_id",)),
    ("mixed/agentcarter_teb.pcapng", ("protection", "mac_other")),
    ("goose/goose_demo.pcap", ("vlan",)),
    ("bacnet/icsnpp_example.pcap", ("software_version",)),
    ("it/arppoison.pcapng", ("internet",)),
    ("s7comm-plus/s71500-change.pcapng", ("last_changed",)),
]


def run(*words, given=None):
    done = subprocess.run([SIGHTGLASS, *words], capture_output=True, check=False, input=given)
    if done.returncode:
        sys.exit(f"{' '.join(words)}: exit {done.returncode}: {done.stderr[-800:]}")
    return done.stdout.decode()


def rows_of(store, form="csv"):
    return list(csv.DictReader(io.StringIO(run("assets", "-s", store, "--format", form), newline="")))


def plain(cell):
    """A guard against formulas is of CSV only."""
    return cell[1:] if cell[:1] == "'" else cell


def devices_of(components):
    """What stands behind a device is inside it."""
    for one in components:
        if one["type"] == "device":
            yield one
        yield from devices_of(one.get("components", []))


def wrong_in_forms(store, rows):
    """The other forms say the same."""
    whole = json.loads(run("assets", "-s", store, "--format", "json"))
    lines = [json.loads(line) for line in run("assets", "-s", store, "--format", "ndjson").splitlines()]
    netbox = rows_of(store, "netbox")
    devices = devices_of(json.loads(run("assets", "-s", store, "--format", "cyclonedx"))["components"])
    parts = {part["bom-ref"].rpartition("@")[0]: part for part in devices}
    if not len(rows) == len(whole) == len(lines) == len(netbox) == len(parts):
        yield f"rows: {len(rows)} CSV, {len(whole)} JSON, {len(lines)} NDJSON, {len(netbox)} NetBox, {len(parts)} CycloneDX"
        return
    for row, one, line, device in zip(rows, whole, lines, netbox):
        told = {key: plain(value) for key, value in row.items() if value}
        for form, other in (("json", one), ("ndjson", line)):
            text = {key: ";".join(value) if isinstance(value, list) else value for key, value in other.items() if value}
            if text != told:
                yield f"{form}: {set(text.items()) ^ set(told.items())}"
        if device["asset_tag"] != row["asset_id"] or device["serial"] != row["serial_number"]:
            yield f"netbox: {device}"
        texts = json.dumps(parts[row["asset_id"]], ensure_ascii=False)
        missing = [key for key in ("model", "serial_number", "firmware_version", "ip", "mac", "declared_match", "zone")
                   if told.get(key) and json.dumps(told[key], ensure_ascii=False)[1:-1] not in texts]
        if missing:
            yield f"cyclonedx: {row['asset_id']} lacks {missing}"


def plant(folder):
    capture, store, config, policy, listed = (os.path.join(folder, name) for name in ("p.pcap", "p.db", "c.yaml", "p.yaml", "l.csv"))
    subprocess.run([sys.executable, os.path.join(SOURCE, "tests/plant/plantgen"), "--out", capture, "--hours", "3"], check=True)
    for path, text in ((config, f"sensor:\n  site: plant\npolicy: {policy}\n"), (policy, POLICY)):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    with open(listed, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(LIST)
    run("run", "-r", capture, "-s", store, "-m", "learn", "-c", config)
    run("baseline", "approve", "-s", store, "--detection", "asset.new", "--actor", "192.168.40.31", "--by", "anna")
    run("assets", "import", "-s", store, listed)
    rows = rows_of(store)
    found = {row["ip"]: row for row in rows}
    for column, ip, value in PLANT:
        cell = found.get(ip, {}).get(column, "")
        if not cell or not cell.startswith(value):
            yield f"{column} of {ip} is \"{cell}\", not \"{value}\""
    yield from wrong_in_forms(store, rows)


def elsewhere(folder):
    for i, (capture, columns) in enumerate(ELSEWHERE):
        store = os.path.join(folder, f"{i}.db")
        run("run", "-r", os.path.join(CAPTURES, capture), "-s", store, "-m", "learn")
        rows = rows_of(store)
        for column in columns:
            if not any(row[column] for row in rows):
                yield f"{column} is empty in {capture}"
        yield from wrong_in_forms(store, rows)


def main():
    with tempfile.TemporaryDirectory() as folder:
        wrong = list(plant(folder))
        known = {column for column, _, _ in PLANT}
        if os.path.exists(CAPTURES):
            wrong += elsewhere(folder)
            known |= {column for _, columns in ELSEWHERE for column in columns}
            columns = run("assets", "-s", os.path.join(folder, "0.db"), "--format", "csv").splitlines()[0].split(",")
            wrong += [f"no row for the column {column}" for column in columns if column not in known]
        else:
            print("shared captures are not here: the sample plant only")
    print("\n".join(wrong) or f"{len(known)} columns are filled")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
