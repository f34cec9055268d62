#!/usr/bin/env python3
"""Measures `sightglass console` over a store of many alerts and assets: time per kind of request, then all mixed at a rate, the
growth of memory, and many event streams at once while alerts arrive."""
import argparse, json, os, random, re, select, shutil, socket, sqlite3, subprocess, sys, threading, time

NS = 10**9
NOW = 1_750_000_000 * NS


# --- the store ---

def template(o):
    """A store as the sensor writes it, of the captures of the console's tests."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../e2e'))
    os.environ.setdefault('SIGHTGLASS', o.sightglass)
    os.environ.setdefault('SOURCE', '.')
    os.environ.setdefault('BUILD', o.work)
    sys.dont_write_bytecode = True
    import console_server
    with console_server.sample([('admin', 'admin')]) as (_, _, dark, store):
        console_server.run(dark, store)
        shutil.copy(store, o.store)
    return console_server.add_token(o.store, 'bench', 'viewer')


def columns(db, table):
    return [row[1] for row in db.execute(f'PRAGMA table_info({table})')]


def insert(db, table, rows):
    names = columns(db, table)
    db.executemany(f'INSERT INTO {table}({",".join(names)}) VALUES({",".join(":" + n for n in names)})', rows)


def rows_of(db, table):
    names = columns(db, table)
    return [dict(zip(names, row)) for row in db.execute(f'SELECT * FROM {table}')]


def address(n):
    return f'10.{n >> 14 & 255}.{n >> 7 & 127}.{n & 127}'


def new_alerts(models, count, assets, chance):
    for n in range(count):
        a = dict(chance.choice(models))
        document = json.loads(a['document'])
        a['id'] = f'{n:08x}{chance.getrandbits(96):024x}'
        a['actor'], a['target'] = address(chance.randrange(assets)), address(chance.randrange(assets))
        a['last_ns'] = NOW - n * 25 * NS
        a['first_ns'] = a['last_ns'] - chance.randrange(600) * NS
        a['incident'], a['state'] = f'{n // 7:032x}', None
        document['event']['id'], document['sightglass']['incident'] = a['id'], a['incident']
        document['message'] = document['message'].replace('10.0.0.66', a['actor']).replace('10.0.0.10', a['target'])
        a['document'] = json.dumps(document, separators=(',', ':'))
        yield a


def new_assets(db, count, chance):
    tables = ('assets', 'asset_aliases', 'asset_protocols', 'services', 'facts', 'asset_places')
    models = {t: rows_of(db, t) for t in tables}
    ids = [row['id'] for row in models['assets']]
    for table in tables:
        rows = []
        for n in range(count):
            model = ids[n % len(ids)]
            for row in models[table]:
                if row.get('asset', row.get('id')) != model:
                    continue
                row = dict(row, **{'id' if table == 'assets' else 'asset': f'a-{n:016x}'})
                if table == 'assets':
                    row['last_ns'] = NOW - chance.randrange(7 * 86400) * NS
                elif table == 'asset_aliases':
                    row['value'] = address(n) if row['kind'] == 'ip' else f'02:00:{n >> 24 & 255:02x}:{n >> 16 & 255:02x}:{n >> 8 & 255:02x}:{n & 255:02x}'
                rows.append(row)
        db.execute(f'DELETE FROM {table}')
        insert(db, table, rows)


def make_store(o):
    for end in ('', '-wal', '-shm'):
        if os.path.exists(o.store + end):
            os.remove(o.store + end)
    token, chance = template(o), random.Random(1)
    db = sqlite3.connect(o.store)
    models = rows_of(db, 'alerts')
    insert(db, 'alerts', new_alerts(models, o.alerts, o.assets, chance))
    new_assets(db, o.assets, chance)
    db.execute("INSERT INTO alert_triage(sensor, id, state, assignee, note, by, at_ms) SELECT sensor, id,"
               " CASE abs(random()) % 2 WHEN 0 THEN 'closed' ELSE 'acknowledged' END, 'admin', '', 'admin', 0 FROM alerts"
               " WHERE rowid % 3 = 0")
    db.commit()
    db.close()
    return token


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


def targets(db, chance):
    """(share, what, paths)"""
    some = db.execute('SELECT id, actor, last_ns FROM alerts ORDER BY random() LIMIT 200').fetchall()
    since = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(NOW // NS - 86400))
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
        (10, 'status', ['/api/v1/status']),
        (5, 'session', ['/api/v1/session']),
        (5, 'assets, 100', ['/api/v1/assets?limit=100']),
        (1, 'metrics', ['/metrics']),
        (2, 'health', ['/healthz']),
    ]


def alone(o, console, token, list_of_targets):
    """Each kind of request by itself, one after the other."""
    import http.client
    host = console.url.split('//')[1]
    print(f'{"alone":28} {"median ms":>10} {"worst ms":>9} {"bytes":>8}')
    rare = [(0, 'alerts with a rare text', ['/api/v1/alerts?q=no+such+words']),
            (0, 'alerts, page 900', ['/api/v1/alerts?skip=90000'])]
    for _, what, paths in list_of_targets + rare:
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
        print(f'{what:28} {took[10]:10.2f} {took[-1]:9.2f} {size:8}')


def wrk(o, console, token, list_of_targets, seconds, rate):
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
    print(f'mixed at {rate}/s, {o.connections} connections, {seconds} s: {requests / us * 1e6:.0f} requests/s, p50 {p50 / 1000:.1f} ms,'
          f' p99 {p99 / 1000:.1f} ms, p99.9 {p999 / 1000:.1f} ms, worst {worst / 1000:.1f} ms; {refused} refused, {broken} broken;'
          f' console {(console.cpu_s() - cpu) / us * 1e6:.2f} cores; load of the machine {os.getloadavg()[0]:.1f}')


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
    alert = rows_of(db, 'alerts')[0] if False else db.execute('SELECT sensor, id, document FROM alerts LIMIT 1').fetchone()
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


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--sightglass', required=True)
    p.add_argument('--work', required=True)
    p.add_argument('--alerts', type=int, default=100000)
    p.add_argument('--assets', type=int, default=10000)
    p.add_argument('--rate', type=int, default=2000, help='requests a second')
    p.add_argument('--connections', type=int, default=64)
    p.add_argument('--seconds', type=int, default=30)
    p.add_argument('--streams', type=int, default=200)
    o = p.parse_args()
    o.sightglass, o.work = os.path.abspath(o.sightglass), os.path.abspath(o.work)
    o.store = os.path.join(o.work, 'console.db')
    began = time.monotonic()
    token = make_store(o)
    print(f'store: {o.alerts} alerts, {o.assets} assets, {os.path.getsize(o.store) >> 20} MiB, made in {time.monotonic() - began:.0f} s')
    db = sqlite3.connect(o.store)
    list_of_targets = targets(db, random.Random(2))
    db.close()
    console = Console(o)
    try:
        alone(o, console, token, list_of_targets)
        wrk(o, console, token, list_of_targets, 5, o.rate)
        before = console.memory_kib()
        wrk(o, console, token, list_of_targets, o.seconds, o.rate)
        after = console.memory_kib()
        print(f'memory: {before / 1024:.1f} MiB before, {after / 1024:.1f} MiB after')
        streams(o, console, token, o.streams)
        wrk(o, console, token, list_of_targets, 5, o.rate)
    finally:
        console.process.terminate()
        console.process.wait()


if __name__ == '__main__':
    main()
