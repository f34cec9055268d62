#!/usr/bin/env python3
"""`sightglass run -r`: determinism, damaged captures, several sources of packets, outputs that cannot be written, kill -9."""
import gzip, json, os, shutil, signal, subprocess, sys, tempfile, time, unittest

SIGHTGLASS, SOURCE = os.environ['SIGHTGLASS'], os.environ['SOURCE']

def sightglass(*args, **kw):
    return subprocess.run([SIGHTGLASS, *map(str, args)], capture_output=True, text=True, timeout=300, **kw)

def read(path, mode='r'):
    with open(path, mode) as f:
        return f.read()

def write(path, data):
    with open(path, 'wb' if isinstance(data, (bytes, bytearray)) else 'w') as f:
        f.write(data)

class Run(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp()
        cls.day = os.path.join(cls.root, 'day.pcap')
        subprocess.run([sys.executable, f'{SOURCE}/tests/plant/plantgen', '--out', cls.day, '--hours', '3', '--attack', 'all'],
                       check=True, capture_output=True)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.root)

    def setUp(self):
        self.dir = tempfile.mkdtemp(dir=self.root)

    def path(self, name):
        return os.path.join(self.dir, name)

    def run_day(self, name, *args, captures=None):
        files = [x for c in (captures or [self.day]) for x in ('-r', c)]
        p = sightglass('run', *files, '-s', self.path(name + '.db'), '--events', self.path(name + '.events'),
                       '--alerts', self.path(name + '.alerts'), '--stats', self.path(name + '.stats'), *args)
        self.assertEqual(p.returncode, 0, p.stderr)
        return tuple(read(self.path(f'{name}.{kind}'), 'rb') for kind in ('events', 'alerts'))

    def test_twice_gives_the_same_bytes(self):
        first, second = self.run_day('a'), self.run_day('b')
        self.assertGreater(len(first[0]), 100000)
        self.assertGreater(len(first[1].splitlines()), 3)
        self.assertEqual(first[0], second[0])
        self.assertEqual(first[1], second[1])

    def test_compressed_and_standard_input_give_the_same_events(self):
        packed = self.path('day.pcap.gz')
        with open(self.day, 'rb') as f, gzip.open(packed, 'wb') as g:
            shutil.copyfileobj(f, g)
        events = self.run_day('plain')[0]
        self.assertEqual(events, self.run_day('packed', captures=[packed])[0])
        with open(self.day, 'rb') as f:
            p = sightglass('run', '-r', '-', '-s', ':memory:', '--events', self.path('piped'), stdin=f)
        self.assertEqual(p.returncode, 0, p.stderr)
        self.assertEqual(events, read(self.path('piped'), 'rb'))

    def test_two_halves_are_merged_by_time(self):
        data = read(self.day, 'rb')
        halves = [bytearray(data[:24]), bytearray(data[:24])]
        at, i = 24, 0
        while at < len(data):
            size = 16 + int.from_bytes(data[at + 8:at + 12], 'little')
            halves[i % 2] += data[at:at + size]
            at, i = at + size, i + 1
        names = [self.path('even.pcap'), self.path('odd.pcap')]
        for name, half in zip(names, halves):
            write(name, half)
        self.assertEqual(self.run_day('whole')[0], self.run_day('merged', captures=names)[0])

    def test_a_cut_file_names_file_and_offset_and_gives_what_is_there(self):
        data = read(self.day, 'rb')
        cut = self.path('cut.pcap')
        write(cut, data[:-7])
        p = sightglass('run', '-r', cut, '-s', ':memory:', '--events', self.path('events'), '--stats', self.path('stats'))
        self.assertEqual(p.returncode, 1)
        self.assertRegex(p.stderr, r'cut\.pcap.*offset \d+')
        whole = sightglass('run', '-r', self.day, '-s', ':memory:', '--stats', self.path('whole'))
        self.assertEqual(whole.returncode, 0)
        count = lambda name: json.loads(read(self.path(name)))['counters']['packets']
        self.assertEqual(count('stats'), count('whole') - 1)
        # a missing file beside a sound one
        p = sightglass('run', '-r', self.path('missing.pcap'), '-r', self.day, '-s', ':memory:', '--stats', self.path('beside'))
        self.assertEqual(p.returncode, 1)
        self.assertIn('missing.pcap', p.stderr)
        self.assertEqual(count('beside'), count('whole'))

    def test_what_is_no_capture(self):
        letter = self.path('letter.txt')
        write(letter, 'Dear plant manager,\n' * 50)
        p = sightglass('run', '-r', letter, '-s', ':memory:')
        self.assertEqual(p.returncode, 1)
        self.assertIn('letter.txt', p.stderr)

    def test_public_damaged_captures(self):
        folder = f'{SOURCE}/../shared/captures/malformed'
        if not os.path.isdir(folder):
            self.skipTest('../shared is not there')
        for name in sorted(os.listdir(folder)):
            p = sightglass('run', '-r', f'{folder}/{name}', '-s', ':memory:', '--stats', self.path('stats'))
            self.assertIn(p.returncode, (0, 1), (name, p.stderr))
            if p.returncode == 1:
                self.assertRegex(p.stderr, name + r'.*offset \d+')
            self.assertGreater(json.loads(read(self.path('stats')))['counters']['packets'], 0, name)

    def test_outputs_that_cannot_be_written(self):
        for option in ('--events', '--alerts', '--stats'):
            p = sightglass('run', '-r', self.day, '-s', ':memory:', option, '/nonexistent/x')
            self.assertEqual(p.returncode, 1, option)
            self.assertIn('/nonexistent/x', p.stderr)
        p = sightglass('run', '-r', self.day, '-s', ':memory:', '--events', '/dev/full')
        self.assertEqual(p.returncode, 1)
        self.assertIn('disk full', p.stderr)
        p = sightglass('run', '-r', self.day, '-s', '/nonexistent/store.db')
        self.assertEqual(p.returncode, 1)
        self.assertIn('/nonexistent/store.db', p.stderr)

    def test_a_reader_that_goes_is_no_full_disk(self):
        store = self.path('s.db')
        self.assertEqual(sightglass('run', '-r', self.day, '-s', store).returncode, 0)
        for args in (('run', '-r', self.day, '-s', ':memory:', '--events', '-'), ('run', '-r', self.day, '-s', ':memory:', '--stats', '-'),
                     ('alerts', '-s', store)):
            reading, writing = os.pipe()
            os.close(reading)
            p = subprocess.run([SIGHTGLASS, *args], stdout=writing, stderr=subprocess.PIPE, text=True, timeout=300,
                               preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN))
            os.close(writing)
            self.assertEqual(p.returncode, 1, args)
            self.assertIn('its reader has gone', p.stderr, args)
            self.assertNotIn('disk', p.stderr, args)

    def test_usage_and_configuration_errors(self):
        config = self.path('c.yaml')
        write(config, 'capture:\n  filtr: tcp\n')
        for args, words in (((), 'nothing to read'), (('-r', self.day, '-m', 'guess'), 'guess'),
                            (('-r', self.day, '--colour'), 'colour'), (('-r', self.day, '-i', 'lo'), 'do not go together'),
                            (('-r', self.day, '-c', config), 'c.yaml:2'), (('-r', '-', '-r', '-'), 'only once'),
                            (('-i', 'lo', '-f', 'tcp or ' * 100 + 'udp'), '--filter: its value is longer')):
            p = sightglass('run', *args, '-s', ':memory:')
            self.assertEqual(p.returncode, 2, args)
            self.assertIn(words, p.stderr)
        for command in (('run', '-r', self.day), ('alerts',), ('assets', 'diff'), ('baseline', 'show'), ('policy', 'report'), ('doctor',)):
            p = sightglass(*command, '-s', '/tmp/' + 'd' * 600)
            self.assertNotEqual(p.returncode, 0, command)
            self.assertNotIn('File name too long', p.stderr, command)
            self.assertNotIn('unable to open', p.stderr, command)
        self.assertEqual(sightglass('run', '--help').returncode, 0)
        self.assertEqual(sightglass('help').returncode, 0)
        self.assertEqual(sightglass('frobnicate').returncode, 2)

    def test_learning_and_detecting_in_two_runs(self):
        quiet = self.path('quiet.pcap')
        subprocess.run([sys.executable, f'{SOURCE}/tests/plant/plantgen', '--out', quiet, '--hours', '3', '--attack', 'none'],
                       check=True, capture_output=True)
        store = self.path('store.db')
        self.assertEqual(sightglass('run', '-r', quiet, '-s', store, '-m', 'learn').returncode, 0)
        p = sightglass('run', '-r', quiet, '-s', store, '-m', 'detect', '--alerts', self.path('again'))
        self.assertEqual(p.returncode, 0, p.stderr)
        self.assertEqual(read(self.path('again')), '')
        p = sightglass('run', '-r', self.day, '-s', store, '-m', 'detect', '--alerts', self.path('attack'))
        rules = {json.loads(line)['rule']['id'] for line in read(self.path('attack')).splitlines()}
        self.assertIn('plc.program-download', rules)

    def test_a_store_has_one_writer(self):
        """The second sensor is refused while the first reads on; readers are not; afterwards the store is free."""
        store, pipe = self.path('shared.db'), self.path('pipe')
        os.mkfifo(pipe)
        with subprocess.Popen([SIGHTGLASS, 'run', '-r', pipe, '-s', store], stderr=subprocess.PIPE, text=True) as first:
            with open(pipe, 'wb') as feed, open(self.day, 'rb') as day:
                feed.write(day.read(1 << 20))
                feed.flush()  # more than a pipe holds: it has been opened and read from
                p = sightglass('run', '-r', self.day, '-s', store)
                self.assertEqual(p.returncode, 1)
                self.assertIn('another sensor is writing to it', p.stderr)
                p = sightglass('alerts', '-s', store, '--format', 'json')
                self.assertEqual(p.returncode, 0, p.stderr)
                feed.write(day.read())
            self.assertEqual(first.wait(), 0, first.stderr.read())
        p = sightglass('run', '-r', self.day, '-s', store)
        self.assertEqual(p.returncode, 0, p.stderr)

    def test_kill_9_leaves_a_sound_store(self):
        store = self.path('killed.db')
        for delay in (0.02, 0.05, 0.1):
            p = subprocess.Popen([SIGHTGLASS, 'run', '-r', self.day, '-s', store], stderr=subprocess.DEVNULL)
            time.sleep(delay)
            p.send_signal(signal.SIGKILL)
            p.wait()
        p = sightglass('run', '-r', self.day, '-s', store)
        self.assertEqual(p.returncode, 0, p.stderr)
        p = sightglass('alerts', '-s', store, '--format', 'json')
        self.assertEqual(p.returncode, 0, p.stderr)
        self.assertIn('plc.program-download', p.stdout)

if __name__ == '__main__':
    unittest.main(verbosity=2)
