#!/usr/bin/env python3
"""web/openapi.json: valid by an independent validator, of the same paths and roles as web/routes.def, and true of what a served
store really answers."""
import http.client, json, os, re, subprocess, sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import console_server as console

try:
    import jsonschema
    Validator = jsonschema.Draft202012Validator
except (ImportError, AttributeError):
    print("skipped: python3-jsonschema with JSON Schema 2020-12 is not installed")
    sys.exit(console.SKIP)

DOCUMENT = json.load(open(os.path.join(console.SOURCE, "web/openapi.json"), encoding="utf-8"))
ALERT = json.load(open(os.path.join(console.SOURCE, "alerts/alert.schema.json"), encoding="utf-8"))
METHODS = ("get", "post", "put", "patch", "delete")
failures = 0


def check(is_true, what):
    global failures
    if not is_true:
        failures += 1
        print("FAILED " + what)


# --- the document ---

def is_valid_for_others():
    folder = console.web_tests()
    if not folder:
        print("not judged by the npm validator: Node or its packages are not installed")
        return
    done = subprocess.run(["node", "openapi.mjs", os.path.join(console.SOURCE, "web/openapi.json")], cwd=folder, text=True,
                          stdout=subprocess.PIPE)
    print(done.stdout.strip())
    check(done.returncode == 0, "the document is valid OpenAPI 3.1")


def operations():
    return {(method.upper(), path): operation for path, item in DOCUMENT["paths"].items()
            for method, operation in item.items() if method in METHODS}


def resolve(thing):
    while "$ref" in thing:
        at = DOCUMENT
        for part in thing["$ref"][2:].split("/"):
            at = at[part]
        thing = at
    return thing


def has_the_routes():
    text = open(os.path.join(console.SOURCE, "web/routes.def"), encoding="utf-8").read()
    routes = {(method, path): role.lower() for method, path, role in
              re.findall(r'^ROUTE\((\w+),\s*"([^"]+)",\s*(\w+),', text, re.M)}
    told = {(method, re.sub(r"\{\w+\}", "{}", path)): operation for (method, path), operation in operations().items()}
    check(routes, "routes.def can be read")
    for key in sorted(routes.keys() - told.keys()):
        check(False, "%s %s is in openapi.json" % key)
    for key in sorted(told.keys() - routes.keys()):
        check(False, "%s %s, of openapi.json, is in routes.def" % key)
    for key in sorted(routes.keys() & told.keys()):
        check(told[key].get("x-role") == routes[key], "the role of %s %s is told" % key)


def says_what_is_common(method, path, operation):
    where, role, answers = f"{method} {path}", operation["x-role"], operation["responses"]
    security = operation.get("security", DOCUMENT["security"])
    named = [resolve(p)["name"] for p in operation.get("parameters", []) if resolve(p)["in"] == "path"]
    check(named == re.findall(r"\{(\w+)\}", path), f"{where} describes the parts of its path")
    check((security == []) == (role == "none"), f"{where}: whoever may ask without a log-in")
    if role != "none":
        check({"401", "403"} <= answers.keys(), f"{where} answers 401 and 403")
        check(method == "GET" or any({"session", "csrf"} <= way.keys() for way in security), f"{where} needs the CSRF token")
    if "requestBody" in operation:
        check({"400", "413", "415"} <= answers.keys(), f"{where} answers 400, 413 and 415")
    check("503" in answers, f"{where} answers 503")
    check(operation["summary"].endswith("."), f"{where} has a summary")


def has_the_columns():
    text = open(os.path.join(console.SOURCE, "baseline/asset_columns.def"), encoding="utf-8").read()
    columns = {name: kind for name, kind in re.findall(r"^COLUMN\((\w+), (true|false)\)", text, re.M)}
    properties = DOCUMENT["components"]["schemas"]["Asset"]["properties"]
    for name in columns:
        check(name in properties, f"the column {name} is described")
        if name in properties:
            check((properties[name].get("type") == "array") == (columns[name] == "true"), f"{name} is a list or not")


# --- the answers ---

def finds_fault(schema, value):
    """Why value is not of schema; None: it is."""
    whole = dict(schema, components=DOCUMENT["components"])
    error = jsonschema.exceptions.best_match(Validator(whole, format_checker=Validator.FORMAT_CHECKER).iter_errors(value))
    return error and f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"


