#!/usr/bin/env python3
"""Every type of alert against alerts/alert.schema.json, judged by an independent validator; and the schema against
lines that must not pass, so that it can be seen to refuse something."""
import copy
import json
import os
import re
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    print('skipped: python3-jsonschema is not installed')
    sys.exit(77)

SOURCE, BUILD = os.environ['SOURCE'], os.environ['BUILD']
SIGHTGLASS = os.environ.get('SIGHTGLASS', os.path.join(BUILD, 'sightglass'))
CAPTURES = os.path.join(SOURCE, '../shared/captures')
SMALL = 100000  # bytes: enough captures of every kind, and still a quick test
SKIP_DRAFT = not hasattr(jsonschema, 'Draft202012Validator')


def catalogue():
    text = open(os.path.join(SOURCE, 'sensor/base/detections.def'), encoding='utf-8').read()
    return set(re.findall(r'^DETECTION\(\w+,\s*"([a-z.0-9-]+)"', text, re.M))


def without(line, *path):
    line = copy.deepcopy(line)
    part = line
    for key in path[:-1]:
        part = part[key]
    del part[path[-1]]
    return line


def changed(line, value, *path):
    line = copy.deepcopy(line)
    part = line
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return line


def of_captures():
    """What the program itself says about real captures, where they are there."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, 'alerts.jsonl')
        for kind in ('modbus', 'umas', 's7comm', 'enip', 'malformed'):
            where = os.path.join(CAPTURES, kind)
            for name in sorted(os.listdir(where)) if os.path.isdir(where) else []:
                path = os.path.join(where, name)
                if os.path.getsize(path) < SMALL:
                    subprocess.run([SIGHTGLASS, 'run', '-r', path, '-s', ':memory:', '-m', 'detect', '--alerts', out],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
                    with open(out, encoding='utf-8') as file:
                        lines += [json.loads(line) for line in file]
    return lines


def main():
    if SKIP_DRAFT:
        print('skipped: python3-jsonschema does not know draft 2020-12')
        return 77
    with open(os.path.join(SOURCE, 'alerts/alert.schema.json'), encoding='utf-8') as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)

    program = os.path.join(BUILD, 'tests/alerts_test_every_alert')
    out = subprocess.run([program, 'print'], check=True, stdout=subprocess.PIPE).stdout.decode('utf-8')
    lines = [json.loads(line) for line in out.splitlines()]
    failures = 0
    real = of_captures() if os.path.exists(SIGHTGLASS) and os.path.isdir(CAPTURES) else []
    if not real:
        print('skipped: real captures, they are not here')
    for line in real + lines:
        for error in validator.iter_errors(line):
            failures += 1
            print(f"{line.get('rule', {}).get('id')}: {'/'.join(map(str, error.absolute_path))}: {error.message}")
        points = sum(r['points'] for r in line['sightglass']['severity_reasons'])
        if max(1, min(10, points)) != line['event']['severity']:
            failures += 1
            print(f"{line['rule']['id']}: severity {line['event']['severity']} is not the sum {points}")
    seen = {line['rule']['id'] for line in lines}
    for rule in sorted(catalogue() ^ seen):
        failures += 1
        print(f'{rule}: in the catalogue or among the alerts, but not in both')
    keys = {(line['event']['id'], line['sightglass']['revision']) for line in lines}
    if len(keys) != len(lines):
        failures += 1
        print('(event.id, revision) is not unique')

    rich = next(line for line in lines if 'ot' in line and 'threat' in line)
    wrong = {
        'no id': without(rich, 'event', 'id'),
        'no message': without(rich, 'message'),
        'no revision': without(rich, 'sightglass', 'revision'),
        'severity 11': changed(rich, 11, 'event', 'severity'),
        'an unknown key': changed(rich, 1, 'sightglass', 'surprise'),
        'a time without zone': changed(rich, '2015-10-21T07:28:00', '@timestamp'),
        'an address that is none': changed(rich, '10.0.0.256', 'source', 'ip'),
        'a status of triage': changed(rich, 'closed', 'sightglass', 'status'),
    }
    for name, line in wrong.items():
        if validator.is_valid(line):
            failures += 1
            print(f'the schema lets pass: {name}')

    print(f'{len(lines)} made-up and {len(real)} real lines, {len(seen)} types, {failures} failures')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
