"""Servers to attack: the embedded PostgreSQL, Debian's PostgreSQL 15 where it is installed, and PgBouncer before either."""

import contextlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import errors, sql

from marketplace.database_roles import MAIN_DATABASE, MAIN_OWNER, MAIN_USERS, lay_foundation, prepare_cluster, restrict_database
from marketplace.embedded import Servers, write_private
from privacy.wall.logins import Login
from tests.databases import TestDatabases, process_environment, run_command

OLDER = Path("/usr/lib/postgresql/15/bin")
BOUNCER = Path("/usr/sbin/pgbouncer")
OLDER_PORT, BOUNCER_PORT, CARELESS_PORT = 5433, 6432, 6433


@dataclass
class Cluster:
    """A server with our roles, and a migrated database to clone. `postgres` names its superuser."""

    servers: Servers
    port: int
    template: str

    def connect(self, database: str, role: str = "postgres", *, port: int | None = None, **options: Any) -> Any:
        connection = psycopg2.connect(
            host=str(self.servers.layout.sockets),
            port=port or self.port,
            user=role,
            password=self.servers.secrets[f"{role.upper()}_PASSWORD"],
            dbname=database,
            connect_timeout=5,
            **options,
        )
        connection.autocommit = True
        return connection

    def clone(self, name: str) -> None:
        """A database as the migrations leave it. The superuser's connection is outside any transaction."""
        with contextlib.closing(self.connect("postgres")) as admin, admin.cursor() as cursor:
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            cursor.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(*map(sql.Identifier, (name, MAIN_OWNER, self.template)))
            )
            restrict_database(cursor, name, MAIN_USERS)

    def drop(self, name: str) -> None:
        with contextlib.closing(self.connect("postgres")) as admin, admin.cursor() as cursor:
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def embedded_cluster(databases: TestDatabases) -> Cluster:
    databases.ensure_template()
    return Cluster(databases.servers, 5432, databases.template_name("default"))


@contextlib.contextmanager
def older_cluster(servers: Servers) -> Iterator[Cluster]:
    """A server of its own beside the embedded one, migrated by the product's own command."""
    data = servers.layout.home / "older"
    shutil.rmtree(data, ignore_errors=True)
    password = servers.layout.home / "older-superuser"
    write_private(servers.layout, password, servers.secrets["POSTGRES_PASSWORD"])
    made = servers.run(
        OLDER / "initdb", f"--pgdata={data}", "--username=postgres", f"--pwfile={password}", "--auth=scram-sha-256", "--no-locale",
        "--encoding=UTF8", "--no-sync",
    )  # fmt: skip
    password.unlink()
    assert made.returncode == 0, (servers.layout.home / "start.log").read_text()
    options = f"-p {OLDER_PORT} -k {servers.layout.sockets} -c listen_addresses= -c fsync=off -c unix_socket_permissions=0700"
    started = servers.run(OLDER / "pg_ctl", "start", "-w", "-s", "-D", data, "-o", options, "-l", servers.layout.logs / "older.log")
    assert started.returncode == 0, (servers.layout.logs / "older.log").read_text()
    cluster = Cluster(servers, OLDER_PORT, MAIN_DATABASE)
    try:
        migrate(cluster)
        yield cluster
    finally:
        servers.run(OLDER / "pg_ctl", "stop", "-w", "-s", "-m", "immediate", "-D", data)
        shutil.rmtree(data, ignore_errors=True)


def migrate(cluster: Cluster) -> None:
    with contextlib.closing(cluster.connect("postgres")) as admin:
        prepare_cluster(admin, cluster.servers.secrets)
    lay(cluster, MAIN_DATABASE)
    variables = process_environment(MAIN_DATABASE, "unused")
    variables |= {name: f"{url}&port={cluster.port}" for name, url in variables.items() if name.startswith("DATABASE_")}
    run_command(variables, "migrate", "--database", "default", role="owner")


def lay(cluster: Cluster, database: str) -> None:
    with contextlib.closing(cluster.connect(database)) as admin:
        lay_foundation(admin, database, cluster.servers.secrets["WALL_SIGNING_KEY"])


@contextlib.contextmanager
def bouncer(cluster: Cluster, *, wipes: bool = True) -> Iterator[int]:
    """PgBouncer in transaction mode with one connection to the server for everybody; yields its port."""
    port = BOUNCER_PORT if wipes else CARELESS_PORT
    layout, secrets = cluster.servers.layout, cluster.servers.secrets
    users = "".join(f'"{role}" "{secrets[f"{role.upper()}_PASSWORD"]}"\n' for role in MAIN_USERS)
    home = layout.home / f"pgbouncer-{port}"
    shutil.rmtree(home, ignore_errors=True)
    cluster.servers.run("/bin/mkdir", home)
    write_private(layout, home / "users.txt", users)
    configuration = CONFIGURATION.format(sockets=layout.sockets, home=home, port=port, server=cluster.port) + (WIPES if wipes else "")
    write_private(layout, home / "pgbouncer.ini", configuration)
    started = cluster.servers.run(BOUNCER, "-q", "-d", home / "pgbouncer.ini")
    assert started.returncode == 0, (layout.home / "start.log").read_text()
    try:
        yield port
    finally:
        cluster.servers.run("/bin/sh", "-c", f'kill -9 "$(cat {home}/pid)"')
        (layout.sockets / f".s.PGSQL.{port}").unlink(missing_ok=True)


CONFIGURATION = """
[databases]
* = host={sockets} port={server}
[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {sockets}
unix_socket_mode = 0700
auth_type = scram-sha-256
auth_file = {home}/users.txt
pool_mode = transaction
default_pool_size = 1
pidfile = {home}/pid
logfile = {home}/log
"""
WIPES = """
server_reset_query = DISCARD ALL
server_reset_query_always = 1
"""


def patiently(connect: Any) -> Any:
    """A pooler that has just been started does not listen yet."""
    for _ in range(100):
        try:
            return connect()
        except psycopg2.OperationalError as error:
            failure = error
            time.sleep(0.05)
    raise failure


ROLE = {login: f"market_{login}" for login in Login}
Refused = (errors.InsufficientPrivilege, errors.InvalidAuthorizationSpecification)
