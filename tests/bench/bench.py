#!/usr/bin/env python3
"""Measures `sightglass run` against a plain libpcap read loop on one capture, in one run, and prints ratios.

CPU seconds are user + system of the whole process. The loop and the sensor take turns; medians are printed. Without a capture the
OT mix of ../shared/tools/bench is made when it is there, else the sample plant is generated (10 days)."""
import argparse, json, os, re, resource, statistics, subprocess, sys

def timed(cmd, env=None):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    p = subprocess.Popen(cmd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env)
    _, err = p.communicate()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if p.returncode:
        sys.exit(f'bench: {" ".join(cmd)} failed: {err.decode(errors="replace")[-500:]}')
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

def make_capture(o):
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
    shared = os.path.join(root, '..', 'shared')
    mix = os.path.join(o.work, 'ot-mix.pcap')
    if os.path.exists(os.path.join(shared, 'tools', 'bench', 'make_ot_mix.py')):
        if not os.path.exists(mix):
            subprocess.run([sys.executable, os.path.join(shared, 'tools', 'bench', 'make_ot_mix.py'),
                            os.path.join(shared, 'captures'), '-o', mix], check=True, stdout=subprocess.DEVNULL)
        return mix, 'OT mix of public captures'
    plant = os.path.join(o.work, 'plant.pcap')
    if not os.path.exists(plant):
        subprocess.run([sys.executable, os.path.join(root, 'tests', 'plant', 'plantgen'), '--out', plant, '--hours', '240'],
                       check=True)
    return plant, 'sample plant, 10 days'

def peak_memory_kib(cmd):
    stats = json.load(open(cmd[cmd.index('--stats') + 1]))
    return stats['peak_memory_kib'], stats

def empty_ndpi_kib(o):
    """What a sensor that saw one packet takes: nDPI's tables and ours before any traffic."""
    one = os.path.join(o.work, 'one.pcap')
    with open(one, 'wb') as f:
        f.write(bytes.fromhex('d4c3b2a1020004000000000000000000ffff000001000000') + bytes(4) + bytes(4) +
                (60).to_bytes(4, 'little') * 2 + bytes(60))
    cmd = [o.sightglass, 'run', '-r', one, '-s', ':memory:', '--stats', os.path.join(o.work, 'one.json')]
    timed(cmd)
    return peak_memory_kib(cmd)[0]

WORKER = ('sensor/', 'dissectors/', 'rules/', 'baseline/')
CORE = ('sensor/main/', 'sensor/base/store', 'baseline/inventory', 'baseline/asset', 'baseline/binding', 'baseline/scan')

def steady_allocations(o, capture, packets):
    """Bytes per packet in the second half of the capture, asked for by the worker's code, the core's code, libraries."""
    log = os.path.join(o.work, 'allocations.txt')
    half = os.path.getsize(capture) // 2
    env = dict(os.environ, LD_PRELOAD=os.path.abspath(o.allocations), ALLOCATIONS=log, ALLOCATIONS_AFTER=str(half))
    timed([o.sightglass, 'run', '-r', capture, '-s', ':memory:'], env)
    rows = [line.split() for line in open(log)]
    own = [r for r in rows if r[0].endswith('sightglass')]
    places = subprocess.run(['addr2line', '-e', o.sightglass] + [r[1] for r in own], check=True, capture_output=True,
                            text=True).stdout.splitlines() if own else []
    root = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')) + '/'
    worker, core, places_of_worker = 0, 0, {}
    for row, place in zip(own, places):
        file = place.replace(root, '')
        if file.startswith(WORKER) and not file.startswith(CORE):
            worker += int(row[3])
            places_of_worker[file] = places_of_worker.get(file, 0) + int(row[3])
        else:
            core += int(row[3])
    libraries = sum(int(r[3]) for r in rows) - worker - core
    return worker / packets * 2, core / packets * 2, libraries / packets * 2, places_of_worker

def instructions(o, capture, stats):
    """Instructions of one run under callgrind: of all of it, and within dissectors without what they hand on."""
    out = os.path.join(o.work, 'callgrind.out')
    timed(['valgrind', '--tool=callgrind', f'--callgrind-out-file={out}', o.sightglass, 'run', '-r', capture, '-s', ':memory:',
           '--stats', stats])
    text = subprocess.run(['callgrind_annotate', '--inclusive=yes', '--threshold=100', out], check=True, capture_output=True,
                          text=True).stdout
    def of(pattern):
        return sum(int(m.replace(',', '')) for m in re.findall(r'^ *([0-9,]+) .*' + pattern, text, re.M)[:1])
    emitted = of(r'[:/]emit_event\b') + of(r'[:/]emit_violation\b')
    return of('PROGRAM TOTALS'), max(0, of(r'[:/]dissect_pdu\b') - emitted)

