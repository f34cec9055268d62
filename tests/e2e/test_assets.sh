#!/bin/bash
# test_assets.sh: the inventory of the sample plant day as table, CSV and JSON; the doctor's verdicts.
set -eu
command -v python3 >/dev/null || { echo "skipped: no python3"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

python3 "$SOURCE/tests/plant/plantgen" --out "$work/day.pcap" --hours 2 --attack none
for store in one two; do
    "$SIGHTGLASS" run -r "$work/day.pcap" -s "$work/$store.db" -m learn 2>"$work/log" || fail "run: $(cat "$work/log")"
    "$SIGHTGLASS" assets -s "$work/$store.db" --format csv >"$work/$store.csv"
    "$SIGHTGLASS" assets -s "$work/$store.db" --format ndjson >"$work/$store.json"
done
cmp "$work/one.csv" "$work/two.csv" || fail "the same capture gives another inventory"

python3 - "$work" "$work/day.pcap.labels.json" <<'PYTHON' || fail "the export"
import csv
import json
import sys

work = sys.argv[1]
with open(f"{work}/one.csv", newline="", encoding="utf-8") as file:
    rows = list(csv.DictReader(file))
lines = [json.loads(line) for line in open(f"{work}/one.json", encoding="utf-8")]
assert rows and len(rows[0]) == 60 and list(rows[0])[0] == "asset_id" and list(rows[0])[59] == "schema"
assert [row["asset_id"] for row in rows] == [line["asset_id"] for line in lines]
classes = {row["ip"]: row["asset_class"] for row in rows}
assert sorted(classes.values()).count("plc") == 3, classes
dosing = next(row for row in rows if row["name"] == "DOSING")
assert dosing["protocols_served"] == "s7comm" and dosing["ports_open"].startswith("tcp/102"), dosing
assert "CPU 315-2 PN/DP" in dosing["model"], dosing
PYTHON

"$SIGHTGLASS" assets -s "$work/one.db" >"$work/table"
awk 'length > 120 { exit 1 }' "$work/table" || fail "the table is wider than 120 characters"
"$SIGHTGLASS" assets -s "$work/one.db" --format xml 2>/dev/null && fail "an unknown format is accepted"
"$SIGHTGLASS" assets -s "$work/none.db" 2>"$work/log" && fail "a store that is not there is accepted"
grep -q "none.db" "$work/log" || fail "the message does not name the store"

"$SIGHTGLASS" doctor -s "$work/one.db" >"$work/doctor" || fail "doctor: $(cat "$work/doctor")"
[ "$(grep -c '^ok  *controller ' "$work/doctor")" = 3 ] || fail "doctor sees other controllers: $(cat "$work/doctor")"
"$SIGHTGLASS" doctor -s "$work/none.db" >"$work/doctor" && fail "doctor finds a missing store well"
grep -q '^PROBLEM' "$work/doctor" || fail "doctor does not say what is wrong"
grep -q -- '->' "$work/doctor" || fail "doctor does not say what to do"
exit 0
