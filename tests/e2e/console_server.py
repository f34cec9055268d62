"""What the tests of the console share: a small plant with hostile names as captures, a store made of them, and a console that
serves it. Needs SIGHTGLASS, SOURCE and BUILD in the environment."""
import contextlib, fcntl, filecmp, http.client, json, os, re, shutil, struct, subprocess, tempfile

SIGHTGLASS, SOURCE, BUILD = (os.environ[k] for k in ("SIGHTGLASS", "SOURCE", "BUILD"))
HOSTILE = b"<img src=x onerror=document.title='pwned'>"
PASSWORD = "correct horse battery"
SKIP = 77


# --- captures ---

def mac(n):
    return bytes([2, 0, 0, 0, 0, n])


def ip(n):
    return bytes([10, 0, 0, n])


class Capture:
    """Frames with the fields that matter; checksums are left out, as offloading machines do."""

    def __init__(self, path, start):
        self.file, self.time = open(path, "wb"), start
        self.file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))

    def frame(self, data):
        data = data.ljust(60, b"\0")
        self.file.write(struct.pack("<IIII", int(self.time), int(self.time % 1 * 1e6), len(data), len(data)) + data)
        self.time += 0.01

    def tcp(self, source, destination, ports, sequence, acknowledgement, flags, payload=b""):
        header = struct.pack(">HHIIBBHHH", *ports, sequence, acknowledgement, 0x50, flags, 8192, 0, 0)
        size = 20 + len(header) + len(payload)
        packet = struct.pack(">BBHHHBBH", 0x45, 0, size, 0, 0, 64, 6, 0) + ip(source) + ip(destination)
        self.frame(mac(destination) + mac(source) + b"\x08\x00" + packet + header + payload)


class Connection:
    """One TCP connection of client to server."""

    def __init__(self, capture, client, server, port, service):
        self.c, self.client, self.server, self.port, self.service = capture, client, server, port, service
        self.sent, self.answered = 1, 1
        self.up(0x02), self.down(0x12), self.up(0x10)

    def up(self, flags, payload=b""):
        self.c.tcp(self.client, self.server, (self.port, self.service), self.sent, self.answered, flags, payload)
        self.sent += len(payload) + (flags & 2 != 0)

    def down(self, flags, payload=b""):
        self.c.tcp(self.server, self.client, (self.service, self.port), self.answered, self.sent, flags, payload)
        self.answered += len(payload) + (flags & 2 != 0)


class Modbus(Connection):
    def __init__(self, capture, client, server, port):
        super().__init__(capture, client, server, port, 502)
        self.transaction = 0

    def exchange(self, request, response):
        self.transaction += 1
        for send, pdu in ((self.up, request), (self.down, response)):
            send(0x18, struct.pack(">HHHB", self.transaction, 0, len(pdu) + 1, 1) + pdu)


def identity(*texts):
    objects = b"".join(bytes([i, len(t)]) + t for i, t in enumerate(texts))
    return bytes([0x2B, 0x0E, 1, 1, 0, 0, len(texts)]) + objects


def plant_day(path):
    """An HMI polls a controller whose vendor name is hostile."""
    capture = Capture(path, 1700000000)
    hmi = Modbus(capture, 20, 10, 50000)
    hmi.exchange(b"\x2b\x0e\x01\x00", identity(HOSTILE, b"BMX P34 2020", b"V2.70"))
    for _ in range(5):
        hmi.exchange(struct.pack(">BHH", 3, 100, 2), b"\x03\x04\x00\x01\x00\x02")
    capture.file.close()


def night(path, start=1700003600, port=50001):
    """A stranger writes to the controller."""
    capture = Capture(path, start)
    stranger = Modbus(capture, 66, 10, port)
    write = struct.pack(">BHH", 6, 260, 900)
    stranger.exchange(write, write)
    capture.file.close()


def run(capture, store, *more):
    subprocess.run([SIGHTGLASS, "run", "-r", capture, "-m", "detect", "-s", store, *more], check=True,
                   stderr=subprocess.DEVNULL)


# --- the console ---

