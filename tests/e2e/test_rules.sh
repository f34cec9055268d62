#!/bin/bash
# test_rules.sh: the rules that ship are sound and quiet; a rule of one's own is tried on a capture, enforced, told with its
# title, level and techniques, and switched off again; what is wrong in a rule is told with file, line and key.
set -eu
command -v python3 >/dev/null || { echo "python3 is not installed: skipped"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

"$SIGHTGLASS" rules check "$SOURCE/rules/builtin" >"$work/check" || fail "builtin: $(cat "$work/check")"
"$SIGHTGLASS" rules list "$SOURCE/rules/builtin" >"$work/list" || fail "list"
[ "$(wc -l <"$work/list")" -gt 10 ] || fail "list shows too little"
for file in "$SOURCE"/rules/builtin/*.yml; do
    grep -q '^tests:' "$file" || fail "$file has no tests"
done

python3 "$SOURCE/tests/plant/plantgen" --out "$work/day.pcap" --attack none
python3 "$SOURCE/tests/plant/plantgen" --out "$work/night.pcap" --attack night-download
"$SIGHTGLASS" rules test "$SOURCE/rules/builtin" -r "$work/day.pcap" >"$work/quiet" || fail "test: $(cat "$work/quiet")"
grep -q "^0 of" "$work/quiet" || fail "rules that ship match on a normal day: $(cat "$work/quiet")"

# many causes of one rule, and the same bytes in every run
cat >"$work/every.yml" <<'RULE'
title: Any read
id: 9a0f6f0e-3f4f-4a53-8f0c-7d1c1d0b7e21
logsource:
    product: sightglass
    category: ot
detection:
    selection:
        ot.operation: read
    condition: selection
level: low
RULE
printf 'rules:\n  files: ["%s"]\n' "$work/every.yml" >"$work/every.yaml"
for run in 1 2 3; do
    "$SIGHTGLASS" run -r "$work/day.pcap" -s :memory: -c "$work/every.yaml" --alerts "$work/every.$run" 2>/dev/null
    cmp "$work/every.1" "$work/every.$run" || fail "two runs with rules differ"
done
[ "$(grep -c '"rule.match"' "$work/every.1")" -gt 5 ] || fail "a rule that matches everything told too little"

cat >"$work/mine.yml" <<'RULE'
title: Download in the night
id: 5a1f0c52-8d1a-4d43-9f3b-2f1a7a0f5d11
logsource:
    product: sightglass
    service: s7comm
detection:
    selection:
        ot.operation: program_download
        ot.direction: request
    condition: selection
level: critical
tags: [attack.t0843]
tests:
    - shows: a download
      match: true
      event: {network.protocol: s7comm, ot.operation: program_download, ot.direction: request}
RULE
"$SIGHTGLASS" rules test "$work/mine.yml" -r "$work/night.pcap" >"$work/tried" || fail "test"
grep -q "critical.*Download in the night" "$work/tried" || fail "not tried: $(cat "$work/tried")"
"$SIGHTGLASS" rules test "$work/mine.yml" -r "$work/day.pcap" | grep -q "^0 of 1" || fail "matches on the quiet day"

printf 'rules:\n  files: [%s]\n' "$work/mine.yml" >"$work/on.yaml"
printf 'rules:\n  files: [%s]\n  disabled: [5a1f0c52-8d1a-4d43-9f3b-2f1a7a0f5d11]\n' "$work/mine.yml" >"$work/off.yaml"
"$SIGHTGLASS" run -r "$work/night.pcap" -c "$work/on.yaml" -s :memory: --alerts "$work/on.jsonl" 2>"$work/log" || fail "run: $(cat "$work/log")"
"$SIGHTGLASS" run -r "$work/night.pcap" -c "$work/off.yaml" -s :memory: --alerts "$work/off.jsonl" 2>"$work/log" || fail "run: $(cat "$work/log")"
python3 - "$work/on.jsonl" "$SOURCE/alerts/alert.schema.json" <<'PYTHON'
import json
import sys

lines = [json.loads(line) for line in open(sys.argv[1], encoding='utf-8')]
mine = [line for line in lines if line['rule']['id'] == 'rule.match']
assert mine, 'no alert of the rule'
first = mine[0]
assert first['rule']['name'] == 'Download in the night', first['rule']
assert first['rule']['uuid'] == '5a1f0c52-8d1a-4d43-9f3b-2f1a7a0f5d11', first['rule']
assert first['event']['severity'] == 9, first['event']
assert first['threat']['technique']['id'] == ['T0843'], first['threat']
assert 'Download in the night' in first['message'], first['message']
assert first['ot']['operation'] == 'program_download'
try:
    import jsonschema
    schema = json.load(open(sys.argv[2], encoding='utf-8'))
    for line in mine:
        jsonschema.Draft202012Validator(schema).validate(line)
except (ImportError, AttributeError):
    print('the schema was not checked')
PYTHON
"$SIGHTGLASS" rules check "$work/mine.yml" | grep -qx "1 rule, 1 test, 0 failed" || fail "one is not told as one"
! grep -q '"rule.match"' "$work/off.jsonl" || fail "a rule that is off still matches"

sed 's/ot.direction: request$/ot.direction|contain: request/' "$work/mine.yml" >"$work/broken.yml"
! "$SIGHTGLASS" rules check "$work/broken.yml" >"$work/out" 2>&1 || fail "a broken rule was taken"
grep -q 'broken.yml:9: key `detection.selection.ot.direction|contain`: modifier `contain` is not known' "$work/out" ||
    fail "the error does not say where: $(cat "$work/out")"
sed 's/match: true/match: false/' "$work/mine.yml" >"$work/wrong.yml"
! "$SIGHTGLASS" rules check "$work/wrong.yml" >"$work/out" 2>&1 || fail "a failing test was not told"
grep -q "a download: matches and should not" "$work/out" || fail "the failing test is not named: $(cat "$work/out")"

# The same rule over the history that a run has left in its store; a normal day fits into little.
"$SIGHTGLASS" run -r "$work/night.pcap" -s "$work/night.db" 2>"$work/log" || fail "run: $(cat "$work/log")"
"$SIGHTGLASS" rules test "$work/mine.yml" -s "$work/night.db" >"$work/tried" || fail "history: $(cat "$work/tried")"
grep -q "critical.*Download in the night" "$work/tried" || fail "not found in the history: $(cat "$work/tried")"
printf 'title: reads\nlogsource: {service: event}\ndetection: {s: {ot.operation: read, ot.direction: request}, condition: s}\n' >"$work/reads.yml"
of_history=$("$SIGHTGLASS" rules test "$work/reads.yml" -s "$work/night.db" | tail -1)
of_capture=$("$SIGHTGLASS" rules test "$work/reads.yml" -r "$work/night.pcap" | tail -1)
[ "$of_history" = "$of_capture" ] || fail "history: $of_history; capture: $of_capture"
printf 'retention:\n  history_megabytes: 0\n' >"$work/none.yaml"
"$SIGHTGLASS" run -r "$work/night.pcap" -c "$work/none.yaml" -s "$work/none.db" 2>"$work/log" || fail "run: $(cat "$work/log")"
"$SIGHTGLASS" rules test "$work/mine.yml" -s "$work/none.db" | grep -q "no history" || fail "a history although none was wanted"
