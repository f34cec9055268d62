#!/usr/bin/env python3
"""What an asset has to do with others, in its row of the export: peers, writers, the last change of its program, open alerts, risk.
Expected from the labels of the sample plant, the events and the alerts of the same run, and README's table of the risk."""
import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
import tempfile

SIGHTGLASS, SOURCE = os.environ["SIGHTGLASS"], os.environ["SOURCE"]
CHANGES = {"write", "control", "lock", "time_set", "file_write", "file_delete", "config_change", "mode_change", "start", "restart", "stop",
           "force", "program_modify", "program_delete", "program_download", "firmware_update"}
PROGRAM = {"program_modify", "program_delete", "program_download", "firmware_update"}


def run(*words):
    done = subprocess.run([SIGHTGLASS, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(words)}: {done.stderr[-800:]}")
    return done.stdout


def hosts_of(store):
    rows = csv.DictReader(io.StringIO(run("assets", "-s", store, "--format", "csv"), newline=""))
    return {row["ip"]: row for row in rows if row["ip"]}


def is_fetched(event):
    """An S7 controller asks for the blocks that its client wants to download."""
    return event["network"]["protocol"] == "s7comm" and event["source"].get("port") == 102


def seen(events):
    """By host: with whom it spoke, and who changed what in it, when last."""
    changes = {}
    for line in events:
        e = json.loads(line)
        operation = e["ot"].get("operation")
        if operation not in CHANGES or e["ot"]["direction"] == "response" or is_fetched(e):
            continue
        one = changes.setdefault(e["destination"]["ip"], {}).setdefault(e["source"]["ip"], {"operations": set(), "last": ""})
        one["operations"].add(operation)
        one["last"] = max(one["last"], e["@timestamp"])
        if operation in PROGRAM:
            one["program"] = max(one.get("program", ""), e["@timestamp"])
    return changes


def open_alerts(store):
    """By host: severities of the alerts about it."""
    open_ones = {}
    for line in run("alerts", "-s", store, "--format", "json").splitlines():
        alert = json.loads(line)
        ends = {alert.get(end, {}).get("ip") for end in ("source", "destination")} - {None}
        for ip in ends:
            open_ones.setdefault(ip, []).append(alert["event"]["severity"])
    return open_ones


def risk_of(row, severities):
    points = {"worst open alert": 5 * max(severities, default=0), "more open alerts": min(10, max(0, len(severities) - 1)),
              "talks to the internet": 15 if row["internet"] == "yes" else 0, "sources contradict": 5 if row["conflicts"] else 0,
              "programmed lately": 10 if row["last_program_change"] else 0}
    score = sum(points.values())
    if score and (row["safety"] == "yes" or row["criticality"] == "critical"):
        score += 10
    return f"{min(100, score)}, {max(points, key=points.get)}" if score else "0"


def check(condition, what):
    if not condition:
        sys.exit(what)


def check_writers(row, changes):
    told = {}
    for one in filter(None, row["writers"].split(";")):
        host, last, operations = one.rstrip(")").split(" ", 2)
        told[host] = (last, set(operations[1:].split(", ")))
    expected = {host: (one["last"], one["operations"]) for host, one in changes.items()}
    check(told == expected, f"writers of {row['ip']}: {told}, expected {expected}")
    programmed = max(((one["program"], host) for host, one in changes.items() if "program" in one), default=None)
    if programmed:
        check(row["last_program_change"].startswith(f"{programmed[0]} by {programmed[1]} ("), f"{row['ip']}: {row['last_program_change']}")
    else:
        check(row["last_program_change"] == "", f"{row['ip']}: {row['last_program_change']}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        capture, store, events = (os.path.join(folder, name) for name in ("day.pcap", "day.db", "events.jsonl"))
        subprocess.run([sys.executable, os.path.join(SOURCE, "tests/plant/plantgen"), "--out", capture, "--hours", "3"], check=True)
        run("run", "-r", capture, "-s", store, "-m", "auto", "--events", events)
        with open(capture + ".labels.json", encoding="utf-8") as file:
            labels = json.load(file)["labels"]
        with open(events, encoding="utf-8") as file:
            changes = seen(file)
        rows, alerts = hosts_of(store), open_alerts(store)
        downloads = [label for label in labels if label["expect"] == "plc.program-download"]
        check(downloads and alerts, "the plant has no attacks")
        for label in downloads:
            row = rows[label["target"]]
            check(f" by {label['actor']} (" in row["last_program_change"], f"{label['what']}: {row['last_program_change']}")
            check("programmed lately" in risk_of(row, []), "a download is no risk")
        for ip, row in rows.items():
            check_writers(row, changes.get(ip, {}))
            severities = alerts.get(ip, [])
            expected = f"{len(severities)}, highest {max(severities)}" if severities else "0"
            check(row["alerts_open"] == expected, f"alerts of {ip}: {row['alerts_open']}, expected {expected}")
            check(row["risk"] == risk_of(row, severities), f"risk of {ip}: {row['risk']}, expected {risk_of(row, severities)}")
            found = list(csv.DictReader(io.StringIO(run("assets", "-s", store, "--format", "csv", "--find", ip), newline="")))
            check(row in found and not any(ip in one["peers"] and ip not in one["ip"] for one in found), f"--find {ip} finds its peers")
        db = sqlite3.connect(store)
        pairs = db.execute("SELECT host_a, host_b FROM baseline_pairs").fetchall()
        for ip, row in rows.items():
            peers = {b if a == ip else a for a, b in pairs if ip in (a, b)} & set(rows)
            count, _, top = row["peers"].partition(": ")
            check(int(count) == len(peers) and set(filter(None, top.split(", "))) <= peers, f"peers of {ip}: {row['peers']}, expected {peers}")
            check(len(top.split(", ")) == min(5, len(peers)) or not peers, f"the top five of {ip}: {row['peers']}")
        busy = max(alerts, key=lambda ip: len(alerts[ip]))
        db.execute("INSERT INTO alert_triage(sensor, id, state, assignee, note, by, at_ms) SELECT sensor, id, 'closed', '', '', 'anna', 0"
                   " FROM alerts WHERE actor = ?1 OR target = ?1", (busy,))
        db.commit()
        db.close()
        check(hosts_of(store)[busy]["alerts_open"] == "0", "closed alerts count on")
    print(f"{len(rows)} hosts, {sum(len(v) for v in alerts.values())} ends of alerts, {len(changes)} hosts written to")
    return 0


if __name__ == "__main__":
    sys.exit(main())
