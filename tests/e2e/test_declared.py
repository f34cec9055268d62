#!/usr/bin/env python3
"""The plant's own list of its devices beside the inventory of the sample plant: missing, extra, different; what is no list changes nothing."""
import csv
import io
import json
import os
import subprocess
import sys
import tempfile

SIGHTGLASS, SOURCE = os.environ["SIGHTGLASS"], os.environ["SOURCE"]


def run(*words, code=0, given=None):
    done = subprocess.run([SIGHTGLASS, *words], capture_output=True, check=False, input=given)
    if done.returncode != code:
        sys.exit(f"{' '.join(words)}: exit {done.returncode}: {done.stderr[-800:]}")
    return (done.stdout if code == 0 else done.stderr).decode()


def check(condition, what):
    if not condition:
        sys.exit(what)


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def write(path, header, rows, **how):
    with open(path, "w", newline="", encoding=how.pop("encoding", "utf-8")) as file:
        writer = csv.writer(file, **how)
        writer.writerow(header)
        writer.writerows(rows)


def main():
    with tempfile.TemporaryDirectory() as folder:
        capture, store, path = (os.path.join(folder, name) for name in ("day.pcap", "day.db", "list.csv"))
        subprocess.run([sys.executable, os.path.join(SOURCE, "tests/plant/plantgen"), "--out", capture, "--hours", "1", "--attack", "none"],
                       check=True)
        run("run", "-r", capture, "-s", store, "-m", "learn")
        exported = run("assets", "-s", store, "--format", "csv")
        seen = rows_of(exported)
        check("there is no declared list" in run("assets", "diff", "-s", store, code=1), "a diff without a list")
        check(all(row["declared_match"] == "" for row in seen), "matches without a list")

        # our own export, as CSV and for NetBox, is the same plant
        for form in ("csv", "netbox"):
            text = run("assets", "import", "-s", store, "-", given=run("assets", "-s", store, "--format", form).encode())
            check(f"{len(seen)} declared, 0 missing, 0 extra, 0 different" in text, f"{form}: {text}")
            check({row["declared_match"] for row in rows_of(run("assets", "-s", store, "--format", "csv"))} == {"yes"}, form)

        # a list as a plant would bring it: one device less, one more, one with another firmware and address
        plcs = [row for row in seen if row["asset_class"] == "plc"]
        listed = [row for row in seen if row is not plcs[0]]
        changed = plcs[1]
        rows = [[row["ip"] if row is not changed else "10.99.99.99", row["mac"].upper().replace(":", "-"), row["asset_class"],
                 "Mayer; shift B", "0.1" if row is changed else "", f"INV-{i}"] for i, row in enumerate(listed)]
        rows.append(["10.99.99.1", "", "plc", "", "", "INV-GONE"])
        write(path, ["IP address", "MAC", "Type", "Responsible", "Firmware", "CMDB ID"], rows, delimiter=";")
        text = run("assets", "import", "-s", store, "--by", "anna", path)
        differing = 2 if changed["firmware_version"] else 1
        check(f"{len(rows)} declared, 1 missing, 1 extra, 1 different in {differing} columns" in text, text)
        diff = json.loads(run("assets", "diff", "-s", store, "--format", "json"))
        check(diff["list"] == {"name": "list.csv", "rows": len(rows), "by": "anna"}, diff["list"])
        check([one["ip"] for one in diff["missing"]] == ["10.99.99.1"] and diff["missing"][0]["line"] == len(rows) + 1, diff["missing"])
        check([one["asset_id"] for one in diff["extra"]] == [plcs[0]["asset_id"]], diff["extra"])
        check({(one["column"], one["declared"], one["seen"]) for one in diff["different"]} >=
              {("ip", "10.99.99.99", changed["ip"])}, diff["different"])
        table, listing = run("assets", "diff", "-s", store), rows_of(run("assets", "diff", "-s", store, "--format", "csv"))
        check(len(table.splitlines()) == len(listing) == sum(len(diff[kind]) for kind in ("missing", "extra", "different")), table)
        now = {row["asset_id"]: row for row in rows_of(run("assets", "-s", store, "--format", "csv"))}
        check(now[plcs[0]["asset_id"]]["declared_match"] == "no" and "not declared" in now[plcs[0]["asset_id"]]["risk"], "extra")
        check(now[changed["asset_id"]]["declared_match"].startswith("differs (") and "ip" in now[changed["asset_id"]]["declared_match"], "differs")
        check(all(now[row["asset_id"]]["owner"] == "Mayer; shift B" and now[row["asset_id"]]["cmdb_id"] == f"INV-{i}"
                  for i, row in enumerate(listed)), "owner and key of the CMDB")
        check([row["asset_id"] for row in rows_of(run("assets", "-s", store, "--format", "csv", "--declared", "no"))] == [plcs[0]["asset_id"]],
              "--declared no")
        run("run", "-r", capture, "-s", store, "-m", "detect")
        check(len(json.loads(run("assets", "diff", "-s", store, "--format", "json"))["missing"]) == 1, "a run forgets the list")

        # what is no list is refused with its place, and the list stays
        write(path, ["name", "ip"], [["A", "10.0.0.1"], ["B", "10.0.0"]])
        check("list.csv: line 3, column 2: no IP address: 10.0.0" in run("assets", "import", "-s", store, path, code=1), "a bad address")
        write(path, ["name"], [["K\xfchlung"]], encoding="latin-1")
        check("line 2, column 1: not UTF-8" in run("assets", "import", "-s", store, path, code=1), "not UTF-8")
        check("cannot open" in run("assets", "import", "-s", store, os.path.join(folder, "none.csv"), code=1), "no file")
        check(json.loads(run("assets", "diff", "-s", store, "--format", "json"))["list"]["rows"] == len(rows), "a bad list took the place of a good one")
        for words in (("import",), ("import", path, "--remove"), ("diff", "extra"), ("diff", "--format", "xml")):
            run("assets", words[0], "-s", store, *words[1:], code=2)
        run("assets", "import", "-s", store, "--remove")
        check({row["declared_match"] for row in rows_of(run("assets", "-s", store, "--format", "csv"))} == {""}, "--remove")
    return 0


if __name__ == "__main__":
    sys.exit(main())