class Asker:
    """Asks, and checks each answer against what the document says of it."""

    def __init__(self, server):
        self.server, self.operations, self.answered = server, operations(), set()

    def __call__(self, status, method, path, names=None, query="", **more):
        url = path
        for name, value in (names or {}).items():
            url = url.replace("{%s}" % name, value)
        answer = self.server.ask(method, url + query, **more)
        where = f"{method} {url + query}: {answer.status}"
        check(answer.status == status, f"{where} is {status}: {answer.body[:200]}")
        told = self.operations[method, path]["responses"].get(str(answer.status))
        check(told is not None, f"{where} is described")
        content = resolve(told).get("content") if told else None
        if content:
            check(answer.type() in content, f"{where} is described as {answer.type()}")
        elif told:
            check(answer.body == b"", f"{where} has no body")
        if content and answer.type() == "application/json":
            fault = finds_fault(content["application/json"]["schema"], answer.json())
            check(fault is None, f"{where} is as described: {fault}")
        self.answered.add((method, path, answer.status))
        return answer


def asks_what_alerts_there_are(ask, analyst, engineer):
    listed = ask(200, "GET", "/api/v1/alerts", query="?limit=500", session=analyst).json()["alerts"]
    check(len(listed) > 1, "the sample has alerts")
    ask(200, "GET", "/api/v1/alerts", query="?limit=1&skip=1&severity=2&triage=open&from=2020-01-01T00:00:00Z&q=e",
        session=analyst)
    for wrong in ("?limit=0", "?limit=501", "?severity=11", "?skip=-1", "?from=yesterday"):
        ask(400, "GET", "/api/v1/alerts", query=wrong, session=analyst)
    one = {"id": listed[0]["id"]}
    ids = [alert["id"] for alert in listed]
    ask(200, "POST", "/api/v1/alerts/triage", session=analyst,
        body={"ids": ids[:2], "state": "acknowledged", "assignee": "ann", "note": "is being looked at"})
    for wrong in ({"ids": []}, {"ids": ["zz"]}, {"ids": ids, "state": "gone"}, {"ids": ids, "note": 5}, [1]):
        ask(400, "POST", "/api/v1/alerts/triage", session=analyst, body=wrong)
    for alert in listed:
        document = ask(200, "GET", "/api/v1/alerts/{id}", {"id": alert["id"]}, session=analyst).json()
        faults = list(Validator(ALERT).iter_errors(document["alert"]))
        check(not faults, f"the document of {alert['rule']} is as alert.schema.json says: {faults[:1]}")
    has_packets = next(a["id"] for a in listed if a["rule"] == "rw.new-writer")
    ask(200, "GET", "/api/v1/alerts/{id}/packets", {"id": has_packets}, session=analyst)
    ask(200, "GET", "/api/v1/alerts/{id}/evidence.pcap", {"id": has_packets}, session=analyst)
    ask(403, "POST", "/api/v1/alerts/{id}/approve", one, session=analyst, body={"why": "known"})
    ask(400, "POST", "/api/v1/alerts/{id}/approve", one, session=engineer, body={"why": ""})
    ask(200, "POST", "/api/v1/alerts/{id}/approve", {"id": has_packets}, session=engineer, body={"why": "known", "days": 7})
    nobodys = {"id": "0" * 32}
    for path in ("/api/v1/alerts/{id}", "/api/v1/alerts/{id}/packets", "/api/v1/alerts/{id}/evidence.pcap"):
        ask(404, "GET", path, nobodys, session=analyst)
    ask(404, "POST", "/api/v1/alerts/{id}/approve", nobodys, session=engineer, body={"why": "known"})


