#!/bin/bash
# The site policy on the sample plant: faults name file, line and key; zones are judged; what a maintenance window permits
# becomes a record that `policy report` lists, and the rest still alerts.
set -u
: "${SIGHTGLASS:?}" "${SOURCE:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
    echo "FAILED: $*"
    exit 1
}
python3 "$SOURCE/tests/plant/plantgen" --out "$work/day.pcap" --hours 1 --attack all >"$work/gen.log" 2>&1 || fail "plantgen"

"$SIGHTGLASS" policy check "$SOURCE/sightglass-policy.yaml.example" | grep -q '5 zones, 5 conduits' || fail "the example is refused"
printf 'sensor:\n  name: a\npolicy:\n  zones:\n  - name: a\n    levels: 1\n' >"$work/bad.yaml"
"$SIGHTGLASS" policy check "$work/bad.yaml" 2>"$work/err" && fail "a fault is accepted"
grep -q 'bad.yaml:6: policy key `zones.levels` is unknown' "$work/err" || fail "$(cat "$work/err")"
"$SIGHTGLASS" run -c "$work/bad.yaml" -r "$work/day.pcap" -s :memory: 2>"$work/err" && fail "run takes a broken policy"

cat >"$work/policy.yaml" <<'Y'
zones:
- {name: plant, level: 1, subnets: 192.168.40.0/24}
windows:
- {name: commissioning, ticket: CHG-7, who: 192.168.40.31, operations: [stop, program_download],
   start: 2000-01-01, end: 2100-01-01}
Y
printf 'policy: policy.yaml\n' >"$work/config.yaml"
"$SIGHTGLASS" run -c "$work/config.yaml" -r "$work/day.pcap" -s "$work/store.db" --alerts "$work/alerts.jsonl" 2>"$work/run.log" ||
    fail "$(cat "$work/run.log")"
"$SIGHTGLASS" policy report -s "$work/store.db" --format json >"$work/report.jsonl" || fail "report"
"$SIGHTGLASS" policy report -s "$work/store.db" | grep -q '^commissioning, ticket CHG-7' || fail "report as a table"
"$SIGHTGLASS" assets -s "$work/store.db" --format ndjson >"$work/assets.json" || fail "assets"
"$SIGHTGLASS" policy test "$work/policy.yaml" -r "$work/day.pcap" 2>/dev/null | grep -q '^change.maintenance-record: ' || fail "policy test"

python3 - "$work" <<'PY' || fail "records"
import json, sys
work = sys.argv[1]
alerts = {}
for line in open(f'{work}/alerts.jsonl'):
    a = json.loads(line)
    alerts[a['event']['id']] = a
records = [a for a in alerts.values() if a['rule']['id'] == 'change.maintenance-record']
permitted = {a['sightglass']['window'].get('permitted') for a in records}
rules = {a['rule']['id'] for a in alerts.values()}
assert {'plc.stop', 'plc.program-download'} <= permitted, permitted
assert not {'plc.stop', 'plc.program-download'} & rules, rules
assert all(a['event']['severity'] == 1 for a in records), [a['event']['severity'] for a in records]
assert all(a['sightglass']['window']['ticket'] == 'CHG-7' for a in records)
assert rules - {'change.maintenance-record'}, 'the window swallowed everything'
zones = {a['sightglass'].get('target', {}).get('zone') for a in records}
assert zones == {'plant'}, zones
report = [json.loads(l) for l in open(f'{work}/report.jsonl')]
assert {'plc.stop', 'plc.program-download'} <= {r['rule'] for r in report}, report
download = [r for r in report if r['rule'] == 'plc.program-download']
assert all(len(r['sha256']) == 64 and r['actor'] == '192.168.40.31' for r in download if 'sha256' in r), download
assert any('sha256' in r for r in download), download
PY
echo passed
