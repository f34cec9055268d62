#!/usr/bin/env python3
"""A policy and Sigma rules tried in the console say what the command line says of them: the same types with the same counts of
alerts and times, over the same history; a mistake is told in the same words."""
import os, re, subprocess, sys, tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import console_server as console

POLICIES = {
    "two zones that may not talk": """
zones:
- {name: line, level: 1, subnets: 192.168.40.0/27}
- {name: other, level: 3, subnets: 192.168.40.32/27}
conduits:
- {from: line, to: line}
""",
    "one wide zone": "zones:\n- {name: all, level: 1, subnets: 192.168.0.0/16}\n",
}
RULES = {
    "writes": """
title: a Modbus write
id: 11111111-2222-4333-8444-555555555555
logsource: {product: sightglass, category: ot}
detection:
  selection: {ot.operation: write}
  condition: selection
level: low
""",
    "never": """
title: never
id: 11111111-2222-4333-8444-555555555556
logsource: {product: sightglass, category: ot}
detection:
  selection: {ot.operation: nothing}
  condition: selection
level: low
""",
}
failures = 0


def check(is_true, what):
    global failures
    if not is_true:
        failures += 1
        print("FAILED " + what)


def sightglass(*arguments):
    return subprocess.run([console.SIGHTGLASS, *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def span_of(text):
    found = re.search(r"^(\d+) events in (\d+) rows of history, (\S+) to (\S+)$", text, re.M)
    return dict(events=int(found[1]), rows=int(found[2]), **{"from": found[3], "to": found[4]})


def policy(server, token, work, store, name, text):
    file = os.path.join(work, "policy.yaml")
    with open(file, "w") as out:
        out.write(text)
    told = sightglass("policy", "test", file, "-s", store)
    own = told.split("besides,")[0]
    expected = {m[0]: (int(m[1]), int(m[2])) for m in re.findall(r"^([a-z.-]+): (\d+) alerts?, (\d+) times$", own, re.M)}
    answer = server.ask("POST", "/api/v1/policy/test", {"text": text}, token=token).json()
    check(answer["is_well_formed"], f"{name}: {answer}")
    found = {f["rule"]: (f["alerts"], f["count"]) for f in answer["findings"]}
    check(found == expected, f"{name}: the console {found}, the command line {expected}")
    span = {k: answer["history"][k] for k in ("events", "rows", "from", "to")}
    check(span == span_of(told) and not answer["history"]["is_cut"], f"{name}: {answer['history']}")
    for f in answer["findings"]:
        check(0 < len(f["examples"]) <= min(f["alerts"], 50), f"{name}: {f['rule']} has {len(f['examples'])} examples")
        check(all(e["actor"] and e["seen"] and e["expected"] for e in f["examples"]), f"{name}: {f['examples'][0]}")
    return found


def rules(server, token, work, store, name, text):
    file = os.path.join(work, "rule.yml")
    with open(file, "w") as out:
        out.write(text)
    told = sightglass("rules", "test", file, "-s", store)
    expected = sum(int(n) for n in re.findall(r"rules would have matched (\d+) times", told))
    answer = server.ask("POST", "/api/v1/rules/test", {"text": text}, token=token).json()
    check(answer["is_well_formed"], f"{name}: {answer}")
    if "matches" not in answer:
        return None
    found = sum(m["count"] for m in answer["matches"])
    check(found == expected, f"{name}: the console {found}, the command line {expected}: {told}")
    return found


def main():
    with tempfile.TemporaryDirectory() as work:
        capture, store = os.path.join(work, "attack.pcap"), os.path.join(work, "store.db")
        subprocess.run([sys.executable, os.path.join(console.SOURCE, "tests/plant/plantgen"), "--out", capture, "--hours", "1",
                        "--attack", "all"], check=True, stdout=subprocess.DEVNULL)
        console.run(capture, store)
        token = console.add_token(store, "tries", "engineer")
        server = console.Console(store)
        try:
            found = {name: policy(server, token, work, store, name, text) for name, text in POLICIES.items()}
            check(found["two zones that may not talk"] and not found["one wide zone"], f"only one policy is broken: {found}")
            matched = {name: rules(server, token, work, store, name, text) for name, text in RULES.items()}
            check(matched["writes"] and matched["never"] == 0, f"only one rule matches: {matched}")
            wrong = server.ask("POST", "/api/v1/policy/test", {"text": "zones: 5"}, token=token)
            check(wrong.status == 200 and not wrong.json()["is_well_formed"] and wrong.json()["error"], "a mistake is told")
            check(server.ask("POST", "/api/v1/policy/test", {"text": ""}, token=token).status == 400, "no text")
        finally:
            check(server.stop() == 0, "the console ends well")
    print("ok" if failures == 0 else f"{failures} failures")
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
