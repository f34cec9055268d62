#!/usr/bin/env python3
"""Measures `sightglass console` over a store of many alerts and assets: time per kind of request, then all mixed at a rate, the
growth of memory, and many event streams at once while alerts arrive."""
import argparse, os, re, select, socket, sqlite3, subprocess, sys, threading, time

import console_store
from console_store import NOW, NS

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../e2e'))

BUDGET_MS = 50


# --- the console ---

class Console:
    def __init__(self, o):
        self.process = subprocess.Popen([o.sightglass, 'console', '-s', o.store, '--listen', '127.0.0.1:0'],
                                        stderr=subprocess.PIPE, text=True)
        self.url = re.search(r'http://127\.0\.0\.1:\d+', self.process.stderr.readline()).group()

    def memory_kib(self):
        status = open(f'/proc/{self.process.pid}/status').read()
        return int(re.search(r'VmRSS:\s+(\d+)', status).group(1))

    def cpu_s(self):
        fields = open(f'/proc/{self.process.pid}/stat').read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def targets(db):
    """(share of the mix, what, paths)"""
    some = db.execute('SELECT id, actor, last_ns, incident FROM alerts ORDER BY id DESC LIMIT 200').fetchall()
    assets = [row[0] for row in db.execute('SELECT id FROM assets ORDER BY random() LIMIT 200')]
    base = console_store.ID_BASE
    points = [f'{row[0] & (1 << 64) - 1:016x}' for made in (f'NOT BETWEEN {base} AND {2 * base}', f'>= {base}') for row in
              db.execute(f'SELECT id FROM baseline_points WHERE id {made} ORDER BY random() LIMIT 25')]
    since = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(NOW // NS - 86400))
    dimensions = ('conversations', 'operations', 'objects', 'values', 'timing', 'programs')
    return [
        (25, 'alerts, newest 100', ['/api/v1/alerts']),
        (10, 'alerts, open', ['/api/v1/alerts?triage=open']),
        (5, 'alerts, open, critical', ['/api/v1/alerts?triage=open&severity=8']),
        (3, 'alerts of a rule', ['/api/v1/alerts?rule=rw']),
        (5, 'alerts of a host', ['/api/v1/alerts?host=' + s[1] for s in some]),
        (2, 'alerts, last day', ['/api/v1/alerts?from=' + since]),
        (1, 'alerts, page 50', ['/api/v1/alerts?skip=5000']),
        (1, 'alerts with a text', ['/api/v1/alerts?q=controller']),
        (25, 'one alert', ['/api/v1/alerts/' + s[0] for s in some]),
        (3, 'its packets', [f'/api/v1/alerts/{row[0]}/packets' for row in db.execute('SELECT DISTINCT alert FROM evidence')]),
        (10, 'status', ['/api/v1/status']),
        (5, 'session', ['/api/v1/session']),
        (5, 'overview', ['/api/v1/overview']),
        (5, 'assets, 100', ['/api/v1/assets?limit=100']),
        (1, 'assets, found and sorted', ['/api/v1/assets?limit=100&q=10.0&sort=-last_seen&facets=1']),
        (5, 'one asset', ['/api/v1/assets/' + a for a in assets]),
        (2, 'stories', ['/api/v1/stories?state=open']),
        (2, 'one story', ['/api/v1/stories/' + s[3] for s in some]),
        (1, 'suppressions', ['/api/v1/suppressions']),
        (1, 'baseline', ['/api/v1/baseline']),
        *[(1, 'baseline, ' + d, ['/api/v1/baseline/' + d]) for d in dimensions],
        (0, 'baseline, one host', [f'/api/v1/baseline/{d}?host={some[0][1]}' for d in dimensions]),
        (0, 'baseline, words', [f'/api/v1/baseline/{d}?q=holding' for d in dimensions]),
        (0, 'baseline, pending', [f'/api/v1/baseline/{d}?state=pending' for d in dimensions]),
        (0, 'baseline, page 100', [f'/api/v1/baseline/{d}?skip=10000' for d in dimensions]),
        (1, 'decisions', ['/api/v1/baseline/decisions']),
        (1, 'changes', ['/api/v1/baseline/changes?since=' + since]),
        (1, 'who writes to whom', ['/api/v1/baseline/writers']),
        (1, 'variables', ['/api/v1/variables']),
        (1, 'one variable', ['/api/v1/variables/' + p for p in points]),
        (1, 'policy', ['/api/v1/policy']),
        (1, 'rules', ['/api/v1/rules']),
        (0, 'map', ['/api/v1/map']),
        (0, 'map of a protocol', ['/api/v1/map?protocol=modbus']),
        (0, 'report: a week', ['/api/v1/reports/summary']),
        (0, 'report: all time', ['/api/v1/reports/summary?from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z']),
        (0, 'report: maintenance', ['/api/v1/reports/maintenance']),
        (0, 'users', ['/api/v1/users']),
        (0, 'tokens', ['/api/v1/tokens']),
        (0, 'audit', ['/api/v1/audit']),
        (0, 'alerts with a rare text', ['/api/v1/alerts?q=no+such+words']),
        (0, 'alerts, page 900', ['/api/v1/alerts?skip=90000']),
        (0, 'assets, all', ['/api/v1/assets?limit=20000']),
        (0, 'assets.csv', ['/api/v1/assets.csv']),
        (1, 'metrics', ['/metrics']),
        (2, 'health', ['/healthz']),
        (1, 'the page', ['/']),
        (1, 'its program', ['/app.js']),
    ]


def alone(o, console, token, list_of_targets):
    """Each kind of request by itself, one after the other."""
    import http.client
    host = console.url.split('//')[1]
    print(f'{"alone":28} {"median ms":>10} {"worst ms":>9} {"bytes":>8}')
    late = []
    for _, what, paths in list_of_targets:
        connection = http.client.HTTPConnection(host)
        took, size = [], 0
        for n in range(20):
            began = time.perf_counter()
            connection.request('GET', paths[n % len(paths)], headers={'Authorization': 'Bearer ' + token})
            response = connection.getresponse()
            size = len(response.read())
            took.append((time.perf_counter() - began) * 1000)
            if response.status != 200:
                sys.exit(f'bench: {paths[n % len(paths)]}: {response.status}')
        connection.close()
        took.sort()
        print(f'{what:28} {took[10]:10.2f} {took[-1]:9.2f} {size:8}', flush=True)
        if took[10] > BUDGET_MS:
            late.append(what)
    print('longer than %d ms: %s' % (BUDGET_MS, ', '.join(late) or 'none'))


class Sensor(threading.Thread):
    """Commits to the store once a second, as one that runs: what was kept is out of date."""

    def __init__(self, store):
        super().__init__(daemon=True)
        self.store, self.ended = store, threading.Event()
        self.start()

    def run(self):
        db = sqlite3.connect(self.store, timeout=10)
        while not self.ended.wait(1):
            db.execute('UPDATE alerts SET count = count + 1, last_ns = last_ns + 1 WHERE rowid = (SELECT max(rowid) FROM alerts)')
            db.commit()
        db.close()

    def stop(self):
        self.ended.set()
        self.join()


def wrk(o, console, token, list_of_targets, seconds, rate, what='mixed'):
    file = os.path.join(o.work, 'console-targets.txt')
    with open(file, 'w') as out:
        for share, _, paths in list_of_targets:
            for n in range(share * 10):
                out.write(f'1 {paths[n % len(paths)]}\n')
    environment = dict(os.environ, TARGETS=file, TOKEN=token, CONNECTIONS=str(o.connections), RATE=str(rate))
    cpu = console.cpu_s()
    done = subprocess.run(['wrk', '-t2', f'-c{o.connections}', f'-d{seconds}s', '-s',
                           os.path.join(os.path.dirname(os.path.abspath(__file__)), 'console.lua'), console.url],
                          env=environment, text=True, stdout=subprocess.PIPE, check=True)
    found = re.search(r'^RESULT (.*)$', done.stdout, re.M)
    requests, us, p50, p99, p999, worst, refused, broken = map(int, found.group(1).split())
    print(f'{what} at {rate}/s, {o.connections} connections, {seconds} s: {requests / us * 1e6:.0f} requests/s, p50 {p50 / 1000:.1f} ms,'
          f' p99 {p99 / 1000:.1f} ms, p99.9 {p999 / 1000:.1f} ms, worst {worst / 1000:.1f} ms; {refused} refused, {broken} broken;'
          f' console {(console.cpu_s() - cpu) / us * 1e6:.2f} cores; load of the machine {os.getloadavg()[0]:.1f}')


def under_commits(o, console, token, list_of_targets):
    """What was kept is out of date every second; the memory must be the same after each minute."""
    sensor, memory = Sensor(o.store), [console.memory_kib()]
    for minute in range(1, o.minutes + 1):
        wrk(o, console, token, list_of_targets, 60, o.rate, f'mixed, a commit a second, minute {minute},')
        memory.append(console.memory_kib())
    sensor.stop()
    print('memory, MiB, before and after each minute: ' + ' '.join(f'{kib / 1024:.1f}' for kib in memory))


def streams(o, console, token, count):
    """Many pages watch while alerts arrive: how long until each has been told, and what watching costs."""
    host, port = console.url.split('//')[1].split(':')
    sockets = []
    for _ in range(count):
        s = socket.create_connection((host, int(port)))
        s.sendall(f'GET /api/v1/stream HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n'.encode())
        sockets.append(s)
    heard = {s: b'' for s in sockets}

    def listen(until, mark):
        ends = time.monotonic() + until
        waiting = {s for s in sockets if mark not in heard[s]}
        while waiting and time.monotonic() < ends:
            for s in select.select(list(waiting), [], [], ends - time.monotonic())[0]:
                heard[s] += s.recv(65536)
                if mark in heard[s]:
                    waiting.discard(s)
        return count - len(waiting)

    begun = listen(30, b'event: status')
    cpu, began = console.cpu_s(), time.monotonic()
    time.sleep(10)
    share = (console.cpu_s() - cpu) / (time.monotonic() - began)
    db = sqlite3.connect(o.store, timeout=10)
    alert = db.execute('SELECT sensor, id, document FROM alerts LIMIT 1').fetchone()
    number = db.execute('SELECT max(outbox_next) FROM alert_totals').fetchone()[0]
    db.execute("INSERT INTO outbox(sensor, seq, stream, id, rev, json, created_ms) VALUES(?, ?, 'alerts', ?, 1, ?, 0)",
               (alert[0], number, alert[1], alert[2]))
    db.commit()
    db.close()
    began = time.monotonic()
    told = listen(30, b'event: alerts')
    print(f'{count} event streams: {begun} began, idle they take {share:.2f} cores; {told} were told of an alert within'
          f' {time.monotonic() - began:.1f} s; memory {console.memory_kib() / 1024:.0f} MiB')
    for s in sockets:
        s.close()


# Every page, and what is asked for most of a large store; the addresses of the console's page.
PLACES = ('overview', 'alerts', 'alerts?triage=all', 'alerts?q=controller', 'alerts?triage=all&q=nowhere', 'alerts/{alert}', 'muted', 'stories',
          'stories/{story}', 'assets', 'assets?q=10.0&sort=-last_seen', 'assets/{asset}', 'assets/declared', 'map', 'map?protocol=modbus',
          'baseline', 'baseline/operations', 'baseline/objects', 'baseline/values', 'baseline/timing', 'baseline/programs',
          'baseline/writers', 'baseline/decisions', 'variables', 'variables/{variable}', 'policy', 'policy/rules', 'reports',
          'reports?from=2020-01-01&to=2026-01-01', 'reports/maintenance', 'reports/inventory', 'admin', 'admin/tokens', 'admin/audit', 'account')


def pages(o, token, db):
    """How long each page of the console waits, in a browser."""
    import console_server
    alert, story = db.execute('SELECT id, incident FROM alerts ORDER BY last_ns DESC LIMIT 1').fetchone()
    asset, = db.execute('SELECT id FROM assets LIMIT 1').fetchone()
    variable = f'{db.execute("SELECT id FROM baseline_points ORDER BY id LIMIT 1").fetchone()[0] & (1 << 64) - 1:016x}'
    folder = console_server.chromium() and console_server.web_tests()
    if not folder:
        sys.exit('bench: Chromium, Node or the packages of tests/web are not installed')
    places = ' '.join(PLACES).format(alert=alert, story=story, asset=asset, variable=variable)
    subprocess.run(['node', 'waiting.mjs'], cwd=folder, check=True,
                   env=dict(os.environ, CHROMIUM=console_server.chromium(), SIGHTGLASS=o.sightglass, STORE=o.store, TOKEN=token, PLACES=places))
    print(f'load of the machine {os.getloadavg()[0]:.1f}')


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--sightglass', required=True)
    p.add_argument('--work', required=True)
    p.add_argument('--alerts', type=int, default=100000)
    p.add_argument('--assets', type=int, default=10000)
    p.add_argument('--rate', type=int, default=2000, help='requests a second')
    p.add_argument('--connections', type=int, default=64)
    p.add_argument('--seconds', type=int, default=30)
    p.add_argument('--minutes', type=int, default=10, help='of requests while a sensor commits')
    p.add_argument('--streams', type=int, default=200)
    p.add_argument('--token', help='of the store that is there: it is used again')
    p.add_argument('--alone', action='store_true', help='only each kind of request by itself')
    p.add_argument('--pages', action='store_true', help='only how long each page waits, in a browser')
    o = p.parse_args()
    o.sightglass, o.work = os.path.abspath(o.sightglass), os.path.abspath(o.work)
    o.store = os.path.join(o.work, 'console.db')
    for name, value in (('SIGHTGLASS', o.sightglass), ('SOURCE', '.'), ('BUILD', o.work)):
        os.environ.setdefault(name, value)
    began = time.monotonic()
    token = o.token or console_store.make(o)
    print(f'store: {o.alerts} alerts, {o.assets} assets, {os.path.getsize(o.store) >> 20} MiB, made in {time.monotonic() - began:.0f} s,'
          f' token {token}')
    db = sqlite3.connect(o.store)
    list_of_targets = targets(db)
    if o.pages:
        return pages(o, token, db)
    db.close()
    console = Console(o)
    try:
        alone(o, console, token, list_of_targets)
        if o.alone:
            return
        wrk(o, console, token, list_of_targets, 5, o.rate, 'warming up')
        wrk(o, console, token, list_of_targets, o.seconds, o.rate)
        under_commits(o, console, token, list_of_targets)
        streams(o, console, token, o.streams)
        wrk(o, console, token, list_of_targets, 5, o.rate)
    finally:
        console.process.terminate()
        console.process.wait()


if __name__ == '__main__':
    main()
