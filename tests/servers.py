"""Throw-away PostgreSQL and MariaDB servers for tests: own data folder, free loopback port, ended by their own pid."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

START_SECONDS = 60
STOP_SECONDS = 30
POSTGRESQL_FLAGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60")
MARIADB_FLAGS = (
    "--no-defaults",
    "--skip-networking=0",
    "--bind-address=127.0.0.1",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-buffer-pool-size=32M",
    "--performance-schema=OFF",
    "--skip-log-bin",
)


def program(name: str, also: str) -> str:
    """Find a server's program on PATH or, newest first, by a pattern below /usr."""
    found = [*sorted(Path("/usr").glob(also), reverse=True)]
    path = next((str(each) for each in found if each.exists()), None) or shutil.which(name)
    if path is None:
        pytest.fail(f"{name} is not installed: this test needs it")
    return path


def postgresql_program(name: str) -> str:
    return program(name, f"lib/postgresql/*/bin/{name}")


def mariadb_program(name: str) -> str:
    return program(name, f"*/{name}")


def servant(*names: str) -> pwd.struct_passwd | None:
    """Give the unprivileged user a server runs as when the tests run as root, else None."""
    if os.geteuid() != 0:
        return None
    for name in (*names, "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    pytest.fail("no unprivileged user to run a server as")


def run_as(user: pwd.struct_passwd | None, command: list[str], **more: object) -> subprocess.Popen[bytes]:
    """Start a program, as the given user, with its talk kept quiet."""
    drop = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        command,
        stdin=subprocess.DEVNULL,
        cwd="/",
        env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
        **drop,
        **more,
    )


