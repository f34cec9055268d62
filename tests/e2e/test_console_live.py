#!/usr/bin/env python3
"""People at work with the console while a sensor runs: it listens on one end of a veth pair in a network namespace of the test's own,
frames come from the other end, and tests/web/live.mjs drives the page. Skips without root, namespaces, Chromium or Node."""
import contextlib, os, shutil, sqlite3, subprocess, sys

sys.dont_write_bytecode = True
here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, here)
import console_server as console


@contextlib.contextmanager
def veth():
    """A namespace with the interfaces mirror and switch, as a command that runs something inside; None: not possible here."""
    name = f"sightglass-console-{os.getpid()}"
    if os.getuid() != 0 or not shutil.which("ip") or subprocess.run(["ip", "netns", "add", name], stderr=subprocess.DEVNULL).returncode:
        yield None
        return
    inside = ["ip", "netns", "exec", name]
    try:
        if subprocess.run([*inside, "true"], stderr=subprocess.DEVNULL).returncode:
            yield None
            return
        subprocess.run([*inside, "ip", "link", "add", "mirror", "type", "veth", "peer", "name", "switch"], check=True)
        for end in ("mirror", "switch"):
            subprocess.run([*inside, "sysctl", "-qw", f"net.ipv6.conf.{end}.disable_ipv6=1"], check=True)
            subprocess.run([*inside, "ip", "link", "set", end, "up"], check=True)
        yield inside
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False)


@contextlib.contextmanager
def sensor(inside, work, store):
    """Runs until the end of the block, and must end well."""
    configuration = os.path.join(work, "live.yaml")
    with open(configuration, "w") as file:
        file.write('sensor:\n  user: ""\ncapture:\n  workers: 1\n')
    log = os.path.join(work, "sensor.log")
    with open(log, "w") as out:
        process = subprocess.Popen([*inside, console.SIGHTGLASS, "run", "-i", "mirror", "-m", "detect", "-c", configuration, "-s", store],
                                   stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            out.write(line)
            if "listening" in line:
                break
        else:
            raise RuntimeError(f"the sensor does not listen: {open(log).read()}")
        rest = subprocess.Popen(["cat"], stdin=process.stderr, stdout=out)  # so that it never waits for its reader
        try:
            yield
        finally:
            process.terminate()
            status = process.wait(timeout=120)
            rest.wait(timeout=30)
    if status:
        raise RuntimeError(f"the sensor's exit status is {status}: {open(log).read()[-2000:]}")


def told(store, actor, target):
    """How often the store says that the actor was new as a writer to the target."""
    with contextlib.closing(sqlite3.connect(store)) as db:
        return db.execute("SELECT coalesce(sum(count), 0) FROM alerts WHERE rule = 'rw.new-writer' AND actor = ? AND target = ?",
                          (actor, target)).fetchone()[0]


def main():
    folder = console.chromium() and console.web_tests()
    if not folder:
        print("skipped: Chromium, Node or the packages of tests/web are not installed")
        return console.SKIP
    with veth() as inside, console.sample([("ann", "analyst"), ("eve", "engineer")]) as (work, _, _, store):
        if not inside:
            print("skipped: needs root and network namespaces")
            return console.SKIP
        server = console.Console(store)
        try:
            with sensor(inside, work, store):
                environment = dict(os.environ, CHROMIUM=console.chromium(), PASSWORD=console.PASSWORD, URL=server.url,
                                   WIRE=" ".join([*inside, sys.executable, os.path.join(here, "console_wire.py"), "switch"]))
                status = subprocess.run(["node", "live.mjs"], cwd=folder, env=environment, timeout=600).returncode
        finally:
            stopped = server.stop()
        if status == 0 and told(store, "10.0.0.66", "10.0.0.10") != 1:  # once before the approval, twice after it
            print(f"FAILED: the write was told {told(store, '10.0.0.66', '10.0.0.10')} times")
            return 1
        return status or stopped


if __name__ == "__main__":
    sys.exit(main())
