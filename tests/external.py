"""Debian's PostgreSQL 15 and Redis as an operator would run them elsewhere: through TLS with verified names, passwords, TCP alone.

`make test-external` sets TEST_SERVERS=external, and the tests use these in place of the embedded servers.
"""

import contextlib
import datetime
import ipaddress
import json
import os
import signal
import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg2
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from marketplace.embedded import SUPERUSER, Servers, first_number, within, write_private
from marketplace.environment import EMBEDDED_ROLES

POSTGRES = Path("/usr/lib/postgresql/15/bin")
REDIS = Path("/usr/bin/redis-server")
HOST = "localhost"
LIMIT = 60  # seconds
CONFIGURATION = {
    "listen_addresses": "'127.0.0.1'",
    "password_encryption": "'scram-sha-256'",
    "max_connections": "200",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_recycle": "off",  # as the manual asks of the keys' server
    "ssl": "on",
    "ssl_min_protocol_version": "'TLSv1.3'",
}
ACCESS_RULES = "hostssl all all 127.0.0.1/32 scram-sha-256\n"


def missing_programs() -> list[str]:
    """What has to be installed before these servers can run."""
    wanted = {"postgresql-15": POSTGRES / "postgres", "redis-server": REDIS}
    return [package for package, program in wanted.items() if not program.exists()]


