#!/usr/bin/env python3
"""Alerts on their way to a real redis-server that is killed and comes back empty, hangs, refuses writes, or wants a
password. A consumer that keeps the first of every (id, rev) must end with exactly the alerts of the store.

The sensor is tests/alerts/test_delivery.c in its "flow" mode: alerts.c, the store and delivery.c as in the program."""
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

BUILD = os.environ['BUILD']
SERVER = shutil.which('redis-server')
SITE, STREAM = 'plant', 'sightglass:{plant}:alerts'


class Redis:
    """A server on a loopback port in its own folder, and the few commands the test needs."""

    def __init__(self, folder, options=(), password=None, user=None, unix=False):
        self.folder, self.options, self.password, self.user = folder, list(options), password, user
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            self.port = probe.getsockname()[1]
        self.path = os.path.join(folder, 'redis.sock') if unix else None
        self.process = None

    def start(self):
        command = [SERVER, '--port', str(0 if self.path else self.port), '--bind', '127.0.0.1', '--dir', self.folder,
                   '--save', '', '--appendonly', 'no', '--loglevel', 'warning'] + self.options
        if self.path:
            command += ['--unixsocket', self.path]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        for _ in range(100):
            try:
                self.call('PING')
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError('redis-server does not start')

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def call(self, *words):
        family = socket.AF_UNIX if self.path else socket.AF_INET
        with socket.socket(family) as s:
            s.settimeout(10)
            s.connect(self.path or ('127.0.0.1', self.port))
            file = s.makefile('rb')
            if self.password:
                self.send(s, ['AUTH'] + ([self.user] if self.user else []) + [self.password])
                self.reply(file)
            self.send(s, words)
            return self.reply(file)

    @staticmethod
    def send(s, words):
        data = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        s.sendall(b'*%d\r\n' % len(data) + b''.join(b'$%d\r\n%s\r\n' % (len(w), w) for w in data))

    def reply(self, file):
        line = file.readline().rstrip(b'\r\n')
        if not line:
            raise OSError('connection closed')
        kind, rest = line[:1], line[1:]
        if kind == b'-':
            raise RuntimeError(rest.decode())
        if kind == b':':
            return int(rest)
        if kind == b'$':
            return None if int(rest) < 0 else file.read(int(rest) + 2)[:-2]
        if kind == b'*':
            return [self.reply(file) for _ in range(int(rest))]
        return rest


class Consumer:
    """Reads the stream from its beginning at every look and keeps the first of every (id, rev)."""

    def __init__(self, redis):
        self.redis, self.documents, self.entries, self.bad = redis, {}, 0, []

    def look(self):
        try:
            entries = self.redis.call('XRANGE', STREAM, '-', '+')
        except (OSError, RuntimeError):
            return []
        self.entries = max(self.entries, len(entries))
        for _, fields in entries:
            names = fields[::2]
            if names != [b'json', b'id', b'rev', b'seq']:
                self.bad.append(f'fields {names}')
            entry = dict(zip(names, fields[1::2]))
            key = (entry[b'id'].decode(), int(entry[b'rev']))
            document = json.loads(entry[b'json'])
            if key != (document['event']['id'], document['sightglass']['revision']):
                self.bad.append(f'{key} is not the key of its document')
            if self.documents.setdefault(key, entry[b'json']) != entry[b'json']:
                self.bad.append(f'{key} came with two contents')
        return [entry for entry, _ in entries]


def something_new_arrives(consumer, flow, seconds=60):
    """The sensor is connected and at work, however slow the machine is."""
    before = len(consumer.look())
    end = time.monotonic() + seconds
    while len(consumer.look()) <= before and flow.poll() is None and time.monotonic() < end:
        time.sleep(0.1)


def configuration(folder, redis, extra=''):
    path = os.path.join(folder, 'sightglass.yaml')
    with open(path, 'w', encoding='utf-8') as file:
        file.write('outputs:\n  redis:\n')
        file.write(f'    socket: {redis.path}\n' if redis.path else f'    host: 127.0.0.1\n    port: {redis.port}\n')
        file.write(extra)
    return path


