#!/usr/bin/env python3
"""Every type of sensor/base/detections.def has a test that raises it and a quiet twin, named in tests/catalogue.tsv:
a type without them fails here, as does a name that no test has any more. Captures named there are run."""
import concurrent.futures
import json
import os
import re
import subprocess
import sys

SOURCE, BUILD = os.environ['SOURCE'], os.environ['BUILD']
SIGHTGLASS = os.environ.get('SIGHTGLASS', os.path.join(BUILD, 'sightglass'))
CAPTURES = os.path.join(SOURCE, '../shared/captures')


def types():
    with open(os.path.join(SOURCE, 'sensor/base/detections.def'), encoding='utf-8') as file:
        return re.findall(r'^DETECTION\(\w+,\s*"([a-z.0-9-]+)"', file.read(), re.M)


def table():
    with open(os.path.join(SOURCE, 'tests/catalogue.tsv'), encoding='utf-8') as file:
        for line in file:
            if line.strip() and not line.startswith('#'):
                yield (line.rstrip('\n').split('\t') + [''] * 4)[:5]


def plain(text):
    """String literals that clang-format cut in two are one again."""
    return re.sub(r'"\s*\n\s*"', '', text)


def missing(test, texts={}):  # pylint: disable=dangerous-default-value
    """What is wrong with "file: row or test"; '' when it is there."""
    path, _, name = test.partition(': ')
    where = os.path.join(SOURCE, path)
    if not name or not os.path.isfile(where):
        return f'no such file: {test}'
    if path not in texts:
        with open(where, encoding='utf-8') as file:
            texts[path] = plain(file.read())
    is_there = f'"{name}"' in texts[path] or re.search(r'\b' + re.escape(name) + r'\b', texts[path])
    return '' if is_there else f'no row or test is called so: {test}'


def raised(capture):
    path = os.path.join(CAPTURES, capture)
    if not os.path.exists(path):
        return capture, None
    out = subprocess.run([SIGHTGLASS, 'run', '-m', 'detect', '-r', path, '-s', ':memory:', '--alerts', '-'],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
    return capture, {json.loads(line)['rule']['id'] for line in out.splitlines()}


def main():
    says, rows = [], list(table())
    named = [row[0] for row in rows]
    for rule in types():
        if named.count(rule) != 1:
            says.append(f'{rule}: stands {named.count(rule)} times in tests/catalogue.tsv, not once')
    for rule in sorted(set(named) - set(types())):
        says.append(f'{rule}: is no type')
    for rule, raises, quiet, *_ in rows:
        for test in (raises, quiet):
            wrong = missing(test)
            if wrong:
                says.append(f'{rule}: {wrong}')
        if raises == quiet:
            says.append(f'{rule}: its quiet twin is the test that raises it')
    captures = sorted({capture for row in rows for capture in row[3:] if capture})
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        seen = dict(pool.map(raised, captures))
    for rule, _, _, loud, silent in rows:
        for capture, is_wanted in ((loud, True), (silent, False)):
            if not capture:
                continue
            if seen[capture] is None:
                print(f'skipped: {capture} is not here')
            elif (rule in seen[capture]) != is_wanted:
                says.append(f"{rule}: {capture} {'does not raise' if is_wanted else 'raises'} it")
    for line in says:
        print(line)
    print(f'{len(rows)} types, {len(captures)} captures, {len(says)} failures')
    return 1 if says else 0


if __name__ == '__main__':
    sys.exit(main())
