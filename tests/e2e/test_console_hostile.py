#!/usr/bin/env python3
"""Clients that mean no good: slow ones, giant ones, ones that send what is no HTTP, no JSON or no path of ours, and many at once
from one address. Each is turned away or cut off, and somebody who asks as one should is answered meanwhile; afterwards nothing of
the store is lost. No time is measured: whoever waits too long for an answer fails by the socket's own limit."""
import os, select, socket, sys, threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import console_server as console

LIMIT_S = 120  # for what a slow machine does; the console cuts off a silent client after 30 s
failures = 0


def check(is_true, what):
    global failures
    if not is_true:
        failures += 1
        print("FAILED " + what)


def connect(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT_S)


def all_of(client):
    """What comes until the other side closes; None: it never does."""
    got = b""
    try:
        while True:
            more = client.recv(65536)
            if not more:
                return got
            got += more
    except ConnectionError:
        return got
    except socket.timeout:
        return None


def say(server, data):
    """The answer to raw bytes, and then the end."""
    with connect(server) as client:
        try:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it did not want to hear all of it
        except OSError:
            pass
        return all_of(client)


def status_of(answer):
    """0: cut off without a word; None: not even that."""
    if answer is None:
        return None
    parts = answer.split(b" ", 2)
    return int(parts[1]) if parts[0].startswith(b"HTTP/") and parts[1].isdigit() else 0


def is_well(server, ann, when):
    answer = server.ask("GET", "/api/v1/alerts?limit=500", session=ann)
    check(answer.status == 200, f"{when}: others are answered")
    return [a["id"] for a in answer.json()["alerts"]]


def get(path, *headers):
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *headers, "", ""]).encode()


def sends_what_is_too_big(server):
    for what, data in {
        "a header of 1 MB": get("/healthz", "X: " + "a" * 1000000),
        "10,000 headers": get("/healthz", *[f"X-{n}: {n}" for n in range(10000)]),
        "a path of 100 kB": get("/" + "a" * 100000),
        "a query of 100 kB": get("/api/v1/alerts?q=" + "a" * 100000),
        "a cookie of 100 kB": get("/api/v1/status", "Cookie: sightglass-session=" + "a" * 100000),
    }.items():
        status = status_of(say(server, data))
        check(status is not None and (status == 0 or 400 <= status < 500), f"{what} is turned away, not {status}")


def sends_what_is_no_http(server):
    for what, data in {
        "nothing": b"",
        "zeros": b"\0" * 4096,
        "TLS": bytes.fromhex("16030100a5010000a10303") + os.urandom(160),
        "half a line": b"GET /healthz",
        "no such version": b"GET /healthz HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n",
        "a length below zero": b"POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        "a length that is none": b"POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ten\r\n\r\n",
        "a length beyond 64 bits": b"POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "a broken chunk": b"POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "a body that ends early": b"POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{",
        "no such method": b"BREW /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        "TRACE": b"TRACE / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    }.items():
        status = status_of(say(server, data))
        check(status is not None and (status == 0 or 400 <= status < 600), f"{what} is turned away, not {status}")


def asks_for_what_is_not_ours(server, ann):
    secret = b"root:"
    for path in ("/../../../../etc/passwd", "/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2f..%2fetc/passwd", "//etc/passwd",
                 "/assets/../../../etc/passwd", "/app.js/../../etc/passwd", "/....//....//etc/passwd", "/%00/etc/passwd",
                 "/app.js%00.html", "/store.db", "/..\\..\\etc\\passwd", "/api/v1/alerts/..%2f..%2fusers",
                 "/api/v1/alerts/%27%20OR%201=1--", "/api/v1/alerts/" + "a" * 500, "/api/v1/users/..", "/API/V1/STATUS"):
        answer = say(server, get(path, "Cookie: " + ann[0]))
        check(status_of(answer) in (400, 403, 404, 405), f"{path} is not found: {status_of(answer)}")
        check(answer is not None and secret not in answer, f"{path} gives no file away")
    every = server.ask("GET", "/api/v1/alerts?limit=500", session=ann).json()["alerts"]
    check(every, "there are alerts")
    for key in ("rule", "protocol", "host", "triage", "incident", "assignee", "q"):
        for value in ("'%20OR%20'1'='1", "%22%20OR%201=1--", "%25", "x%00y", "%ff%fe"):
            answer = server.ask("GET", f"/api/v1/alerts?{key}={value}", session=ann)
            check(answer.status == 200 and not answer.json()["alerts"], f"{key}={value} finds nothing")


def sends_what_is_no_json(server, ann, admin):
    def post(path, session, body):
        headers = {"Content-Type": "application/json", "Cookie": session[0], "X-CSRF-Token": session[1]}
        return console.http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT_S), path, body, headers

    bodies = [b"", b"{", b"null", b"[]", b'"ids"', b"{]", b'{"ids": "x"}', b'{"ids": [1]}', b'{"ids": [null]}', b"[" * 100000,
              b'{"a":' * 50000, b'{"ids": ["\xff\xfe"]}', b'{"ids": ["a\\u0000b"]}', b'{"ids": [], "ids": []}',
              b'{"ids": ["' + b"0" * 200000 + b'"]}', b'{"days": 1e999}', b"NaN", b'{"name": {}, "role": [], "password": 5}']
    for path, session in (("/api/v1/alerts/triage", ann), ("/api/v1/users", admin), ("/api/v1/tokens", admin),
                          ("/api/v1/session", ("", "")), ("/api/v1/password", ann)):
        for body in bodies:
            connection, path, body, headers = post(path, session, body)
            try:
                connection.request("POST", path, body, headers)
                answer = console.Answer(connection.getresponse())
            finally:
                connection.close()
            check(answer.status == 400, f"{path} refuses {body[:30]}: {answer.status}")
            check(list(answer.json()) == ["error"], f"{path} says why {body[:30]} is refused")


