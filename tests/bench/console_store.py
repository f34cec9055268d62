"""A store of a large plant for the bench of the console: rows as the sensor writes them, of the captures of the console's tests,
multiplied. Everything that a page shows is there: alerts, stories, assets, the baseline, the history of events, audits."""
import json, os, random, shutil, sqlite3, struct, sys

NS = 10**9
NOW = 1_750_000_000 * NS
RULES = 200  # Sigma rules that matched sometime
ID_BASE = 1 << 40
RECORD = 40  # bytes before each packed event of the history


def template(o):
    sys.dont_write_bytecode = True
    import console_server
    with console_server.sample([('admin', 'admin')]) as (_, _, dark, store):
        console_server.run(dark, store)
        shutil.copy(store, o.store)
    return console_server.add_token(o.store, 'bench', 'admin')


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
        a['count'] = chance.choice((1, 1, 1, 3, 40))
        if n % 8 == 0:
            a['rule'], document['rule']['uuid'] = 'rule.match', f'rule-{chance.randrange(RULES)}'
            a['rule_uuid'] = document['rule']['uuid']
        elif n % 8 == 1:
            a['rule'] = 'plc.download'
        document['event']['id'], document['sightglass']['incident'] = a['id'], a['incident']
        document['message'] = document['message'].replace('10.0.0.66', a['actor']).replace('10.0.0.10', a['target'])
        a['message'] = document['message']
        a['document'] = json.dumps(document, separators=(',', ':'))
        yield a


def new_stories(models, alerts):
    for n in range(alerts // 7 + 1):
        s = dict(models[n % len(models)], id=f'{n:032x}', last_ns=NOW - n * 175 * NS, state=None)
        s['first_ns'] = s['last_ns'] - 175 * NS
        yield s


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


def new_baseline(db, pairs, entries, assets, chance):
    """Each pair has a conversation with some operations; those of the first pairs are many, so that there are `entries` of each
    kind in all. Those of the captures stay: what the history has is theirs."""
    kinds = ('operations', 'ranges', 'points', 'blocks', 'polled', 'tags')
    pair, = rows_of(db, 'baseline_pairs')[:1]
    conversation = [c for c in rows_of(db, 'baseline_conversations') if c['protocol'] == 'modbus'][0]
    models = {k: rows_of(db, 'baseline_' + k) for k in kinds}
    days = [NOW - chance.randrange(7 * 86400) * NS for _ in range(pairs)]
    insert(db, 'baseline_pairs', (dict(pair, id=ID_BASE + n, host_a=address(n % assets), host_b=address((n * 7919 + 1) % assets),
                                       state='learned' if n % 50 else 'pending', first_seen=days[n], last_seen=NOW - n * NS)
                                  for n in range(pairs)))
    insert(db, 'baseline_conversations', (
        dict(conversation, id=ID_BASE + n, pair=ID_BASE + n, protocol=('modbus', 's7comm', 'cip', 'opcua', 'tls')[n % 5],
             sealed=n % 5 == 4, open=n % 5 != 4, state='learned' if n % 50 else 'pending', first_seen=days[n],
             last_seen=NOW - n * NS, operations_draws=n % 90, objects_draws=n % 70, is_role_known=1, client=n & 1)
        for n in range(pairs)))
    for kind in kinds:
        names = columns(db, 'baseline_' + kind)
        model = dict.fromkeys(names, 0) | models['points'][0] | {'ranges': '100-101', 'variables': '', 'name': 'Line 7.Pressure'}
        models[kind] = models[kind] or [{name: model[name] for name in names}]
        rows = []
        for n in range(entries):
            row = dict(models[kind][n % len(models[kind])], id=ID_BASE + n, conversation=ID_BASE + n * 31 % pairs,
                       state='learned' if n % 100 else 'pending', last_seen=NOW - n * NS)
            row['first_seen'] = row['last_seen'] - 3600 * NS
            if 'address' in row:
                row['address'] = n % 5000
            if kind == 'operations' and n % 9 == 0:
                row['operation'] = ('write', 'program_download', 'stop', 'file_write')[n % 4]
            rows.append(row)
        insert(db, 'baseline_' + kind, rows)


def moved(model, time_ns):
    """A block of the history (rules/history_block.h) that begins then, with the times of its records."""
    event, by, at = bytearray(model['event']), time_ns - model['time_ns'], 0
    while model['rows'] and at + RECORD <= len(event):
        times = struct.unpack_from('<2q', event, at)
        struct.pack_into('<2q', event, at, *(t + by for t in times))
        at += RECORD + struct.unpack_from('<H', event, at + 32)[0]
    return dict(model, time_ns=time_ns, last_ns=model['last_ns'] + by, event=bytes(event))


def new_history(db, count):
    models, day = rows_of(db, 'history'), 86400 * NS
    writes = {}
    for row in rows_of(db, 'history_writes'):
        writes.setdefault((row['time_ns'], row['key']), []).append(row)
    blocks = [(models[n % len(models)], n, NOW - n * 2 * NS) for n in range(count)]
    insert(db, 'history', (dict(moved(model, at), key=n) for model, n, at in blocks))
    insert(db, 'history_writes', (dict(row, day=at // day, time_ns=at, key=n) for model, n, at in blocks
                                  for row in writes.get((model['time_ns'], model['key']), ())))


def new_records(db, sensor, count):
    """What people did, and what was said of how noisy each type is."""
    for table in ('web_audit', 'baseline_audit', 'baseline_decisions', 'maintenance_windows', 'maintenance_actions'):
        models = rows_of(db, table)
        if models and 'id' in models[0]:
            insert(db, table, (dict(models[n % len(models)], id=ID_BASE + n) for n in range(count)))
    insert(db, 'alert_noise', ({'sensor': sensor, 'day': f'2025-{5 + d // 30:02d}-{d % 30 + 1:02d}', 'rule': f'bench.{n}', 'findings': 9,
                                'alerts': 3, 'revisions': 4, 'suppressed': 0, 'folded': 1} for d in range(60) for n in range(80)))


def make(o):
    """The token of an administrator."""
    for end in ('', '-wal', '-shm'):
        if os.path.exists(o.store + end):
            os.remove(o.store + end)
    token, chance = template(o), random.Random(1)
    db = sqlite3.connect(o.store)
    models = rows_of(db, 'alerts')
    insert(db, 'alerts', new_alerts(models, o.alerts, o.assets, chance))
    insert(db, 'incidents', new_stories(rows_of(db, 'incidents'), o.alerts))
    new_assets(db, o.assets, chance)
    new_baseline(db, 3 * o.assets // 2, 10 * o.assets, o.assets, chance)
    new_history(db, 20 * o.assets)
    new_records(db, models[0]['sensor'], 20000)
    db.execute("INSERT INTO alert_triage(sensor, id, state, assignee, note, by, at_ms) SELECT sensor, id,"
               " CASE abs(random()) % 2 WHEN 0 THEN 'closed' ELSE 'acknowledged' END, 'admin', '', 'admin', 0 FROM alerts"
               " WHERE rowid % 3 = 0")
    db.commit()
    db.close()
    return token