def asks_what_an_asset_is(ask, viewer, engineer):
    path = "/api/v1/assets/{id}"
    listed = ask(200, "GET", "/api/v1/assets", query="?limit=2&skip=1&sort=-ip&columns=ip,name&facets=1&q=1", session=viewer).json()
    check(len(listed["assets"]) == 2 and listed["facets"]["asset_class"], "assets are listed as asked for")
    for wrong in ("?limit=0", "?skip=-1", "?sort=size", "?columns=ip;name"):
        ask(400, "GET", "/api/v1/assets", query=wrong, session=viewer)
    for asset in ask(200, "GET", "/api/v1/assets", session=viewer).json()["assets"]:
        ask(200, "GET", path, {"id": asset["asset_id"]}, session=viewer)
    one = {"id": listed["assets"][0]["asset_id"]}
    ask(403, "PATCH", path, one, session=viewer, body={"set": {"name": "Press 4"}})
    said = ask(200, "PATCH", path, one, session=engineer, body={"set": {"name": "Press 4", "purdue_level": "1"}, "why": "seen"}).json()
    check(said["asset"]["name"] == "Press 4" and len(said["overrides"]) == 2, "what was said of an asset shows")
    ask(200, "PATCH", path, one, session=engineer, body={"set": {"name": None, "purdue_level": None}})
    for wrong in ({}, {"set": {}}, {"set": {"mac": "x"}}, {"set": {"name": 1}}, {"set": {"purdue_level": "9"}}):
        ask(400, "PATCH", path, one, session=engineer, body=wrong)
    ask(404, "GET", path, {"id": "a-0"}, session=viewer)
    whole = ask(200, "GET", "/api/v1/map", session=viewer).json()
    check(whole["links"] and {e for link in whole["links"] for e in (link["source"], link["target"])} <= {h["id"] for h in whole["hosts"]},
          "every end of a conversation is on the map")
    protocol = whole["protocols"][0]
    some = ask(200, "GET", "/api/v1/map", query="?protocol=" + protocol, session=viewer).json()["links"]
    check({link["protocol"] for link in some} == {protocol}, "the map of one protocol")
    check(ask(200, "GET", "/api/v1/map", query="?until=2000-01-01T00:00:00Z", session=viewer).json()["links"] == [], "nothing was known then")
    ask(400, "GET", "/api/v1/map", query="?until=then", session=viewer)
    ask(404, "PATCH", path, {"id": "a-0"}, session=engineer, body={"set": {"name": "x"}})


def asks_what_is_normal(ask, viewer, engineer):
    path = "/api/v1/baseline/{dimension}"
    for dimension in ("conversations", "operations", "objects", "values", "timing", "programs"):
        ask(200, "GET", path, {"dimension": dimension}, session=viewer)
    ask(404, "GET", path, {"dimension": "moods"}, session=viewer)
    for wrong in ("?limit=0", "?since=yesterday"):
        ask(400, "GET", path, {"dimension": "values"}, query=wrong, session=viewer)
    new = ask(200, "GET", path, {"dimension": "operations"}, query="?state=pending&host=10.0.0.66&protocol=modbus&q=write",
              session=viewer).json()["entries"]
    check([(e["actor"], e["target"], e["access"]) for e in new] == [("10.0.0.66", "10.0.0.10", "write")], "the stranger's write waits")
    late = ask(200, "GET", path, {"dimension": "operations"}, query="?since=2099-01-01T00:00:00Z", session=viewer).json()
    check(late == {"entries": [], "has_more": False}, "nothing is new since a time to come")
    writers = ask(200, "GET", "/api/v1/baseline/writers", session=viewer).json()
    check([(w["actor"], w["operation"], w["is_engineering"]) for w in writers["writes"]] == [("10.0.0.66", "write", False)],
          "who only reads is no writer")
    entry = {"verdict": "approve", "why": "ticket 1", "entries": [new[0]["id"]]}
    decide = "/api/v1/baseline/decisions"
    ask(403, "POST", decide, session=viewer, body=entry)
    for wrong in (dict(entry, verdict="maybe"), dict(entry, why=""), dict(entry, entries=["0" * 15 + "1"]), dict(entry, entries=[]),
                  dict(entry, days=1), {"verdict": "approve", "why": "all"}, {"verdict": "reject", "why": "x", "actor": "me"},
                  {"verdict": "reject", "why": "x", "actor": "10.0.0.1", "detection": "no.such"}, [1]):
        ask(400, "POST", decide, session=engineer, body=wrong)
    made = len(ask(200, "GET", decide, session=viewer).json()["decisions"])
    ask(200, "POST", decide, session=engineer, body=entry)
    ask(200, "POST", decide, session=engineer,
        body={"verdict": "reject", "why": "never", "actor": "10.0.0.66", "detection": "plc.stop", "days": 7})
    listed = ask(200, "GET", decide, session=viewer).json()["decisions"]
    check(len(listed) == made + 2 and listed[1]["entry"] == new[0]["id"] and listed[1]["by"] == "engineer", "decisions are listed")
    said = ask(200, "GET", path, {"dimension": "operations"}, query="?q=write", session=viewer).json()["entries"][0]
    check(said["verdict"] == "approve", "the entry tells what was decided about it")
    changes = ask(200, "GET", "/api/v1/baseline/changes", query="?since=2000-01-01T00:00:00Z", session=viewer).json()
    check(changes["new"]["conversations"] == 2 and changes["changes"][1]["why"] == "ticket 1", "what changed is told")
    ask(400, "GET", "/api/v1/baseline/changes", session=viewer)


