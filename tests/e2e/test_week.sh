#!/bin/bash
# A week of the sample plant in auto mode: nothing of severity medium or above, and every scope of a conversation that
# repeats has settled, sooner than an hour and three quarters; how long each took is printed.
set -eu
command -v python3 >/dev/null || { echo "python3 is not installed: skipped"; exit 77; }
plantgen=$SOURCE/tests/plant/plantgen
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

python3 "$plantgen" --out "$work/week.pcap" --week --attack none
[ "$(wc -c <"$work/week.pcap")" -lt 30000000 ] || fail "the week is larger than 30 MB"
"$SIGHTGLASS" run -r "$work/week.pcap" -s "$work/week.db" -m auto --alerts "$work/alerts.jsonl" 2>"$work/log" ||
    { cat "$work/log"; fail "run failed"; }
"$SIGHTGLASS" baseline show -s "$work/week.db" | tee "$work/show"
[ "$(grep -c 'settled.*after [0-9]* min.*settled.*after [0-9]* min' "$work/show")" -ge 7 ] || fail "fewer than 7 conversations have settled"
grep -q 'pairs of devices: settled' "$work/show" || fail "the pairs of devices have not settled"

python3 - "$work" <<'PYTHON'
import json
import re
import sys

work = sys.argv[1]
wrong = []
last = {}
with open(f"{work}/alerts.jsonl", encoding="utf-8") as lines:
    for line in lines:
        alert = json.loads(line)
        last[alert["event"]["id"]] = alert
for alert in last.values():
    print(alert["@timestamp"], alert["event"]["severity"], alert["rule"]["id"], alert["message"])
    if alert["event"]["severity"] >= 5:
        wrong.append(f"severity {alert['event']['severity']}: {alert['rule']['id']}")
if len(last) > 3:
    wrong.append(f"{len(last)} alerts in a week in which nothing happened")
with open(f"{work}/show", encoding="utf-8") as lines:
    for minutes in re.findall(r"after (\d+) min", lines.read()):
        if int(minutes) > 105:
            wrong.append(f"a scope settled after {minutes} minutes only")
for line in wrong:
    print("FAILED:", line)
sys.exit(1 if wrong else 0)
PYTHON