def comes_from_elsewhere(server, ann, alert):
    """Another site in the user's own browser: it has the cookie, but not the token, or says who it is."""
    closing = {"ids": [alert], "state": "closed"}
    for what, headers in {
        "without the CSRF token": {"Cookie": ann[0]},
        "with a wrong CSRF token": {"Cookie": ann[0], "X-CSRF-Token": "0" * 64},
        "with an empty CSRF token": {"Cookie": ann[0], "X-CSRF-Token": ""},
        "as another site": {"Cookie": ann[0], "X-CSRF-Token": ann[1], "Sec-Fetch-Site": "cross-site"},
    }.items():
        check(server.ask("POST", "/api/v1/alerts/triage", closing, headers=headers).status == 403, f"no change {what}")
    form = {"Cookie": ann[0], "X-CSRF-Token": ann[1], "Content-Type": "text/plain"}
    check(server.ask("POST", "/api/v1/alerts/triage", closing, headers=form).status == 415, "no change by a form")
    reading = {"Cookie": ann[0], "Sec-Fetch-Site": "cross-site"}
    check(server.ask("GET", "/api/v1/alerts", headers=reading).status == 403, "nothing to read for another site")
    check(server.ask("GET", "/api/v1/alerts/" + alert, session=ann).json()["triage"] == "new", "and nothing was changed")


def takes_all_connections(server, ann):
    """Slowloris: as many as one address may have, each of which never finishes its headers; others from there are refused, and
    when the slow ones go all is as before."""
    slow = []
    for _ in range(400):
        try:
            client = connect(server)
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
            slow.append(client)
        except OSError:
            break
    with socket.socket() as other:  # from another address of this machine
        other.settimeout(LIMIT_S)
        other.bind(("127.0.0.2", 0))
        other.connect(("127.0.0.1", server.port))
        other.sendall(get("/api/v1/status", "Cookie: " + ann[0]))
        check(status_of(all_of(other)) == 200, "somebody else is answered while one address takes all it can get")
    cut_off = sum(all_of(client) is not None for client in slow)  # the console does not wait for ever
    check(cut_off == len(slow), f"all {len(slow)} slow clients are cut off, not {cut_off}")
    for client in slow:
        client.close()


class Trickle(threading.Thread):
    """Slowloris that is never silent: a byte of a header, or of a body, every second. It is cut off all the same."""

    def __init__(self, server, head):
        super().__init__(daemon=True)
        self.client, self.is_cut_off = connect(server), False
        self.client.sendall(head)
        self.start()

    def run(self):
        for _ in range(3 * LIMIT_S):
            if select.select([self.client], [], [], 1)[0]:
                self.is_cut_off = not self.client.recv(65536)  # a word about it may come first
                if self.is_cut_off:
                    return
            try:
                self.client.sendall(b"a")
            except OSError:
                self.is_cut_off = True
                return


def reads_nothing(server, ann):
    """Clients that ask for much and do not take it, and that go away in the middle."""
    waiting = []
    for _ in range(50):
        client = connect(server)
        client.sendall(get("/api/v1/alerts?limit=500", "Cookie: " + ann[0]).replace(b"close", b"keep-alive") * 20)
        waiting.append(client)
    is_well(server, ann, "while fifty do not take their answers")
    for client in waiting:
        client.close()


def main():
    with console.sample([("ann", "analyst"), ("admin", "admin")]) as (_, _, dark, store):
        console.run(dark, store)
        server = console.Console(store)
        try:
            ann, admin = server.log_in("ann"), server.log_in("admin")
            before = is_well(server, ann, "at first")
            check(len(before) > 3, "there is something to lose")
            tricklers = [Trickle(server, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "),
                         Trickle(server, b"POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 200000\r\n\r\n")]
            sends_what_is_too_big(server)
            sends_what_is_no_http(server)
            asks_for_what_is_not_ours(server, ann)
            sends_what_is_no_json(server, ann, admin)
            comes_from_elsewhere(server, ann, before[0])
            reads_nothing(server, ann)
            takes_all_connections(server, ann)
            for trickler in tricklers:
                trickler.join()
                check(trickler.is_cut_off, "who sends a byte now and then is cut off")
            check(is_well(server, ann, "at last") == before, "nothing was lost")
            check([u["name"] for u in server.ask("GET", "/api/v1/users", session=admin).json()["users"]] == ["admin", "ann"],
                  "nobody was added")
            check(server.process.poll() is None, "the console still runs")
        finally:
            check(server.stop() == 0, "the console ends well")
    print(f"{failures} failures")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