def shows_variables(ask, viewer):
    found = ask(200, "GET", "/api/v1/variables", query="?host=10.0.0.66&q=260&protocol=modbus", session=viewer).json()["variables"]
    check([v["what"] for v in found] == ["holding_register 260"], "what the stranger wrote is a variable")
    one = {"id": found[0]["id"]}
    values = ask(200, "GET", "/api/v1/variables/{id}", one, session=viewer).json()["values"]
    check([v["value"] for v in values] == [900], "with the value that was written")
    earlier = ask(200, "GET", "/api/v1/variables/{id}", one, query="?to=2020-01-01T00:00:00Z", session=viewer).json()
    check(earlier["values"] == [] and earlier["from"] is None, "and none before")
    ask(400, "GET", "/api/v1/variables/{id}", one, query="?from=noon", session=viewer)
    ask(404, "GET", "/api/v1/variables/{id}", {"id": "0" * 16}, session=viewer)
    ask(400, "GET", "/api/v1/variables", query="?limit=501", session=viewer)


POLICY = """zones:
  - {name: cell, level: 1, subnets: 10.0.0.0/26}
  - {name: office, level: 4, subnets: 10.0.0.64/26}
conduits: []
"""
RULE = """title: A write to a register
id: 11111111-2222-4333-8444-555555555555
logsource: {category: ot, product: sightglass, service: event}
detection:
  selection: {ot.operation: write, network.protocol: modbus, ot.direction: request}
  condition: selection
level: medium
"""


def tries_policies_and_rules(ask, viewer, engineer):
    for thing, good, bad in (("policy", POLICY, "zones: [}"), ("rules", RULE, "title: none")):
        for verb in ("check", "test"):
            path = f"/api/v1/{thing}/{verb}"
            ask(403, "POST", path, session=viewer, body={"text": good})
            ask(400, "POST", path, session=engineer, body={"text": ""})
            wrong = ask(200, "POST", path, session=engineer, body={"text": bad}).json()
            check(not wrong["is_well_formed"] and wrong["error"], f"{path} says what is wrong")
            check(ask(200, "POST", path, session=engineer, body={"text": good}).json()["is_well_formed"], f"{path} reads it")
    raised = ask(200, "POST", "/api/v1/policy/test", session=engineer, body={"text": POLICY}).json()
    check(raised["history"]["events"] > 0 and {f["rule"] for f in raised["findings"]} & {"seg.zone-violation", "seg.level-skip"}
          and all(e["actor"] == "10.0.0.66" for f in raised["findings"] for e in f["examples"]),
          f"the policy tells of the stranger, and of nobody else: {raised['findings']}")
    matched = ask(200, "POST", "/api/v1/rules/test", session=engineer, body={"text": RULE}).json()["matches"]
    check([(m["count"], m["first"]["actor"]) for m in matched] == [(1, "10.0.0.66")], f"the rule matches once: {matched}")
    ask(400, "POST", "/api/v1/policy", session=engineer, body={"text": POLICY, "hash": "0" * 16, "why": "no file is named"})
    ask(400, "GET", "/api/v1/rules", query="?days=0", session=viewer)


def tells_stories_and_reports(ask, viewer):
    for story in ask(200, "GET", "/api/v1/stories", query="?limit=200&state=all", session=viewer).json()["stories"]:
        ask(200, "GET", "/api/v1/stories/{id}", {"id": story["id"]}, session=viewer)
    ask(404, "GET", "/api/v1/stories/{id}", {"id": "none"}, session=viewer)
    for wrong in ("?limit=201", "?state=gone", "?severity=0"):
        ask(400, "GET", "/api/v1/stories", query=wrong, session=viewer)
    for path in ("/api/v1/reports/summary", "/api/v1/reports/maintenance"):
        ask(200, "GET", path, query="?from=2000-01-01T00:00:00Z&to=2100-01-01T00:00:00Z", session=viewer)
        ask(400, "GET", path, query="?from=2100-01-01T00:00:00Z&to=2000-01-01T00:00:00Z", session=viewer)


