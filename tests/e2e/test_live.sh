#!/bin/bash
# Live capture: packets replayed into a veth pair inside a network namespace of our own are seen, dissected and told about as if
# read from the file; SIGTERM ends the sensor cleanly; the monitored interface is never written to.
set -u
: "${SIGHTGLASS:?}" "${SOURCE:?}"
[ "$(id -u)" = 0 ] || { echo "skipped: needs root for a network namespace"; exit 77; }
command -v tcpreplay >/dev/null && command -v ip >/dev/null || { echo "skipped: needs tcpreplay and iproute2"; exit 77; }

work=$(mktemp -d)
space=sightglass-test-$$
ip netns add "$space" 2>/dev/null || { echo "skipped: no network namespaces here"; rm -rf "$work"; exit 77; }
sensor=
cleanup() {
    [ -z "$sensor" ] || kill -9 "$sensor" 2>/dev/null
    ip netns del "$space"
    rm -rf "$work"
}
trap cleanup EXIT
fail() {
    echo "FAILED: $*"
    tail -n 20 "$work"/*.log
    exit 1
}
inside() {
    ip netns exec "$space" "$@"
}

inside true 2>/dev/null || { echo "skipped: cannot enter a network namespace here"; exit 77; }
inside ip link add mirror type veth peer name switch || fail "no veth pair"
for i in mirror switch; do
    inside sysctl -qw "net.ipv6.conf.$i.disable_ipv6=1"
    inside ip link set "$i" up
done
printf 'sensor:\n  user: ""\ncapture:\n  workers: %s\n' "${WORKERS:-2}" >"$work/config.yaml"

python3 "$SOURCE/tests/plant/plantgen" --out "$work/day.pcap" --hours 1 --attack all >"$work/gen.log" 2>&1 || fail "plantgen"
"$SIGHTGLASS" run -r "$work/day.pcap" -s :memory: --stats "$work/file.json" 2>"$work/file.log" || fail "reading the file"

# a store with more decisions than a worker is handed in a second: the last one, too, holds from the first packet on
head -c 24 "$work/day.pcap" >"$work/none.pcap"
"$SIGHTGLASS" run -r "$work/none.pcap" -s "$work/live.db" 2>"$work/store.log" || fail "a capture without packets"
"$SIGHTGLASS" baseline approve -s "$work/live.db" --target 10.9.9.9 --why many >/dev/null || fail "approve"
python3 - "$work/live.db" <<'PY' || fail "more decisions"
import sqlite3, sys
store = sqlite3.connect(sys.argv[1])
columns = 'sensor, made, until, verdict, entry, detection, actor, target, by, why'
for n in range(2, 600):
    store.execute(f'insert into baseline_decisions(id, {columns}) select ?, {columns} from baseline_decisions where id = 1', (n,))
store.commit()
PY
"$SIGHTGLASS" baseline approve -s "$work/live.db" --detection plc.start --actor 192.168.40.31 --why last >/dev/null || fail "approve"

ip netns exec "$space" "$SIGHTGLASS" run -i mirror -c "$work/config.yaml" -s "$work/live.db" --stats "$work/live.json" \
    --alerts "$work/alerts.jsonl" 2>"$work/live.log" &
sensor=$!
for _ in $(seq 100); do
    grep -q listening "$work/live.log" && break
    kill -0 "$sensor" 2>/dev/null || fail "the sensor did not start"
    sleep 0.1
done
printf 'sensor:\n  nonsense: 1\n' >"$work/config.yaml"
kill -HUP "$sensor"
for _ in $(seq 50); do
    grep -q 'old configuration stays' "$work/live.log" && break
    sleep 0.1
done
grep -q 'config.yaml:2.*nonsense.*old configuration stays' "$work/live.log" || fail "a broken configuration was not refused"
printf 'baseline:\n  engineering_stations: [192.168.40.31]\n' >"$work/config.yaml"
kill -HUP "$sensor"
for _ in $(seq 50); do
    grep -q 'taken over' "$work/live.log" && break
    sleep 0.1
done
sent_before=$(inside cat /sys/class/net/mirror/statistics/tx_packets)
inside tcpreplay -q -i switch --pps 20000 "$work/day.pcap" >"$work/replay.log" 2>&1 || fail "tcpreplay"
sleep 1.5
kill -TERM "$sensor"
wait "$sensor" || fail "the sensor's exit status is $?"
sensor=
[ "$(inside cat /sys/class/net/mirror/statistics/tx_packets)" = "$sent_before" ] || fail "something was sent on the monitored interface"

python3 - "$work" <<'PY' || fail "what was seen live is not what is in the file"
import json, sys
work = sys.argv[1]
live, file = (json.load(open(f'{work}/{n}.json')) for n in ('live', 'file'))
lc, fc = live['counters'], file['counters']
assert lc['packets_dropped'] == 0 and lc['ring_full'] == 0 and lc['core_ring_full'] == 0, lc
assert lc['packets'] == fc['packets'], (lc['packets'], fc['packets'])
for protocol, of in file['protocols'].items():
    # the replay squeezes an hour into seconds: only what depends on time may differ
    assert live['protocols'][protocol]['events'] == of['events'], (protocol, of, live['protocols'][protocol])
alerts = [json.loads(l) for l in open(f'{work}/alerts.jsonl')]
rules = {a['rule']['id'] for a in alerts}
# SIGHUP made the attacker's computer an engineering station
reasons = {r['reason'] for a in alerts if a['rule']['id'] == 'plc.stop' for r in a['sightglass']['severity_reasons']}
assert any('engineering station' in r for r in reasons), reasons
assert 'plc.program-download' in rules and 'plc.stop' in rules, rules
assert "plc.start" not in rules, rules  # approved
print('live:', lc['packets'], 'packets,', sorted(rules))
PY
echo passed
