#!/usr/bin/env python3
"""The lists of the console against what a plain look through all alerts finds, with every filter; and the numbers that the
store adds up against a count, while alerts are worked on and removed."""
import os, sqlite3, sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import console_server as console

failures = 0


def check(is_true, what):
    global failures
    if not is_true:
        failures += 1
        print("FAILED " + what)


def filters(alerts):
    """(query, whether an alert belongs to the answer), from the values that there are."""
    yield "", lambda a: True
    for key, names in (("rule", ("rule",)), ("protocol", ("protocol",)), ("incident", ("incident",)),
                       ("host", ("source", "destination")), ("assignee", ("assignee",))):
        for value in sorted({a[name] for a in alerts for name in names} - {""}) + ["nobody"]:
            yield f"{key}={value}", lambda a, value=value, names=names: any(a[name] == value for name in names)
    yield "rule=asset", lambda a: a["rule"].startswith("asset.")
    for state in ("new", "acknowledged", "closed"):
        yield "triage=" + state, lambda a, state=state: a["triage"] == state
    yield "triage=open", lambda a: a["triage"] != "closed"
    yield "severity=6", lambda a: a["severity"] >= 6
    for word in ("WROTE", "bmx", "%25", "_", "no such words"):
        plain = word.replace("%25", "%").lower()
        yield "q=" + word.replace(" ", "+"), lambda a, plain=plain: plain in a["message"].lower()
    middle = sorted(a["last_seen"] for a in alerts)[len(alerts) // 2]
    yield "from=" + middle, lambda a: a["last_seen"] >= middle
    yield "to=" + middle, lambda a: a["last_seen"] <= middle


def lists(server, session, more=""):
    return server.ask("GET", "/api/v1/alerts?limit=500" + more, session=session).json()["alerts"]


def finds_what_is_asked_for(server, session):
    alerts = lists(server, session)
    check(alerts == sorted(sorted(alerts, key=lambda a: a["id"]), key=lambda a: a["last_seen"], reverse=True), "newest first")
    all_filters = list(filters(alerts))
    for query, belongs in all_filters:
        found = [a["id"] for a in lists(server, session, "&" + query)]
        check(found == [a["id"] for a in alerts if belongs(a)], f"{query} finds {len(found)}")
    for one, in_one in all_filters[1:12]:  # two at a time
        for other, in_other in all_filters[1:]:
            if one.split("=")[0] != other.split("=")[0]:
                found = [a["id"] for a in lists(server, session, f"&{one}&{other}")]
                check(found == [a["id"] for a in alerts if in_one(a) and in_other(a)], f"{one} and {other} find {len(found)}")
    paged = []
    for skip in range(len(alerts) + 1):
        page = server.ask("GET", f"/api/v1/alerts?limit=1&skip={skip}", session=session).json()
        check(page["has_more"] == (skip + 1 < len(alerts)), f"page {skip} says whether there are more")
        paged += page["alerts"]
    check(paged == alerts, "pages are the list, cut")


def counts(server, session, what):
    alerts, status = lists(server, session), server.ask("GET", "/api/v1/status", session=session).json()
    check(status["alerts"] == len(alerts), f"{what}: the number of alerts")
    check(status["alerts_open"] == sum(a["triage"] != "closed" for a in alerts), f"{what}: the number of open alerts")
    for severity in range(1, 11):
        there = sum(a["severity"] == severity for a in alerts)
        check(status["alerts_by_severity"].get(str(severity), 0) == there, f"{what}: alerts of severity {severity}")


def main():
    with console.sample([("ann", "analyst")]) as (work, _, dark, store):
        console.run(dark, store)
        server = console.Console(store)
        try:
            ann = server.log_in("ann")
            counts(server, ann, "at first")
            ids = [a["id"] for a in lists(server, ann)]
            for change in ({"ids": ids[:2], "state": "closed"}, {"ids": ids[2:4], "state": "acknowledged", "assignee": "ann"},
                           {"ids": ids[:1], "state": "new"}, {"ids": ids[4:5], "assignee": "bob"}):
                check(server.ask("POST", "/api/v1/alerts/triage", change, session=ann).status == 200, f"triage {change}")
                counts(server, ann, f"after {change}")
            finds_what_is_asked_for(server, ann)
            later = os.path.join(work, "later.pcap")
            console.night(later, start=1700003900, port=50007)
            console.run(later, store)
            counts(server, ann, "after more traffic")
            check(sum(a["triage"] != "new" for a in lists(server, ann)) == 3, "alerts that grow keep their triage")
            with sqlite3.connect(store, timeout=30) as db:
                db.execute("DELETE FROM alerts WHERE id IN (?, ?)", ids[1:3])
            db.close()
            counts(server, ann, "after two were removed")
        finally:
            check(server.stop() == 0, "the console ends well")
    print(f"{failures} failures")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