def list_protocols(o, shared):
    """What a packet of each class of the OT mix costs, in instructions: the load of the machine does not matter, so that
    one run is enough. Captures of one class each are made once and stay in the work folder."""
    maker = os.path.join(shared, 'tools', 'bench', 'make_ot_mix.py')
    sys.path.insert(0, os.path.dirname(maker))
    sys.dont_write_bytecode = True
    import make_ot_mix
    stats = os.path.join(o.work, 'only.json')
    empty_ndpi_kib(o)
    start, _ = instructions(o, os.path.join(o.work, 'one.pcap'), stats)
    rows = []
    for name in sorted(make_ot_mix.WEIGHTS):
        capture = os.path.join(o.work, f'only-{name}-{o.packets}.pcap')
        if not os.path.exists(capture):
            subprocess.run([sys.executable, maker, os.path.join(shared, 'captures'), '-o', capture, '-n', str(o.packets),
                            '--plcs', '8', '--only', name], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not os.path.exists(capture):
            continue
        total, dissecting = instructions(o, capture, stats)
        with open(stats) as f:
            s = json.load(f)['counters']
        rows.append((name, s['packets'], s['pdus'], s['events'], (total - start) / s['packets'], dissecting / max(1, s['pdus'])))
        print('.', end='', file=sys.stderr, flush=True)
    median = statistics.median(r[4] for r in rows)
    print(f'\n{"class":14} {"packets":>8} {"PDUs":>8} {"events":>8} {"a packet":>10} {"dissecting a PDU":>17}   in instructions')
    for name, packets, pdus, events, cost, dissecting in sorted(rows, key=lambda r: r[4]):
        print(f'{name:14} {packets:8} {pdus:8} {events:8} {cost:10.0f} {dissecting:17.0f}' + ('   more than 3 medians' if cost > 3 * median else ''))
    print(f'median {median:.0f} instructions a packet')

# What a rule asks beside protocol and operation, {i}: of the rule. Most look for what does not happen, as rules of a plant do.
TERMS = ['ot.items.start|gte: {far}\n        ot.items.start|lt: {farther}', 'source.ip|cidr: 192.0.2.{octet}/32', 'ot.items.values|gt: 1.0e+{big}',
         'ot.name|contains: zz{i}', 'ot.items.number|gt: {far}', 'ot.name|re: ^(zz|yy){i}', 'client.ip: 198.51.100.{octet}',
         'ot.name|startswith: force_{i}', "ot.items.name|endswith: '.Limit{i}'", 'destination.port: {port}', 'ot.function: {port}',
         'ot.status|contains: refused_{i}', 'ot.unit: unit{i}', 'ot.detail|re: (stop|halt) {i}$']

def make_rules(o):
    """Sigma rules as a plant has them: nearly all name a protocol and operations, one in twenty watches every protocol
    for a host, a name, a value; one in ten has an exception; one in fifty matches again and again."""
    folder, config = os.path.join(o.work, 'rules'), os.path.join(o.work, 'rules.yaml')
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        os.remove(os.path.join(folder, name))
    protocols = ['modbus', 's7comm', 'cip', 'dnp3', 'iec104', 'bacnet', 'opcua', 'mms', 'umas', 'pccc']
    operations = ['write', 'read', '[read, write]', 'control', '[program_download, program_upload]', 'config_change', 'identify', 'browse']
    for i in range(o.rules):
        term = TERMS[i % len(TERMS)].format(i=i, octet=i % 256, far=4000000000 + i, farther=4000000001 + i, big=30 + i % 8, port=60000 + i)
        search = [term] if i % 20 == 4 else [f'network.protocol: {protocols[i % 10]}', f'ot.operation: {operations[i // 10 % 8]}', term]
        if i % 50 == 49:  # most devices answer a few requests with an error
            search = [f'network.protocol: {protocols[i // 50 % 10]}', 'ot.status|exists: true', 'ot.status|neq: ok']
        exception = '    filter:\n        client.ip|cidr: 203.0.113.0/24\n' if i % 10 == 3 else ''
        with open(os.path.join(folder, f'{i}.yml'), 'w') as f:
            f.write(f'title: rule {i}\nid: 00000000-0000-4000-8000-{i:012}\nlogsource:\n    product: sightglass\n    category: ot\n'
                    f'detection:\n    selection:\n        ' + '\n        '.join(search) + f'\n{exception}'
                    f'    condition: selection{" and not filter" if exception else ""}\nlevel: low\n')
    with open(config, 'w') as f:
        f.write(f'rules:\n  files: [{json.dumps(os.path.abspath(folder))}]\n')
    return config

def measure_rules(o, capture):
    """What the rules add, in CPU seconds of the plain loop; loop, sensor and sensor with rules take turns."""
    stats = os.path.join(o.work, 'stats.json')
    ours = [o.sightglass, 'run', '-r', capture, '-s', ':memory:', '--stats', stats]
    with_rules = ours + ['-c', make_rules(o)]
    timed([o.loop, capture])  # into the page cache
    rows = [(timed([o.loop, capture]), timed(ours), timed(with_rules)) for _ in range(o.runs)]
    loop = statistics.median(r[0] for r in rows)
    added = statistics.median(r[2] - r[1] for r in rows)
    _, s = peak_memory_kib(ours)
    print(f'plain loop       {loop:8.3f} CPU s   sightglass run {statistics.median(r[1] for r in rows):.3f} CPU s')
    print(f'{o.rules:4} Sigma rules add {added:.3f} CPU s: {added / loop:.2f} plain loops, {added / s["counters"]["packets"] * 1e9:.0f} ns per packet '
          f'(from {min((r[2] - r[1]) / r[0] for r in rows):.2f} to {max((r[2] - r[1]) / r[0] for r in rows):.2f} in {o.runs} runs)')

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('capture', nargs='?')
    p.add_argument('--sightglass', required=True)
    p.add_argument('--loop', required=True)
    p.add_argument('--allocations', required=True)
    p.add_argument('--work', required=True)
    p.add_argument('--runs', type=int, default=5)
    p.add_argument('--protocols', action='store_true', help='the cost of each class of the OT mix per packet')
    p.add_argument('--rules', type=int, help='what this many Sigma rules add, in plain loops')
    p.add_argument('--packets', type=int, default=8000, help='of each class')
    o = p.parse_args()
    if o.protocols:
        shared = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', '..', 'shared')
        if not os.path.exists(os.path.join(shared, 'tools', 'bench', 'make_ot_mix.py')):
            sys.exit('bench: the captures are not here')
        return list_protocols(o, shared)
    capture, what = (o.capture, o.capture) if o.capture else make_capture(o)
    if o.rules:
        return measure_rules(o, capture)
    store, stats = os.path.join(o.work, 'bench.db'), os.path.join(o.work, 'stats.json')
    ours = [o.sightglass, 'run', '-r', capture, '-s', store, '--stats', stats]
    loop = [o.loop, capture]
    timed(loop)  # into the page cache
    rows = []
    for _ in range(o.runs):
        for suffix in ('', '-wal', '-shm'):
            if os.path.exists(store + suffix):
                os.remove(store + suffix)
        rows.append((timed(loop), timed(ours)))
    base = statistics.median(r[0] for r in rows)
    cpu = statistics.median(r[1] for r in rows)
    ratio = statistics.median(r[1] / r[0] for r in rows)
    peak, s = peak_memory_kib(ours)
    packets = s['counters']['packets']
    print(f'capture          {what}: {packets} packets, {s["counters"]["bytes"]} bytes')
    print(f'plain loop       {base:8.3f} CPU s   {packets / base / 1e6:8.2f} M packets per CPU second')
    print(f'sightglass run   {cpu:8.3f} CPU s   {packets / cpu / 1e6:8.2f} M packets per CPU second')
    print(f'ratio            {ratio:8.2f}   (min {min(r[1] / r[0] for r in rows):.2f}, max {max(r[1] / r[0] for r in rows):.2f} of {o.runs})')
    idle = empty_ndpi_kib(o)
    print(f'peak memory      {peak / 1024:8.1f} MiB, {idle / 1024:.1f} MiB with one packet')
    worker, core, libraries, places = steady_allocations(o, capture, packets)
    print(f'allocated        {worker:8.3f} bytes per packet by the worker in the second half; {core:.2f} by the core '
          f'(alerts, inventory, store), {libraries:.2f} by libraries')
    for place, n in sorted(places.items(), key=lambda p: -p[1])[:10]:
        print(f'                 {n:12} bytes at {place}')
    events = sum(v['events'] for v in s['protocols'].values())
    print(f'found            {events} events, {s["alerts"]} alerts, {s["counters"]["violations"]} violations')

if __name__ == '__main__':
    main()
