"""What `serve` refuses before it listens, and what the running server does over TLS and with rude callers."""

import os
import re
import socket
import ssl
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from features.errors import InputError
from serving.processes.launch import serve
from tests.conftest import ROOT

TOKEN = "a-token-of-this-test"
APP = "tests.serving.small_app"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of localhost signed by itself, its key, and the key under a password."""
    folder, key = tmp_path_factory.mktemp("tls"), ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")]), datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    for file, lock in (("key", serialization.NoEncryption()), ("locked", serialization.BestAvailableEncryption(b"x"))):
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
        (folder / f"{file}.pem").write_bytes(pem)
    return folder


@pytest.fixture
def served(tmp_path):
    """Starts a server of a small application; gives its port, what it said first, and its process."""
    running = []

    def start(**options):
        options = {"port": 0, "token": TOKEN, "app": f"{APP}:app"} | options
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"from pathlib import *; from serving.processes.launch import serve; serve(**{options})",
            ],
            env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        said = process.stdout.readline() + process.stdout.readline()
        assert "Scores are served" in said, process.communicate(timeout=20)
        return int(re.search(r":(\d+) \(ctrl-C", said)[1]), said, process

    yield start
    for process in running:
        process.kill()
        process.communicate(timeout=20)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "192.168.1.2", "fe80::1"])
@pytest.mark.parametrize("missing", ["token", "hosts"])
def test_another_address_takes_tokens_and_a_host_list(host, missing):
    given = {"token": TOKEN, "hosts": ["scores.example"]} | {missing: None if missing == "token" else [""]}
    with pytest.raises(InputError, match=r"STAYWORTH_TOKEN or --tokens FILE.*--hosts"):
        serve(port=0, host=host, **given)


@pytest.mark.parametrize("host", ["scores.example", "", "127.0.0.1:80", "http://127.0.0.1"])
def test_an_address_is_an_address(host):
    with pytest.raises(InputError, match="not an IP address"):
        serve(port=0, token=TOKEN, host=host)


def test_there_is_one_source_of_tokens(tmp_path):
    with pytest.raises(InputError, match="two sources of tokens"):
        serve(port=0, token=TOKEN, tokens_file=tmp_path / "tokens.toml")
    with pytest.raises(InputError, match="No such file"):
        serve(port=0, token=None, tokens_file=tmp_path / "tokens.toml")


def test_a_certificate_and_its_key_are_tried_before_anything_listens(certificate, tmp_path):
    cert, key = certificate / "cert.pem", certificate / "key.pem"
    for wrong, says in [
        ((cert, None), "--tls-key: a certificate and its key go together"),
        ((None, key), "--tls-cert: a certificate and its key go together"),
        ((tmp_path / "none.pem", key), "no such file"),
        ((cert, tmp_path / "none.pem"), "no such file"),
        ((key, cert), "not a certificate with its key"),
        ((cert, certificate / "locked.pem"), "the key has a password"),
    ]:
        with pytest.raises(InputError, match=says):
            serve(port=0, token=TOKEN, tls_cert=wrong[0], tls_key=wrong[1])


@pytest.mark.parametrize("processes", [1, 2])
def test_over_tls_the_example_says_https_and_plain_http_gets_nothing(served, certificate, processes):
    port, said, _ = served(tls_cert=certificate / "cert.pem", tls_key=certificate / "key.pem", processes=processes)
    assert f"https://127.0.0.1:{port}" in said
    trusted = ssl.create_default_context(cafile=certificate / "cert.pem")
    answer = httpx.get(f"https://localhost:{port}/livez", verify=trusted)
    assert answer.status_code == 200
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://localhost:{port}/livez")


def test_open_to_the_network_without_tls_is_warned_of(served):
    port, said, process = served(host="0.0.0.0", hosts=["scores.example"])
    assert f"http://scores.example:{port}" in said
    listed = httpx.get(f"http://127.0.0.1:{port}/livez", headers={"Host": "scores.example"})
    other = httpx.get(f"http://127.0.0.1:{port}/livez", headers={"Host": "10.0.0.5"})
    assert (listed.status_code, other.status_code) == (200, 403)
    process.terminate()
    assert "anyone on the network can read tokens and scores" in process.communicate(timeout=20)[1]
    assert process.returncode == 0


@pytest.mark.parametrize("host", ["::1", "127.0.0.2"])
def test_other_loopback_addresses_work(served, host):
    try:
        socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        pytest.skip(f"this machine has no {host}: {error}")
    _, said, _ = served(host=host)
    url = re.search(r"http://\S+(?=/v1)", said)[0]
    assert httpx.get(f"{url}/livez").status_code == 200


def test_a_token_is_revoked_while_the_server_runs(served, tmp_path):
    file = tmp_path / "tokens.toml"
    file.write_text(f'billing = "sha256:{sha256(TOKEN.encode()).hexdigest()}"\n')
    port, said, process = served(token=None, tokens_file=file)
    assert "Bearer $TOKEN" in said

    def asked():
        return httpx.get(f"http://127.0.0.1:{port}/readyz", headers={"Authorization": f"Bearer {TOKEN}"}).status_code

    assert asked() == 200
    file.write_text("# nobody\n")
    time.sleep(1.1)
    assert asked() == 401
    process.terminate()
    log = process.communicate(timeout=20)[1]
    assert '"caller": "billing"' in log
    assert '"revoked": ["billing"]' in log
    assert TOKEN not in log


def raw(port, request, then=b""):
    """What comes back on one connection, until the server hangs up; `then` is sent after a moment."""
    with socket.create_connection(("127.0.0.1", port), timeout=8) as connection:
        connection.sendall(request)
        if then:
            time.sleep(0.3)
            connection.sendall(then)
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


def head(request_line, *lines, host="localhost", token=TOKEN):
    fixed = [request_line, f"Host: {host}", f"Authorization: Bearer {token}", "Content-Type: application/json"]
    return "\r\n".join([*fixed, *lines, "Connection: close", "", ""]).encode()


def test_rude_requests_are_turned_away_and_the_server_lives(served):
    port, _, process = served()
    for request, status in [
        (head("POST /v1/score HTTP/1.1", "Content-Length: 0"), 200),
        (head("POST /v1/score HTTP/1.1", "Content-Length: 0", host="evil.example"), 403),
        (head("POST /v1/score HTTP/1.1", "Content-Length: 0", "Host: localhost"), 400),
        (head("POST /v1/score HTTP/1.1", "Content-Length: 0", "Authorization: Bearer x"), 401),
        (head("POST /v1/score HTTP/1.1", "Content-Length: 0", "Content-Type: application/json"), 415),
        (head("POST /v1/score HTTP/1.1", "Content-Length: 1", "Content-Length: 2"), 400),
        (head("POST /v1/score HTTP/1.1", "Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n", 400),
        (head("POST /v1/score HTTP/1.1", "Content-Length: 99999999999999999999"), 413),
        (head("POST /v1/score HTTP/1.1", "Content-Length: -1"), 400),
        (head("POST /v1/score HTTP/1.1", "Transfer-Encoding: gzip"), 400),
        (head("POST /v1/score HTTP/1.1", "Transfer-Encoding: chunked") + b"zz\r\n", 400),
        (head("POST /v1/score HTTP/1.1", "Transfer-Encoding: chunked", token="x") + b"zz\r\n", 400),
        (head("POST /v1/score HTTP/1.1", "Content-Length: 1", token="x") + b"{\x00\r\n\r\n", 401),
        (head("POST http://localhost/v1/score HTTP/1.1", "Content-Length: 0"), 400),
        (head("GET http://evil.example/livez HTTP/1.1", token="x"), 400),
        (head("OPTIONS * HTTP/1.1"), 400),
        (head("CONNECT localhost:22 HTTP/1.1"), 400),
        (head("GET /livez/..%2fmetrics HTTP/1.1", token="x"), 401),
        (head("GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1", token="x"), 401),
        (head("HEAD /livez HTTP/1.1", token="x"), 200),
        (head("OPTIONS /v1/score HTTP/1.1", token="x"), 401),
        (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: close, Upgrade\r\n\r\n", 401),
        (b"GET /livez HTTP/1.0\r\n\r\n", 403),
        (b"GET /livez HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n", 400),
    ]:
        answer = raw(port, request)
        assert answer.split(b" ")[1] == str(status).encode(), (request[:200], answer[:200])
        assert b"server:" not in answer.lower()
        assert b"x-content-type-options: nosniff" in answer
    chunked = head("POST /v1/score HTTP/1.1", "Transfer-Encoding: chunked")
    refused = head("POST /v1/score HTTP/1.1", "Transfer-Encoding: chunked", token="x")
    assert raw(port, chunked, then=b"zz\r\n").startswith(b"HTTP/1.1 400")
    assert raw(port, refused, then=b"zz\r\n").startswith(b"HTTP/1.1 401")
    process.terminate()
    log = process.communicate(timeout=20)[1]
    assert "Traceback" not in log
    assert '"event": "error"' not in log


def test_who_waits_for_leave_to_send_too_much_is_refused_before_sending(served):
    port, _, _ = served()
    line = head("POST /v1/score HTTP/1.1", "Content-Length: 9999999", "Expect: 100-continue")
    answer = raw(port, line)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"100 Continue" not in answer


def test_an_endless_body_ends_with_the_connection(served):
    port, _, _ = served()
    line = head("POST /v1/score HTTP/1.1", "Transfer-Encoding: chunked")
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    began = time.monotonic()

    def send_on():
        while time.monotonic() - began < 30:
            connection.sendall(chunk)

    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(line)
        with pytest.raises(ConnectionError):
            send_on()
    assert time.monotonic() - began < 15
    assert httpx.get(f"http://127.0.0.1:{port}/livez").status_code == 200


def test_a_token_that_other_machines_could_guess_is_refused_and_not_shown():
    with pytest.raises(InputError, match=r"STAYWORTH_TOKEN: the token has 6 characters.*\n.*16 or more") as caught:
        serve(port=0, token="hushed", host="0.0.0.0", hosts=["scores.example"])
    assert "hushed" not in str(caught.value)


@pytest.mark.slow
def test_who_never_agrees_on_tls_is_hung_up_on(served, certificate):
    port, _, _ = served(tls_cert=certificate / "cert.pem", tls_key=certificate / "key.pem")
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"\x16\x03\x01\x02")
        assert connection.recv(1) == b""
    assert 9 < time.monotonic() - began < 14


@pytest.mark.slow
def test_slow_heads_and_slow_bodies_are_hung_up_on(served):
    """Ten seconds each, at the same time: a silent connection, half a head, half a body."""
    port, _, _ = served()
    began = time.monotonic()
    connections = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(3)]
    connections[1].sendall(b"GET /livez HTTP/1.1\r\nHost: ")
    connections[2].sendall(head("POST /v1/score HTTP/1.1", "Content-Length: 100") + b"{")
    answers = []
    for connection in connections:
        with connection:
            answers.append(connection.recv(65536))
    assert answers[0] == answers[1] == b""
    assert answers[2].startswith(b"HTTP/1.1 408")
    assert 9 < time.monotonic() - began < 14
