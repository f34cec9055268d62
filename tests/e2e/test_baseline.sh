#!/bin/bash
# test_baseline.sh: learn a plant, review the baseline as a document, edit it, decide, and see the sensor obey.
set -eu
capture="$SOURCE/../shared/testbed"
if [ ! -e "$capture/normal-learn.pcap" ]; then
    echo "skipped: no ../shared/testbed"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
store="$work/learned.db"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}
detect() { # detect CAPTURE: the rule ids raised on a copy of the store
    rm -f "$work"/copy.db*
    cp "$store" "$work/copy.db"
    "$SIGHTGLASS" run -r "$capture/$1" -s "$work/copy.db" -m detect --alerts "$work/alerts.jsonl" 2>"$work/log" || fail "run: $(cat "$work/log")"
    grep -o '"rule":{"id":"[a-z.-]*"' "$work/alerts.jsonl" | cut -d'"' -f6 | sort -u >"$work/rules"
}
raised() { grep -qx "$1" "$work/rules"; }

"$SIGHTGLASS" run -r "$capture/normal-learn.pcap" -s "$store" -m learn 2>"$work/log" || fail "learn: $(cat "$work/log")"

for dimension in conversations operations objects values; do
    "$SIGHTGLASS" baseline show -s "$store" --dimension $dimension >"$work/$dimension" || fail "show $dimension"
    [ "$(wc -l <"$work/$dimension")" -gt 5 ] || fail "show $dimension says nothing"
done
grep -q "172.21.5.10 .*172.21.5.101 .*modbus" "$work/conversations" || fail "the polling of a PLC is not shown"

"$SIGHTGLASS" baseline export -s "$store" >"$work/a.yaml"
"$SIGHTGLASS" baseline import -s "$store" "$work/a.yaml" || fail "import of an export"
"$SIGHTGLASS" baseline export -s "$store" >"$work/b.yaml"
cmp "$work/a.yaml" "$work/b.yaml" || fail "export, import, export differ"

detect attack-02-modbus-hmi.pcap
for rule in rw.new-function rw.new-address rw.value-out-of-range; do
    raised $rule || fail "$rule is not raised: $(tr '\n' ' ' <"$work/rules")"
done

# what a person writes into the document is normal
sed -e 's/ranges: "260, 270-272"/ranges: "260, 270-272, 300"/' \
    -e '/address: 260,/s/low: 20, high: 35/low: 20, high: 1000/' "$work/a.yaml" >"$work/edited.yaml"
"$SIGHTGLASS" baseline import -s "$store" "$work/edited.yaml" --by ann --why "new recipe" || fail "import of an edit"
detect attack-02-modbus-hmi.pcap
raised rw.new-function || fail "rw.new-function is not raised after the edit"
raised audit.policy-changed || fail "the import is not told as audit.policy-changed"
grep -qi "ann imported a baseline document" "$work/alerts.jsonl" || fail "who imported is not told"
raised rw.new-address && fail "rw.new-address in spite of the edit"
raised rw.value-out-of-range && fail "rw.value-out-of-range in spite of the edit"

# what two documents say otherwise, and what the store says otherwise than a document
"$SIGHTGLASS" baseline diff "$work/a.yaml" "$work/b.yaml" >"$work/diff" || fail "two equal documents differ: $(cat "$work/diff")"
set +e
"$SIGHTGLASS" baseline diff "$work/a.yaml" "$work/edited.yaml" >"$work/diff"
[ $? = 1 ] || fail "two documents do not differ"
"$SIGHTGLASS" baseline diff -s "$store" "$work/a.yaml" >"$work/stored"
[ $? = 1 ] || fail "a document and the edited store do not differ"
"$SIGHTGLASS" baseline diff -s "$store" "$work/missing.yaml" 2>/dev/null
[ $? = 2 ] || fail "a missing document is no error"
set -e
grep -q '^- .*ranges: "260, 270-272"' "$work/diff" || fail "diff does not show what was: $(cat "$work/diff")"
grep -q '^+ .*ranges: "260, 270-272, 300"' "$work/diff" || fail "diff does not show what is: $(cat "$work/diff")"
cmp -s "$work/diff" "$work/stored" || fail "the store differs otherwise: $(cat "$work/stored")"
[ "$(sqlite3 "$store" "SELECT count(*) FROM baseline_audit WHERE by = 'ann' AND why = 'new recipe'" 2>/dev/null || echo 1)" = 1 ] || fail "the import is not audited"

# a decision
detect attack-03-modbus-new-writer.pcap
raised rw.new-writer || fail "rw.new-writer is not raised"
"$SIGHTGLASS" baseline approve -s "$store" --detection rw.new-writer --target 172.21.5.101 --by ann --why "tests" >"$work/said" || fail "approve"
grep -qx "approved rw.new-writer by anyone on 172.21.5.101" "$work/said" || fail "approve said: $(cat "$work/said")"
detect attack-03-modbus-new-writer.pcap
raised rw.new-writer && fail "rw.new-writer in spite of the approval"
"$SIGHTGLASS" baseline reject -s "$store" --detection rw.new-writer --target 172.21.5.101 --by bob >/dev/null || fail "reject"
detect attack-03-modbus-new-writer.pcap
raised rw.new-writer || fail "rw.new-writer is not raised after the rejection"

# what is wrong says where
sed 's/ranges: "200-211"/ranges: "211-200"/' "$work/a.yaml" >"$work/wrong.yaml"
"$SIGHTGLASS" baseline import -s "$store" "$work/wrong.yaml" 2>"$work/log" && fail "a wrong document was taken"
line=$(grep -n 'ranges: "211-200"' "$work/wrong.yaml" | cut -d: -f1)
grep -q "wrong.yaml: line $line: ranges: is no list" "$work/log" || fail "import said: $(cat "$work/log")"
for call in "" "dance" "import" "approve 12" "approve --detection rw.nothing" "approve --detection rw.new-writer" "show --dimension colour"; do
    # shellcheck disable=SC2086
    "$SIGHTGLASS" baseline $call -s "$store" >"$work/said" 2>&1 && fail "taken: baseline $call"
done
"$SIGHTGLASS" baseline show -s "$work/none.db" 2>"$work/log" && fail "a store that is not there was shown"
echo "ok"
