#!/usr/bin/env python3
"""People at work with the console in a real browser: tests/web/flows.mjs. An approval is tried against a copy of the store without
it, so that the test knows that the event would be told again. Skips when Chromium or Node is not installed."""
import os, shutil, sqlite3, subprocess, sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import console_server as console

DAY_S = 86400


def writes(path, start, hosts):
    capture = console.Capture(path, start)
    for n, host in enumerate(hosts):
        write = console.struct.pack(">BHH", 6, 260, 900)
        console.Modbus(capture, host, 10, 50100 + n).exchange(write, write)
    capture.file.close()


def told(store, host):
    with sqlite3.connect(store) as db:
        count = db.execute("SELECT coalesce(sum(count), 0) FROM alerts WHERE rule LIKE 'rw.%' AND actor = ?", (host,)).fetchone()[0]
    db.close()
    return count


def is_told_without_approval(work, store, night, later):
    """What approvesWhatIsNormal checks can fail."""
    copy = os.path.join(work, "copy.db")
    shutil.copy(store, copy)
    console.run(night, copy)
    before = told(copy, "10.0.0.66")
    console.run(later, copy)
    print(f"without approval: {before} then {told(copy, '10.0.0.66')}")
    return told(copy, "10.0.0.66") > before > 0


def main():
    folder = console.chromium() and console.web_tests()
    if not folder:
        print("skipped: Chromium, Node or the packages of tests/web are not installed")
        return console.SKIP
    users = [("admin", "admin"), ("ann", "analyst"), ("eve", "engineer"), ("vic", "viewer")]
    with console.sample(users) as (work, _, night, store):
        later, again = os.path.join(work, "later.pcap"), os.path.join(work, "again.pcap")
        writes(later, 1700003600 + DAY_S, [66, 67])
        writes(again, 1700003600 + 2 * DAY_S, [68])
        if not is_told_without_approval(work, store, night, later):
            print("FAILED: the event that is to be approved is not told again anyway")
            return 1
        environment = dict(os.environ, CHROMIUM=console.chromium(), PASSWORD=console.PASSWORD, STORE=store, NIGHT=night,
                           LATER=later, AGAIN=again)
        return subprocess.run(["node", "flows.mjs"], cwd=folder, env=environment, timeout=600).returncode


if __name__ == "__main__":
    sys.exit(main())