class ExternalServers(Servers):
    """The two servers of one state directory, started by the tests, reached as on another host."""

    @property
    def ports(self) -> dict[str, int]:
        """Chosen once for a state directory, so that settings can name them before anything runs."""
        path = self.layout.state / "external.json"
        if not path.exists():
            with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
                path.write_text(json.dumps({"postgres": one.getsockname()[1], "redis": two.getsockname()[1]}))
        ports: dict[str, int] = json.loads(path.read_text())
        return ports

    @property
    def authority(self) -> Path:
        """The certificate that clients trust; a copy outside the servers' home, where only their account may look."""
        return self.layout.state / "authority.pem"

    def database_url(self, role: str, database: str) -> str:
        password = quote(self.secrets[f"{role.upper()}_PASSWORD"])
        trust = urlencode({"sslmode": "verify-full", "sslrootcert": str(self.authority)})
        return f"postgresql://{role}:{password}@{HOST}:{self.ports['postgres']}/{database}?{trust}"

    def variables(self) -> dict[str, str]:
        """What an operator would set for the site to use them."""
        urls = {variable: self.database_url(role, database) for variable, (role, database) in EMBEDDED_ROLES.items()}
        return {**urls, "REDIS_URL": self.redis_url()}

    def redis_url(self, number: int = 0) -> str:
        trust = urlencode({"ssl_cert_reqs": "required", "ssl_ca_certs": str(self.authority)})
        return f"rediss://:{quote(self.secrets['POSTGRES_PASSWORD'])}@{HOST}:{self.ports['redis']}/{number}?{trust}"

    def connect(self, database: str = "postgres") -> Any:
        return psycopg2.connect(
            host=HOST,
            port=self.ports["postgres"],
            user=SUPERUSER,
            password=self.secrets["POSTGRES_PASSWORD"],
            dbname=database,
            sslmode="verify-full",
            sslrootcert=str(self.authority),
            connect_timeout=5,
        )

    def is_running(self) -> bool:
        return self._postgres_answers() and self._redis_answers()

    def stop(self) -> None:
        if (self.layout.data / "postmaster.pid").exists():
            self.run(POSTGRES / "pg_ctl", "stop", "-w", "-s", "-m", "fast", "-D", self.layout.data)
        pid_file = self.layout.broker / "redis.pid"
        if pid_file.exists():
            with contextlib.suppress(ProcessLookupError):
                os.kill(first_number(pid_file), signal.SIGTERM)
            within(LIMIT, lambda: not pid_file.exists())

    def start_servers(self) -> None:
        """As an operator sets them up: nothing answers without TLS or without a password."""
        if missing := missing_programs():
            raise RuntimeError(f"Install {' and '.join(missing)} first.")
        if not self.authority.exists():
            self._make_certificates()
        if not self._postgres_answers():
            self._start_postgres()
        if not self._redis_answers():
            self._start_redis()

    def _start_postgres(self) -> None:
        if not (self.layout.data / "PG_VERSION").exists():
            password = self.layout.home / "superuser"
            write_private(self.layout, password, self.secrets["POSTGRES_PASSWORD"])
            options = [f"--username={SUPERUSER}", f"--pwfile={password}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"]
            self._run(POSTGRES / "initdb", f"--pgdata={self.layout.data}", *options, "--no-sync")
            password.unlink()
        home = self.layout.home
        files = {"ssl_cert_file": f"'{home / 'server.pem'}'", "ssl_key_file": f"'{home / 'server.key'}'"}
        places = {"port": str(self.ports["postgres"]), "unix_socket_directories": f"'{self.layout.sockets}'"}
        lines = "".join(f"{name} = {value}\n" for name, value in (CONFIGURATION | files | places).items())
        write_private(self.layout, self.layout.data / "postgresql.auto.conf", lines)
        write_private(self.layout, self.layout.data / "pg_hba.conf", ACCESS_RULES)
        log = self.layout.logs / "postgres.log"
        self._run(POSTGRES / "pg_ctl", "start", "-w", "-s", "-t", str(LIMIT), "-D", self.layout.data, "-l", log)

    def _start_redis(self) -> None:
        home = self.layout.home
        wanted = {
            "port": "0",
            "tls-port": str(self.ports["redis"]),
            "bind": "127.0.0.1",
            "tls-cert-file": str(home / "server.pem"),
            "tls-key-file": str(home / "server.key"),
            "tls-ca-cert-file": str(home / "authority.pem"),
            "tls-auth-clients": "no",
            "tls-protocols": '"TLSv1.3"',
            "requirepass": self.secrets["POSTGRES_PASSWORD"],
            "dir": str(self.layout.broker),
            "pidfile": str(self.layout.broker / "redis.pid"),
            "logfile": str(self.layout.logs / "redis.log"),
            "daemonize": "yes",
            "databases": "128",
            "save": '""',
            "maxmemory-policy": "noeviction",
        }
        configuration = self.layout.broker / "redis.conf"
        write_private(self.layout, configuration, "".join(f"{name} {value}\n" for name, value in wanted.items()))
        self._run(REDIS, configuration)
        if not within(LIMIT, self._redis_answers):
            raise RuntimeError("Debian's Redis did not start.")

    def _run(self, *command: str | Path) -> None:
        if self.run(*command).returncode != 0:
            raise RuntimeError(f"{Path(command[0]).name} failed: see {self.layout.home / 'start.log'}")

    def _postgres_answers(self) -> bool:
        if not self.authority.exists():
            return False
        try:
            self.connect().close()
        except psycopg2.OperationalError:
            return False
        return True

    def _redis_answers(self) -> bool:
        if not self.authority.exists():
            return False
        with contextlib.closing(redis.Redis.from_url(self.redis_url(), socket_timeout=5)) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

    def _make_certificates(self) -> None:
        """An authority of these servers' own, and one certificate that says localhost."""
        authority_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        authority = _certificate(
            "Authority of the tests", "Authority of the tests", authority_key.public_key(), authority_key, is_authority=True
        )
        server = _certificate(HOST, "Authority of the tests", server_key.public_key(), authority_key, is_authority=False)
        pem = serialization.Encoding.PEM
        key_text = server_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        home = self.layout.home
        write_private(self.layout, home / "server.key", key_text)
        write_private(self.layout, home / "server.pem", server.public_bytes(pem).decode())
        write_private(self.layout, home / "authority.pem", authority.public_bytes(pem).decode())
        self.authority.write_bytes(authority.public_bytes(pem))


def _certificate(
    name: str, issuer: str, public_key: ec.EllipticCurvePublicKey, signing_key: ec.EllipticCurvePrivateKey, *, is_authority: bool
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=7))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if not is_authority:
        names = [x509.DNSName(HOST), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signing_key, hashes.SHA256())
