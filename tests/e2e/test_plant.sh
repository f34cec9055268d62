#!/bin/sh
# The sample plant day: the night download is told with block, size and SHA-256 as the generator sent them; the same
# day without it raises nothing about controllers; the same arguments give the same bytes.
set -eu
command -v python3 >/dev/null || { echo "python3 is not installed: skipped"; exit 77; }
plantgen=$SOURCE/tests/plant/plantgen
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "$*" >&2
    exit 1
}

for attack in none night-download all; do
    python3 "$plantgen" --out "$work/$attack.pcap" --attack $attack
    "$SIGHTGLASS" run -r "$work/$attack.pcap" -s :memory: -m auto --alerts "$work/$attack.jsonl" 2>"$work/log" ||
        { cat "$work/log"; fail "$attack: run failed"; }
done

python3 "$plantgen" --out "$work/again.pcap" --attack night-download
cmp "$work/night-download.pcap" "$work/again.pcap" || fail "the generator is not deterministic"
python3 "$plantgen" --out "$work/other.pcap" --attack night-download --seed 2
! cmp -s "$work/night-download.pcap" "$work/other.pcap" || fail "the seed changes nothing"
[ "$(wc -c <"$work/night-download.pcap")" -lt 30000000 ] || fail "the day is larger than 30 MB"

python3 - "$work" <<'PYTHON'
import json
import sys


def alerts(name):
    last = {}
    with open(f"{sys.argv[1]}/{name}.jsonl", encoding="utf-8") as lines:
        for line in lines:
            alert = json.loads(line)
            last[alert["event"]["id"]] = alert
    return list(last.values())


def labels(name):
    with open(f"{sys.argv[1]}/{name}.pcap.labels.json", encoding="utf-8") as file:
        return json.load(file)["labels"]


def told(name, label):
    return [alert for alert in alerts(name) if alert["rule"]["id"] == label["expect"]
            and alert["source"]["ip"] == label["actor"] and alert["destination"]["ip"] == label["target"]]


wrong = [f"none: {a['rule']['id']}: {a['message']}" for a in alerts("none")]
for name in ("night-download", "all"):
    assert labels(name), "the generator has no labels"
    for label in labels(name):
        found = told(name, label)
        if not found:
            wrong.append(f"{name}: {label['expect']} is missing: {label['what']}")
        elif "sha256" in label:
            text = json.dumps(found[0])
            for key in ("object", "size", "sha256"):
                if str(label[key]) not in text:
                    wrong.append(f"{name}: the alert does not tell the {key} {label[key]}: {text}")
for line in wrong:
    print(line)
sys.exit(1 if wrong else 0)
PYTHON
