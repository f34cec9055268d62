#!/bin/bash
# test_what_if.sh: what a policy and a baseline would have raised, tried on the event history of a store: the same types that
# they raise when they are enforced, nothing on a normal day, and nothing is changed by trying.
set -eu
: "${SIGHTGLASS:?}" "${SOURCE:?}"
command -v python3 >/dev/null || { echo "python3 is not installed: skipped"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() {
    echo "FAILED: $*" >&2
    exit 1
}
python3 "$SOURCE/tests/plant/plantgen" --out day.pcap --hours 1 --attack none >gen.log || fail "plantgen"
python3 "$SOURCE/tests/plant/plantgen" --out attack.pcap --hours 1 --attack all >gen.log || fail "plantgen"
judged='^(rw\.new-.*|rw\.value-out-of-range|rw\.read-sweep|rw\.alarm-limit-write|comm\.new-link|comm\.new-protocol)$'

# The baseline of a normal day, over the day itself and over a day with attacks.
"$SIGHTGLASS" run -r day.pcap -s plant.db -m learn 2>log || fail "learn: $(cat log)"
"$SIGHTGLASS" baseline export -s plant.db >day.yaml || fail "export"
"$SIGHTGLASS" baseline test -s plant.db >quiet || fail "baseline test: $(cat quiet)"
grep -q '^[0-9]* events in [0-9]* rows of history, ' quiet || fail "no history was read: $(cat quiet)"
grep -qx 'the baseline would have raised 0 alerts' quiet || fail "a normal day is not quiet: $(cat quiet)"
cp plant.db enforced.db
"$SIGHTGLASS" run -r attack.pcap -s enforced.db -m detect --alerts alerts.jsonl 2>log || fail "detect: $(cat log)"
grep -o '"rule":{"id":"[a-z.-]*"' alerts.jsonl | cut -d'"' -f6 | sort -u | grep -E "$judged" >raised || fail "the attacks raise nothing"
"$SIGHTGLASS" baseline export -s enforced.db >before.yaml
"$SIGHTGLASS" baseline test -s enforced.db >tried || fail "baseline test: $(cat tried)"
"$SIGHTGLASS" baseline export -s enforced.db >after.yaml
cmp before.yaml after.yaml || fail "trying changed the baseline"
sed -nE 's/^([a-z.-]+): [0-9]+ alerts?, [0-9]+ times$/\1/p' tried | sort -u | grep -E "$judged" >would || true
diff raised would || fail "tried and enforced differ: $(cat tried)"

# A sensor that has learned the attacks finds nothing in them; the document from before does.
cp plant.db naive.db
"$SIGHTGLASS" run -r attack.pcap -s naive.db -m learn 2>log || fail "learn: $(cat log)"
"$SIGHTGLASS" baseline test -s naive.db | grep -qx 'the baseline would have raised 0 alerts' || fail "what was learned is told"
"$SIGHTGLASS" baseline test -s naive.db day.yaml >tried || fail "baseline test FILE: $(cat tried)"
sed -nE 's/^([a-z.-]+): [0-9]+ alerts?, [0-9]+ times$/\1/p' tried | sort -u | grep -E "$judged" >would || true
diff raised would || fail "the document tried and enforced differ: $(cat tried)"

# A policy: the same types and counts of alerts over the history as over the capture that it comes from.
cat >policy.yaml <<'Y'
zones:
- {name: line, level: 1, subnets: 192.168.40.0/27}
- {name: other, level: 3, subnets: 192.168.40.32/27}
conduits:
- {from: line, to: line}
Y
"$SIGHTGLASS" policy check policy.yaml >check 2>&1 || fail "$(cat check)"
"$SIGHTGLASS" policy test policy.yaml -r attack.pcap 2>log | sed -nE '/^besides/q; s/^(seg[a-z.-]+: [0-9]+ alerts?),.*/\1/p' >of_capture
rm -f history.db
"$SIGHTGLASS" run -r attack.pcap -s history.db -m learn 2>log || fail "run: $(cat log)"
"$SIGHTGLASS" policy test policy.yaml -s history.db >tried || fail "policy test -s: $(cat tried)"
sed -nE '/^besides/q; s/^(seg[a-z.-]+: [0-9]+ alerts?),.*/\1/p' tried >of_history
[ -s of_capture ] || fail "the policy raises nothing"
diff of_capture of_history || fail "history and capture differ: $(cat tried)"
printf 'zones:\n- {name: all, level: 1, subnets: 192.168.0.0/16}\n' >wide.yaml
"$SIGHTGLASS" policy test wide.yaml -s plant.db | grep -qx 'the policy would have raised 0 alerts' || fail "a wide policy is not quiet"

# Without a history there is nothing to try on; two sources are one too many.
printf 'retention:\n  history_megabytes: 0\n' >none.yaml
"$SIGHTGLASS" run -r day.pcap -c none.yaml -s none.db 2>log || fail "run: $(cat log)"
"$SIGHTGLASS" baseline test -s none.db | grep -q 'no history' || fail "a history although none was wanted"
"$SIGHTGLASS" policy test policy.yaml -s none.db | grep -q 'no history' || fail "a history although none was wanted"
"$SIGHTGLASS" policy test policy.yaml -s plant.db -r day.pcap 2>/dev/null && fail "two sources were taken"
"$SIGHTGLASS" policy test policy.yaml 2>/dev/null && fail "no source was taken"
"$SIGHTGLASS" baseline test -s plant.db missing.yaml 2>/dev/null && fail "a missing document was taken"
echo passed
