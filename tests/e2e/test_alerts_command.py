#!/usr/bin/env python3
"""sightglass alerts: lists a store's alerts as a table and as JSON, and says what is wrong with a call or a file.

The store is made by tests/alerts/test_delivery.c in its "flow" mode: a finding a second from 2015-10-21T07:28:00Z on."""
import json
import os
import subprocess
import sys
import tempfile

SIGHTGLASS, BUILD = os.environ['SIGHTGLASS'], os.environ['BUILD']


def call(*arguments):
    done = subprocess.run([SIGHTGLASS, 'alerts', *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def main():
    failures = []

    def check(what, ok, shown):
        if not ok:
            failures.append(what)
            print('FAILED:', what, '\n', shown)

    with tempfile.TemporaryDirectory() as folder:
        store, empty = os.path.join(folder, 'store.db'), os.path.join(folder, 'empty.yaml')
        with open(empty, 'w', encoding='utf-8') as file:
            file.write('sensor:\n  name: north\n')
        subprocess.run([os.path.join(BUILD, 'tests/alerts_test_delivery'), 'flow', empty, store, '30', '0', '0'],
                       check=True, stdout=subprocess.DEVNULL)

        code, out, err = call('-s', store, '--format', 'json')
        documents = [json.loads(line) for line in out.splitlines()]
        check('json: exit 0, one document per alert', code == 0 and len(documents) == 21, (code, len(documents), err))
        check('json: oldest first', [d['@timestamp'] for d in documents] == sorted(d['@timestamp'] for d in documents), out)
        check('json: the newest revision', all(d['sightglass']['status'] == 'settled' for d in documents), out)
        check('json: the sensor of the configuration', documents[0]['observer']['name'] == 'north', out)

        code, out, err = call('-s', store)
        check('table: a line per alert below the head', code == 0 and len(out.splitlines()) == 22, out)
        check('table: the sentence', '10.0.0.5 stopped 10.0.0.10' in out.splitlines()[1], out)
        check('table: the first of them', out.splitlines()[1].startswith('2015-10-21T07:28:00Z'), out)

        code, out, err = call('-s', store, '--format', 'json', '--since', '2015-10-21T07:28:27Z')
        first = [json.loads(line)['sightglass']['last_seen'] for line in out.splitlines()]
        check('since: only what grew since', first and min(first) >= '2015-10-21T07:28:27', out)
        check('since: a day', call('-s', store, '--since', '2015-10-22')[1].count('\n') == 1, '')

        for what, arguments, status, says in (
                ('a time that is none', ('-s', store, '--since', 'yesterday'), 2, 'yesterday'),
                ('a format that is none', ('-s', store, '--format', 'xml'), 2, 'xml'),
                ('an option that is none', ('--what',), 2, 'usage'),
                ('a word too many', ('-s', store, 'more'), 2, 'more'),
                ('no such store', ('-s', os.path.join(folder, 'none.db')), 1, 'none.db'),
                ('a file that is no store', ('-s', empty), 1, 'empty.yaml')):
            code, out, err = call(*arguments)
            check(what, code == status and says in err and not out, (code, out, err))
        check('--help', call('--help')[0] == 0, '')
        check('an absent store stays absent', not os.path.exists(os.path.join(folder, 'none.db')), '')
    print(f'{len(failures)} failures')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