def declares(ask, viewer, engineer):
    path = "/api/v1/declared"
    before = ask(200, "GET", path, session=viewer).json()
    check(before["list"] is None and not any(before["counts"].values()), "nobody brought a list")
    listed = "IP;vendor;Colour\r\n10.0.0.10;Somebody;blue\r\n10.0.0.99;;\r\n"
    ask(403, "POST", path, session=viewer, body={"text": listed})
    for wrong in ({"text": ""}, {"text": "Colour\r\nblue\r\n"}, {"text": listed, "name": ""}, {"name": "list.csv"}):
        ask(400, "POST", path, session=engineer, body=wrong)
    taken = ask(200, "POST", path, session=engineer, body={"text": listed, "name": "plant.csv"}).json()
    check(taken == {"rows": 2, "passed_over": "Colour"}, f"the list is taken: {taken}")
    said = ask(200, "GET", path, session=viewer).json()
    check(said["list"]["name"] == "plant.csv" and said["list"]["rows"] == 2, f"whose list: {said['list']}")
    check([(d["ip"], d["column"], d["declared"]) for d in said["different"]] == [("10.0.0.10", "vendor", "Somebody")], f"different: {said['different']}")
    check([m["ip"] for m in said["missing"]] == ["10.0.0.99"], f"missing: {said['missing']}")
    check("10.0.0.20" in [e["ip"] for e in said["extra"]], f"extra: {said['extra']}")
    ask(403, "DELETE", path, session=viewer)
    ask(200, "DELETE", path, session=engineer)
    check(ask(200, "GET", path, session=viewer).json()["list"] is None, "and is gone again")


def mutes(ask, viewer, analyst):
    one = {"id": ask(200, "GET", "/api/v1/alerts", query="?limit=1", session=viewer).json()["alerts"][0]["id"]}
    path, why = "/api/v1/alerts/{id}/mute", {"why": "repair", "hours": 8, "scope": "all"}
    ask(403, "POST", path, one, session=viewer, body=why)
    ask(400, "POST", path, one, session=analyst, body=dict(why, hours=0))
    ask(404, "POST", path, {"id": "0" * 32}, session=analyst, body=why)
    number = {"id": str(ask(201, "POST", path, one, session=analyst, body=why).json()["id"])}
    muted = ask(200, "GET", "/api/v1/suppressions", session=viewer).json()["suppressions"]
    check([m["state"] for m in muted] == ["in force"], "what was muted is in force")
    ask(403, "DELETE", "/api/v1/suppressions/{id}", number, session=viewer)
    ask(200, "DELETE", "/api/v1/suppressions/{id}", number, session=analyst)
    ask(400, "DELETE", "/api/v1/suppressions/{id}", number, session=analyst)
    ask(404, "DELETE", "/api/v1/suppressions/{id}", {"id": "99"}, session=analyst)


def administers(ask, admin, analyst):
    new = {"name": "zoe", "role": "viewer", "password": console.PASSWORD}
    ask(200, "POST", "/api/v1/users", session=admin, body=new)
    ask(400, "POST", "/api/v1/users", session=admin, body=new)
    ask(403, "POST", "/api/v1/users", session=analyst, body=new)
    ask(415, "POST", "/api/v1/users", session=admin, body=new, headers={"Content-Type": "text/plain"})
    ask(413, "POST", "/api/v1/users", session=admin, body=dict(new, filler="x" * 300000))
    ask(200, "GET", "/api/v1/users", session=admin)
    ask(200, "PATCH", "/api/v1/users/{name}", {"name": "zoe"}, session=admin, body={"role": "analyst"})
    ask(400, "PATCH", "/api/v1/users/{name}", {"name": "zoe"}, session=admin, body={"role": "god"})
    zoe = ask.server.log_in("zoe")
    ask(403, "POST", "/api/v1/password", session=zoe, body={"old": "not the old one", "new": console.PASSWORD})
    ask(200, "POST", "/api/v1/password", session=zoe, body={"old": console.PASSWORD, "new": "another horse battery"})
    ask(401, "GET", "/api/v1/status", session=zoe)
    ask(200, "DELETE", "/api/v1/users/{name}", {"name": "zoe"}, session=admin)
    ask(400, "DELETE", "/api/v1/users/{name}", {"name": "zoe"}, session=admin)
    token = ask(201, "POST", "/api/v1/tokens", session=admin, body={"name": "siem", "role": "viewer", "days": 30}).json()
    ask(200, "GET", "/api/v1/status", token=token["token"])
    ask(403, "GET", "/api/v1/users", token=token["token"])
    ask(200, "GET", "/api/v1/tokens", session=admin)
    ask(200, "DELETE", "/api/v1/tokens/{name}", {"name": "siem"}, session=admin)
    ask(401, "GET", "/api/v1/status", token=token["token"])
    ask(200, "GET", "/api/v1/audit", session=admin)
    ask(400, "GET", "/api/v1/audit", query="?limit=0", session=admin)