def finish(process: subprocess.Popen[bytes], log: Path) -> None:
    if process.wait(START_SECONDS) != 0:
        pytest.fail(f"a server's setting-up failed:\n{log.read_text(errors='replace')[-2000:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            pytest.fail(f"a server did not start:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


@contextmanager
def data_folder(user: pwd.struct_passwd | None) -> Iterator[Path]:
    """Make a folder that the server's user owns, and remove it with all that is in it."""
    folder = Path(tempfile.mkdtemp(prefix="canary-server-"))
    try:
        folder.chmod(0o755)
        (folder / "data").mkdir(mode=0o700)
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
            os.chown(folder / "data", user.pw_uid, user.pw_gid)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def stop(process: subprocess.Popen[bytes], politely: signal.Signals = signal.SIGTERM) -> None:
    """End a server that was started here: politely, then surely."""
    process.send_signal(politely)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def postgresql_server() -> Iterator[str]:
    """Run a PostgreSQL server and give `postgresql://postgres@127.0.0.1:PORT`."""
    user = servant("postgres")
    with data_folder(user) as folder, (folder / "log").open("wb") as log:
        data, talk = str(folder / "data"), {"stdout": log, "stderr": log}
        setup = ["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"]
        finish(run_as(user, [postgresql_program("initdb"), "-D", data, *setup], **talk), folder / "log")
        port = free_port()  # only now: while a server is set up, somebody else may take it
        flags = [part for flag in POSTGRESQL_FLAGS for part in ("-c", flag)]
        flags += ["-c", "listen_addresses=127.0.0.1", "-c", f"port={port}", "-k", str(folder)]
        server = run_as(user, [postgresql_program("postgres"), "-D", data, *flags], **talk)
        url = f"postgresql://postgres@127.0.0.1:{port}"
        try:
            until(lambda: postgresql_answers(url), server, folder / "log")
            yield url
        finally:
            stop(server, signal.SIGINT)  # PostgreSQL's fast shutdown: waits for no client


def postgresql_answers(url: str) -> bool:
    import psycopg

    try:
        psycopg.connect(f"{url}/postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def make_postgresql_database(url: str, name: str) -> str:
    """Make a fresh database on a server and give its URL."""
    import psycopg

    with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return f"{url}/{name}"


@contextmanager
def mariadb_server() -> Iterator[str]:
    """Run a MariaDB server and give `mysql+pymysql://canary:canary@127.0.0.1:PORT`."""
    user = servant("mysql")
    with data_folder(user) as folder, (folder / "log").open("wb") as log:
        data, talk = f"--datadir={folder / 'data'}", {"stdout": log, "stderr": log}
        install = [mariadb_program("mariadb-install-db"), "--no-defaults", data, "--skip-test-db"]
        finish(run_as(user, [*install, "--auth-root-authentication-method=normal"], **talk), folder / "log")
        port = free_port()  # only now: while a server is set up, somebody else may take it
        places = [data, f"--port={port}", f"--socket={folder / 's'}", f"--pid-file={folder / 'pid'}"]
        server = run_as(user, [mariadb_program("mariadbd"), *MARIADB_FLAGS, *places], **talk)
        try:
            until(lambda: mariadb_answers(port), server, folder / "log")
            yield f"mysql+pymysql://root@127.0.0.1:{port}"
        finally:
            stop(server)


def mariadb_answers(port: int) -> bool:
    import pymysql

    try:
        pymysql.connect(host="127.0.0.1", port=port, user="root").close()
    except pymysql.err.OperationalError:
        return False
    return True


def make_mariadb_database(url: str, name: str) -> str:
    """Make a fresh database on a server and give its URL."""
    import pymysql

    port = int(url.rpartition(":")[2])
    connection = pymysql.connect(host="127.0.0.1", port=port, user="root")
    try:
        connection.cursor().execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
    finally:
        connection.close()
    return f"{url}/{name}?charset=utf8mb4"


def fresh_name() -> str:
    return f"canary_{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def postgresql_server_url() -> Iterator[str]:
    """One PostgreSQL server a test process, started when first asked for."""
    with postgresql_server() as url:
        yield url


@pytest.fixture
def postgresql_url(postgresql_server_url: str) -> str:
    """The URL of a fresh, empty PostgreSQL database."""
    return make_postgresql_database(postgresql_server_url, fresh_name())


@pytest.fixture(scope="session")
def mariadb_server_url() -> Iterator[str]:
    """One MariaDB server a test process, started when first asked for."""
    with mariadb_server() as url:
        yield url


@pytest.fixture
def mariadb_url(mariadb_server_url: str) -> str:
    """The URL (mysql+pymysql) of a fresh, empty MariaDB database."""
    return make_mariadb_database(mariadb_server_url, fresh_name())


DOVECOT_PASSWORD = "s3cret-密"
DOVECOT = """
protocols = imap
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
listen = 127.0.0.1
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
mail_location = maildir:{folder}/data/%u
first_valid_uid = 0
auth_failure_delay = 0
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/data
}}
"""


@contextmanager
def dovecot_server() -> Iterator[tuple[int, int, Path]]:
    """Run Dovecot, in which everybody has a mailbox; gives its ports without and with TLS, and its certificate."""
    user, ports = servant("dovecot"), (free_port(), free_port())
    own = pwd.getpwuid(os.getuid()) if user is None else user
    login = own.pw_name if user is None else "dovenull"
    with data_folder(user) as folder:
        make_certificate(folder)
        (folder / "dovecot.conf").write_text(
            DOVECOT.format(
                folder=folder, internal=own.pw_name, group=grp.getgrgid(own.pw_gid).gr_name, login=login, port=ports[0],
                tls_port=ports[1], password=DOVECOT_PASSWORD, uid=own.pw_uid, gid=own.pw_gid,
            ),
            "utf-8",
        )  # fmt: skip
        (folder / "log").touch()
        server = run_as(None, [program("dovecot", "sbin/dovecot"), "-F", "-c", str(folder / "dovecot.conf")])
        try:
            until(lambda: answers(ports[0]), server, folder / "log")
            yield *ports, folder / "cert.pem"
        finally:
            stop(server)


def make_certificate(folder: Path, name: str = "localhost") -> None:
    """Write cert.pem and key.pem of a throw-away certificate that signs itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "key.pem").write_bytes(private)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


POSTFIX = """
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = sender.example
mydestination =
alias_maps =
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:{relay}
disable_dns_lookups = yes
smtp_tls_security_level = may
smtp_destination_recipient_limit = 50
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
maillog_file_prefixes = {folder}
maillog_file = {folder}/log
"""
POSTFIX_SERVICES = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
relay unix - - n - - smtp
retry unix - - n - - error
error unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""


@contextmanager
def postfix_server(relay: int) -> Iterator[int]:
    """Run Postfix, which passes all mail on to a port of this machine; gives its own port. Needs root or sudo."""
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    with tempfile.TemporaryDirectory(prefix="canary-postfix-", ignore_cleanup_errors=True) as place:
        folder, port = Path(place), free_port()
        folder.chmod(0o755)
        (folder / "spool").mkdir()
        (folder / "main.cf").write_text(
            POSTFIX.format(folder=folder, relay=relay, daemons="/usr/lib/postfix/sbin")
        )
        (folder / "master.cf").write_text(POSTFIX_SERVICES.format(port=port))
        data = ["install", "-d", "-o", "postfix", str(folder / "data")]
        subprocess.run([*sudo, *data], check=True)
        postfix = [*sudo, program("postfix", "sbin/postfix"), "-c", str(folder)]
        try:
            started = subprocess.run([*postfix, "start"], capture_output=True, text=True, check=False)
            assert started.returncode == 0, started.stderr
            yield port
        finally:
            subprocess.run([*postfix, "stop"], capture_output=True, check=False)
            subprocess.run([*sudo, "rm", "-rf", str(folder / "spool"), str(folder / "data")], check=False)