def start_flow(folder, redis, count, gap_ms, patience_ms, extra=''):
    program = os.path.join(BUILD, 'tests/alerts_test_delivery')
    return subprocess.Popen([program, 'flow', configuration(folder, redis, extra), os.path.join(folder, 'store.db'),
                             str(count), str(gap_ms), str(patience_ms)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(flow, consumer, seconds):
    end = time.monotonic() + seconds
    while flow.poll() is None and time.monotonic() < end:
        consumer.look()
        time.sleep(0.1)
    if flow.poll() is None:
        flow.kill()
    out, err = flow.communicate()
    consumer.look()
    return flow.returncode, out.decode(), err.decode()


def compare(name, folder, consumer, result, failures):
    """Every published revision is in the outbox; the newest of each alert is the alert of the store."""
    code, out, err = result
    db = sqlite3.connect(os.path.join(folder, 'store.db'))
    outbox = {(i, r): j.encode() for i, r, j in db.execute('SELECT id, rev, json FROM outbox')}
    alerts = {(i, r): d.encode() for i, r, d in db.execute('SELECT id, revision, document FROM alerts')}
    newest = {}
    for (i, r), document in consumer.documents.items():
        if r > newest.get(i, (0, b''))[0]:
            newest[i] = (r, document)
    problems = list(consumer.bad[:5])
    if code != 0:
        problems.append(f'the sensor ended with {code}: {err[-500:]}')
    if not alerts:
        problems.append('the store has no alerts')
    if consumer.documents != outbox:
        problems.append(f'{len(consumer.documents)} revisions arrived, {len(outbox)} were published')
    if {(i, r): d for i, (r, d) in newest.items()} != alerts:
        problems.append(f'{len(newest)} alerts arrived, the store has {len(alerts)}')
    print(f'{name}: {len(alerts)} alerts, {len(outbox)} revisions, {len(consumer.documents)} arrived; {out.strip()}')
    for problem in problems:
        print('  FAILED:', problem)
    failures += [name] * bool(problems)
    return out, err


def scenario(body):
    def run(failures):
        folder = tempfile.mkdtemp(prefix='sightglass-redis-')
        redis = []
        try:
            body(folder, redis, failures)
        finally:
            for server in redis:
                server.kill()
            shutil.rmtree(folder)
    run.__name__ = body.__name__
    return run


@scenario
def works(folder, redis, failures):
    server = Redis(folder)
    redis.append(server)
    server.start()
    consumer = Consumer(server)
    result = finish(start_flow(folder, server, 300, 1, 5000), consumer, 60)
    compare('works', folder, consumer, result, failures)
    if consumer.entries != len(consumer.documents):
        print('  FAILED: without trouble every revision comes once')
        failures.append('works')


@scenario
def over_a_unix_socket(folder, redis, failures):
    server = Redis(folder, unix=True)
    redis.append(server)
    server.start()
    consumer = Consumer(server)
    compare('over a unix socket', folder, consumer, finish(start_flow(folder, server, 50, 1, 5000), consumer, 60), failures)


@scenario
def comes_late(folder, redis, failures):
    server = Redis(folder)
    redis.append(server)
    flow = start_flow(folder, server, 100, 10, 15000)
    time.sleep(1.5)
    server.start()
    consumer = Consumer(server)
    _, err = compare('comes late', folder, consumer, finish(flow, consumer, 60), failures)
    if 'wait in the store' not in err or 'works again' not in err:
        print('  FAILED: the operator is not told:', err)
        failures.append('comes late')


@scenario
def killed_and_comes_back_empty(folder, redis, failures):
    server = Redis(folder)
    redis.append(server)
    server.start()
    consumer = Consumer(server)
    flow = start_flow(folder, server, 400, 10, 20000)
    for _ in range(3):
        something_new_arrives(consumer, flow)
        server.kill()  # kill -9: nothing was saved
        consumer.documents.clear()  # the consumer has lost its memory too: all must come again
        time.sleep(0.4)
        server.start()
    out, _ = compare('killed and comes back empty', folder, consumer, finish(flow, consumer, 90), failures)
    if 'resent 0' in out:
        print('  FAILED: nothing was sent again')
        failures.append('killed')


@scenario
def emptied_while_connected(folder, redis, failures):
    server = Redis(folder)
    redis.append(server)
    server.start()
    consumer = Consumer(server)
    flow = start_flow(folder, server, 300, 10, 20000)
    something_new_arrives(consumer, flow)
    server.call('FLUSHALL')
    consumer.documents.clear()
    compare('emptied while connected', folder, consumer, finish(flow, consumer, 90), failures)


@scenario
def slow_and_hanging(folder, redis, failures):
    server = Redis(folder)
    redis.append(server)
    server.start()
    consumer = Consumer(server)
    flow = start_flow(folder, server, 1000, 10, 30000)
    something_new_arrives(consumer, flow)
    server.call('CLIENT', 'PAUSE', 1500)
    something_new_arrives(consumer, flow)
    server.process.send_signal(signal.SIGSTOP)
    time.sleep(6)  # longer than the sensor waits for an answer
    server.process.send_signal(signal.SIGCONT)
    out, _ = compare('slow and hanging', folder, consumer, finish(flow, consumer, 90), failures)
    if 'retries 0' in out:
        print('  FAILED: the hanging server was not noticed')
        failures.append('hanging')


@scenario
def refuses_writes(folder, redis, failures):
    server = Redis(folder, ['--maxmemory-policy', 'noeviction'])
    redis.append(server)
    server.start()
    consumer = Consumer(server)
    flow = start_flow(folder, server, 300, 10, 30000)
    something_new_arrives(consumer, flow)
    server.call('CONFIG', 'SET', 'maxmemory', '1')
    time.sleep(1.5)
    server.call('CONFIG', 'SET', 'maxmemory', '0')
    _, err = compare('refuses writes', folder, consumer, finish(flow, consumer, 90), failures)
    if 'OOM' not in err:
        print('  FAILED: the operator is not told why:', err)
        failures.append('refuses writes')


@scenario
def wants_a_password(folder, redis, failures):
    server = Redis(folder, ['--requirepass', 'correct horse'], password='correct horse')
    redis.append(server)
    server.start()
    consumer = Consumer(server)
    flow = start_flow(folder, server, 50, 2, 5000, '    password: correct horse\n')
    compare('wants a password', folder, consumer, finish(flow, consumer, 60), failures)

    server.call('DEL', STREAM)
    wrong = finish(start_flow(folder, server, 5, 2, 500, '    password: battery staple\n'), Consumer(server), 30)
    print('wrong password:', wrong[2].strip().splitlines()[0])
    if 'WRONGPASS' not in wrong[2] or 'battery' in wrong[1] + wrong[2]:
        print('  FAILED: the operator must be told, without the password:', wrong[2])
        failures.append('wrong password')


@scenario
def knows_the_user(folder, redis, failures):
    server = Redis(folder)
    redis.append(server)
    server.start()
    for name, rights, extra in (('full', '+xadd +xinfo +xrange +exists +info +ping', ''), ('least', '+xadd', '')):
        server.call('FLUSHALL')
        server.call('ACL', 'SETUSER', name, 'on', '>secret', '~sightglass:*', *rights.split())
        consumer = Consumer(server)
        place = os.path.join(folder, name)
        os.mkdir(place)
        flow = start_flow(place, server, 50, 2, 5000, f'    user: {name}\n    password: secret\n')
        compare(f'user with {rights}', place, consumer, finish(flow, consumer, 60), failures)


@scenario
def the_sensor_is_killed(folder, redis, failures):
    """kill -9 at any moment: the next run goes on where the store ends, and what was sent stays true."""
    server = Redis(folder)
    redis.append(server)
    server.start()
    consumer = Consumer(server)
    for seconds in (1.3, 2.1):
        flow = start_flow(folder, server, 400, 10, 5000)
        time.sleep(seconds)
        flow.kill()
        flow.communicate()
        consumer.look()
    compare('the sensor is killed', folder, consumer, finish(start_flow(folder, server, 400, 5, 5000), consumer, 60), failures)


@scenario
def trims_and_forgets_what_was_read(folder, redis, failures):
    """Consumers that delete what they have read must not make the sensor send everything again."""
    server = Redis(folder)
    redis.append(server)
    server.start()
    consumer = Consumer(server)
    flow = start_flow(folder, server, 1200, 5, 5000)
    deleted = 0
    while flow.poll() is None:
        for entry in consumer.look():
            deleted += server.call('XDEL', STREAM, entry)
        time.sleep(0.2)
    out, _ = compare('consumer that deletes', folder, consumer, finish(flow, consumer, 5), failures)
    if 'resent 0' not in out or deleted < 100:
        print(f'  FAILED: sent again for nothing, or nothing was deleted ({deleted})')
        failures.append('deletes')


def main():
    if not SERVER:
        print('skipped: redis-server is not installed')
        return 77
    failures = []
    wanted = sys.argv[1:]
    for run in (works, over_a_unix_socket, comes_late, killed_and_comes_back_empty, emptied_while_connected,
                slow_and_hanging, refuses_writes, wants_a_password, knows_the_user, the_sensor_is_killed,
                trims_and_forgets_what_was_read):
        if not wanted or run.__name__ in wanted:
            run(failures)
    print(f'{len(failures)} failures')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