def is_described_by_every_list(ask, session):
    """Every GET without a part in its path, without a parameter that it needs, and not asked above."""
    for (method, path) in sorted(ask.operations):
        done = any((method, path, status) in ask.answered for status in (200, 304))
        has_needs = path in ("/api/v1/stream", "/api/v1/baseline/changes")
        needs = any(resolve(p).get("required") for p in ask.operations[method, path].get("parameters", []))
        if method == "GET" and not needs and "{" not in path and not has_needs and not done:
            tag = ask(200, "GET", path, session=session).headers.get("ETag")
            if tag and path != "/metrics":  # it counts its own requests
                ask(304, "GET", path, session=session, headers={"If-None-Match": tag})


def tells_events_as_described(server, session):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", "/api/v1/stream", headers={"Cookie": session[0], "Last-Event-ID": "0"})
    response = connection.getresponse()
    check(response.headers["Content-Type"] == "text/event-stream", "the stream is one of events")
    schemas, seen, name = DOCUMENT["components"]["schemas"], set(), ""
    kinds = {"alerts": {"type": "array", "minItems": 1, "items": schemas["AlertSummary"]}, "stories": schemas["StreamStories"], "status": schemas["StreamStatus"]}
    while seen != kinds.keys():
        line = response.readline().decode()
        if not line:
            break
        if line.startswith("event: "):
            name = line[7:].strip()
        elif line.startswith("data: "):
            fault = finds_fault(kinds.get(name, {"not": {}}), json.loads(line[6:]))
            check(fault is None, f"the event {name} is as described: {fault}")
            seen.add(name)
    check(seen == kinds.keys(), "alerts, stories and numbers are told")
    connection.close()


def can_refuse():
    """The schemas are not so wide that everything fits."""
    check(finds_fault({"$ref": "#/components/schemas/Error"}, {"message": "no"}), "a wrong error is refused")
    check(finds_fault({"$ref": "#/components/schemas/Time"}, "yesterday"), "a wrong time is refused")
    check(finds_fault({"$ref": "#/components/schemas/Asset"}, {"asset_id": "a", "colour": "red"}), "a wrong asset is refused")


def main():
    is_valid_for_others()
    has_the_routes()
    has_the_columns()
    can_refuse()
    for (method, path), operation in operations().items():
        says_what_is_common(method, path, operation)
    roles = ("viewer", "analyst", "engineer", "admin")
    with console.sample([(role, role) for role in roles]) as (_, _, dark, store):
        console.run(dark, store)
        server = console.Console(store)
        try:
            ask = Asker(server)
            ask(200, "GET", "/healthz")
            ask(401, "GET", "/api/v1/alerts")
            ask(401, "POST", "/api/v1/session", body={"user": "viewer", "password": "wrong password"})
            ask(400, "POST", "/api/v1/session", body={"user": "viewer"})
            for role in roles:
                ask(200, "POST", "/api/v1/session", body={"user": role, "password": console.PASSWORD})
            viewer, analyst, engineer, admin = (server.log_in(role) for role in roles)
            asks_what_alerts_there_are(ask, analyst, engineer)
            asks_what_an_asset_is(ask, viewer, engineer)
            asks_what_is_normal(ask, viewer, engineer)
            shows_variables(ask, viewer)
            tries_policies_and_rules(ask, viewer, engineer)
            tells_stories_and_reports(ask, viewer)
            declares(ask, viewer, engineer)
            mutes(ask, viewer, analyst)
            administers(ask, admin, analyst)
            is_described_by_every_list(ask, admin)
            tells_events_as_described(server, viewer)
            ask(200, "DELETE", "/api/v1/session", session=viewer)
            ask(401, "GET", "/api/v1/status", session=viewer)
        finally:
            check(server.stop() == 0, "the console ends well")
    print(f"{len(ask.answered)} answers of {len({a[:2] for a in ask.answered})} operations, {failures} failures")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