def add_user(store, name, role):
    done = subprocess.run([SIGHTGLASS, "console", "user", "add", name, "--role", role, "-s", store], input=PASSWORD + "\n",
                   text=True, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if f"user add: {name}, in the store {store}" not in done.stderr:
        raise RuntimeError(f"it does not say where {name} was added: {done.stderr}")


def add_token(store, name, role):
    done = subprocess.run([SIGHTGLASS, "console", "token", "add", name, "--role", role, "-s", store], text=True, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return re.search(r"[0-9a-f]{64}", done.stdout).group()


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    def json(self):
        return json.loads(self.body)

    def type(self):
        return self.headers.get("Content-Type", "").split(";")[0]


class Console:
    """Serves a store on a free port (or on the given one)."""

    def __init__(self, store, port=0, more=()):
        self.process = subprocess.Popen([SIGHTGLASS, "console", "-s", store, "--listen", f"127.0.0.1:{port}", *more],
                                        stderr=subprocess.PIPE, text=True)
        said = self.process.stderr.readline()
        found = re.search(r"(http://127\.0\.0\.1:(\d+)/)", said)
        if not found:
            raise RuntimeError("the console does not serve: " + said + self.process.stderr.read())
        self.url, self.port = found.group(1), int(found.group(2))

    def ask(self, method, path, body=None, token=None, session=None, headers=None):
        """body: sent as JSON; session: what log_in gave."""
        headers = dict(headers or {})
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            body = json.dumps(body)
        if token:
            headers["Authorization"] = "Bearer " + token
        if session:
            headers["Cookie"], headers["X-CSRF-Token"] = session
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def log_in(self, user, password=PASSWORD):
        answer = self.ask("POST", "/api/v1/session", {"user": user, "password": password})
        if answer.status != 200:
            raise RuntimeError(f"{user} cannot log in: {answer.body}")
        return answer.headers["Set-Cookie"].split(";")[0], answer.json()["csrf"]

    def stop(self):
        """Its exit status: 0 when it ended as it should."""
        self.process.terminate()
        try:
            return self.process.wait(timeout=30)
        finally:
            self.process.stderr.close()


@contextlib.contextmanager
def sample(users=()):
    """A folder with day.pcap, night.pcap and store.db (of the day, with these (name, role) as users)."""
    with tempfile.TemporaryDirectory() as work:
        day, dark, store = (os.path.join(work, n) for n in ("day.pcap", "night.pcap", "store.db"))
        plant_day(day)
        night(dark)
        run(day, store)
        for name, role in users:
            add_user(store, name, role)
        yield work, day, dark, store


# --- Node ---

def web_tests():
    """The folder with what tests/web/package.json names, installed beside the build; None when that is not possible."""
    if not shutil.which("node") or not shutil.which("npm"):
        return None
    folder, source = os.path.join(BUILD, "web-tests"), os.path.join(SOURCE, "tests/web")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, ".lock"), "w") as lock:  # several tests install at the same time
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in os.listdir(source):
            here, there = os.path.join(source, name), os.path.join(folder, name)
            if name.endswith((".mjs", ".json")) and not (os.path.exists(there) and filecmp.cmp(here, there, shallow=False)):
                shutil.copy(here, there)
        wanted, stamp = open(os.path.join(source, "package-lock.json")).read(), os.path.join(folder, "installed.json")
        if not os.path.exists(stamp) or open(stamp).read() != wanted:
            if subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, stdout=subprocess.DEVNULL).returncode:
                return None
            with open(stamp, "w") as file:
                file.write(wanted)
    return folder


def chromium():
    return shutil.which("chromium")


def browse(script, users, prepare=None, timeout=300, **more):
    """Runs a script of tests/web in Chromium against a console over the sample plant: its exit code, SKIP without a browser.
    prepare(store, dark) may add to the store before."""
    folder = chromium() and web_tests()
    if not folder:
        print("skipped: Chromium, Node or the packages of tests/web are not installed")
        return SKIP
    with sample(users) as (_, _, dark, store):
        if prepare:
            prepare(store, dark)
        server = Console(store)
        try:
            environment = dict(os.environ, CHROMIUM=chromium(), PASSWORD=PASSWORD, URL=server.url, **more)
            status = subprocess.run(["node", script], cwd=folder, env=environment, timeout=timeout).returncode
        finally:
            stopped = server.stop()
        return status or stopped
