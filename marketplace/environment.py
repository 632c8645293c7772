"""The one place that reads the process environment and the state directory.

Outside the demo everything comes from environment variables, and a missing or unsafe one stops
the start with one line. In the demo what is missing is generated once into the state directory.
Reading starts no server and opens no connection.
"""

import base64
import fcntl
import ipaddress
import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from marketplace.layout import Layout
from privacy.wall.logins import Login

ROOT = Path(__file__).resolve().parent.parent

DATABASE_SCHEMES = {"postgres", "postgresql"}
REDIS_SCHEMES = {"redis", "rediss", "unix"}
MAIL_SCHEMES = {"smtp", "smtp+tls", "smtps"}
ENCRYPTED_SSL_MODES = {"require", "verify-ca", "verify-full"}
DATABASE_ROLES = {"owner", "web", "worker"}


def state_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """Where everything local is kept; MARKETPLACE_STATE moves it."""
    return Path(environ.get("MARKETPLACE_STATE") or ROOT / ".state").expanduser().absolute()


def is_demo(environ: Mapping[str, str] = os.environ) -> bool:
    """The demo is on where no DATABASE_URL is given, unless MARKETPLACE_DEMO says otherwise."""
    value = environ.get("MARKETPLACE_DEMO", "")
    if value not in ("", "0", "1"):
        raise ImproperlyConfigured("MARKETPLACE_DEMO must be 0 or 1.")
    return value == "1" if value else not environ.get("DATABASE_URL")


@dataclass(frozen=True)
class Location:
    """A server named by a URL. `socket` is the path of a local socket or its directory."""

    scheme: str
    user: str
    password: str
    host: str
    port: int | None
    name: str
    options: dict[str, str]

    @property
    def is_local(self) -> bool:
        """True for a local socket and for the loopback interface."""
        if not self.host or self.host.startswith("/") or self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_location(variable: str, url: str, schemes: set[str]) -> Location:
    """Take a server URL apart. Raises ImproperlyConfigured without repeating the URL, which may hold a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError:
        raise ImproperlyConfigured(f"{variable} is not a valid URL.") from None
    if parts.scheme not in schemes:
        raise ImproperlyConfigured(f"{variable} must start with one of: {', '.join(sorted(f'{s}://' for s in schemes))}.")
    return Location(
        scheme=parts.scheme,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        host=unquote(parts.hostname or "") or options.pop("host", ""),
        port=port,
        name=unquote(parts.path).removeprefix("/") if parts.scheme != "unix" else unquote(parts.path),
        options=options,
    )


def database_settings(variable: str, url: str, *, demo: bool) -> dict[str, object]:
    """Django's DATABASES entry for a URL. Outside the demo a server on another host must be reached through TLS."""
    location = parse_location(variable, url, DATABASE_SCHEMES)
    if not location.name:
        raise ImproperlyConfigured(f"{variable} names no database.")
    if not demo and not location.is_local and location.options.get("sslmode") not in ENCRYPTED_SSL_MODES:
        raise ImproperlyConfigured(f"{variable} must say sslmode=verify-full (or verify-ca, require): its server is on another host.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": location.name,
        "USER": location.user,
        "PASSWORD": location.password,
        "HOST": location.host,
        "PORT": str(location.port or ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": "5", **location.options},
    }


def check_redis_url(variable: str, url: str, *, demo: bool) -> str:
    """Return the URL if it may be used. Outside the demo a server on another host must be reached through TLS."""
    location = parse_location(variable, url, REDIS_SCHEMES)
    if not demo and location.scheme == "redis" and not location.is_local:
        raise ImproperlyConfigured(f"{variable} must start with rediss://: its server is on another host.")
    number = location.options.get("db", "0") if location.scheme == "unix" else location.name or "0"
    if not number.isdecimal():
        raise ImproperlyConfigured(f"{variable} must end with the number of a database, such as /0.")
    return url


def broker_url(redis_url: str) -> str:
    """The same server in the words of Celery, which names local sockets differently."""
    location = parse_location("REDIS_URL", redis_url, REDIS_SCHEMES)
    if location.scheme != "unix":
        return redis_url
    return f"redis+socket://{location.name}?virtual_host={location.options.get('db', '0')}"


def next_database(redis_url: str) -> str:
    """The URL of the numbered database after this one, so that emptying the cache leaves the broker alone."""
    parts = urlsplit(redis_url)
    number = dict(parse_qsl(parts.query)).get("db", "0") if parts.scheme == "unix" else parts.path.strip("/") or "0"
    return numbered_database(redis_url, int(number) + 1)


def numbered_database(redis_url: str, number: int) -> str:
    """The URL of another numbered database of the same server."""
    parts = urlsplit(redis_url)
    if parts.scheme == "unix":
        return f"unix://{parts.path}?db={number}"
    return parts._replace(path=f"/{number}").geturl()


def mail_settings(url: str, *, demo: bool) -> dict[str, object]:
    """Django's EMAIL_* settings. `smtp+tls` upgrades with STARTTLS, `smtps` is TLS from the first byte."""
    location = parse_location("EMAIL_URL", url, MAIL_SCHEMES)
    if not location.host:
        raise ImproperlyConfigured("EMAIL_URL names no host.")
    if not demo and location.scheme == "smtp" and not location.is_local:
        raise ImproperlyConfigured("EMAIL_URL must start with smtp+tls:// or smtps://: its server is on another host.")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": location.host,
        "EMAIL_PORT": location.port or {"smtp": 25, "smtp+tls": 587, "smtps": 465}[location.scheme],
        "EMAIL_HOST_USER": location.user,
        "EMAIL_HOST_PASSWORD": location.password,
        "EMAIL_USE_TLS": location.scheme == "smtp+tls",
        "EMAIL_USE_SSL": location.scheme == "smtps",
        "EMAIL_TIMEOUT": 20,
    }


def random_text() -> str:
    return secrets.token_urlsafe(48)


def random_key(size: int = 32) -> str:
    return base64.b64encode(secrets.token_bytes(size)).decode()


DEMO_SECRETS: dict[str, Callable[[], str]] = {
    "SECRET_KEY": random_text,
    "KEY_ENCRYPTION_KEYS": lambda: f"1:{random_key()}",
    "BLIND_INDEX_KEY": random_key,
    "AUDIT_SIGNING_KEY": random_key,
    "COMMITMENT_KEY": random_key,
    "WALL_SIGNING_KEY": lambda: random_key(64),
    "SANDBOX_WEBHOOK_SECRET": random_text,
    "POSTGRES_PASSWORD": random_text,
    "MARKET_OWNER_PASSWORD": random_text,
    "MARKET_GATE_PASSWORD": random_text,
    "MARKET_CUSTOMER_PASSWORD": random_text,
    "MARKET_STAFF_PASSWORD": random_text,
    "MARKET_AUDITOR_PASSWORD": random_text,
    "MARKET_WORKER_PASSWORD": random_text,
    "VAULT_OWNER_PASSWORD": random_text,
    "VAULT_USER_PASSWORD": random_text,
}


def make_state_directory(state: Path) -> None:
    """Searchable by others, because the embedded servers of root run as somebody else; listable by its owner alone.

    Raises ImproperlyConfigured where it cannot be made.
    """
    try:
        if not state.exists():
            state.mkdir(parents=True, mode=0o711)
            state.chmod(0o711)
    except OSError as error:
        raise ImproperlyConfigured(f"The state directory {state} cannot be used: {error.strerror}.") from None


def demo_secrets(state: Path) -> dict[str, str]:
    """The secrets of this state directory, generated at first use, readable by its owner alone."""
    try:
        make_state_directory(state)
        with (state / "secrets.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return _complete_secrets(state / "secrets.json")
    except OSError as error:
        raise ImproperlyConfigured(f"The state directory {state} cannot be used: {error.strerror}.") from None


def _complete_secrets(path: Path) -> dict[str, str]:
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    missing = {name: make() for name, make in DEMO_SECRETS.items() if name not in known}
    if missing:
        known |= missing
        draft = path.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(known, file, indent=1)
        draft.replace(path)
    return known


def decode_key(variable: str, value: str, size: int = 32) -> bytes:
    """So many bytes from base64. The error never repeats the value."""
    try:
        key = base64.b64decode(value, validate=True)
    except ValueError:
        raise ImproperlyConfigured(f"{variable} is not valid base64.") from None
    if len(key) != size:
        raise ImproperlyConfigured(f"{variable} must be {size} bytes, encoded as base64.")
    return key


def decode_key_ring(variable: str, value: str) -> dict[int, bytes]:
    """Key-encryption keys by version, from "1:base64,2:base64" (or a line each). Raises ImproperlyConfigured."""
    return {version: decode_key(variable, key) for version, key in split_versions(variable, value).items()}


def split_versions(variable: str, value: str) -> dict[int, str]:
    """What stands behind each version number in "1:this,2:that". Raises ImproperlyConfigured."""
    found: dict[int, str] = {}
    for entry in value.replace("\n", ",").split(","):
        version, separator, text = entry.strip().partition(":")
        if not entry.strip() and found:
            continue
        if not separator or not text or not version.isdecimal() or int(version) in found:
            raise ImproperlyConfigured(f'{variable} must look like "1:base64,2:base64", each version once.')
        found[int(version)] = text
    return found


def read_secret_file(variable: str, path: Path) -> str:
    """The text of a file that nobody but its owner can read, who is us or root. Raises ImproperlyConfigured."""
    try:
        status = path.stat()
        text = path.read_text("ascii").strip()
    except (OSError, ValueError):
        raise ImproperlyConfigured(f"{variable} names a file that cannot be read.") from None
    if status.st_mode & 0o077 or status.st_uid not in (0, os.geteuid()):
        raise ImproperlyConfigured(f"{variable} names a file that others can read: its owner must be this account or root, its mode 600.")
    return text


class Environment:
    """What the process was told: variables first, the demo's own secrets where they are silent."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self.environ = environ
        self.demo = is_demo(environ)
        self.state = state_directory(environ)
        self.generated = demo_secrets(self.state) if self.demo else {}

    def optional(self, variable: str, default: str = "") -> str:
        return self.environ.get(variable) or default

    def required(self, variable: str) -> str:
        """Raises ImproperlyConfigured with one line when neither the environment nor the demo has a value."""
        value = self.environ.get(variable) or self.generated.get(variable)
        if not value:
            raise ImproperlyConfigured(f"{variable} is not set. Outside the demo it is required.")
        return value

    def key(self, variable: str, size: int = 32) -> bytes:
        return decode_key(variable, self.required(variable), size)

    def optional_key(self, variable: str, size: int = 32) -> bytes:
        """Empty where it is not set."""
        value = self.optional(variable)
        return decode_key(variable, value, size) if value else b""

    @property
    def key_encryption_keys(self) -> dict[int, bytes]:
        """By version, from KEY_ENCRYPTION_KEYS_FILE where that is set, else from KEY_ENCRYPTION_KEYS."""
        path = self.optional("KEY_ENCRYPTION_KEYS_FILE")
        if path:
            return decode_key_ring("KEY_ENCRYPTION_KEYS_FILE", read_secret_file("KEY_ENCRYPTION_KEYS_FILE", Path(path)))
        return decode_key_ring("KEY_ENCRYPTION_KEYS", self.required("KEY_ENCRYPTION_KEYS"))

    @property
    def kms_key_ids(self) -> dict[int, str]:
        """Ids or ARNs of keys in AWS KMS by version, from "1:id,2:id"."""
        return split_versions("KMS_KEY_IDS", self.required("KMS_KEY_IDS"))

    def number(self, variable: str, default: int) -> int:
        value = self.optional(variable, str(default))
        if not value.isdecimal():
            raise ImproperlyConfigured(f"{variable} must be a whole number.")
        return int(value)

    @property
    def audit_origin(self) -> str:
        """The log's name in its checkpoints: a host and path without a scheme."""
        if self.demo:
            return self.optional("AUDIT_ORIGIN", "marketplace.localhost/log")
        return self.required("AUDIT_ORIGIN")

    @property
    def audit_kept_years(self) -> int:
        """Raises ImproperlyConfigured for less than a year: nobody could check in time what was done with their data."""
        years = self.number("AUDIT_KEPT_YEARS", AUDIT_KEPT_YEARS)
        if years < 1:
            raise ImproperlyConfigured("AUDIT_KEPT_YEARS must be at least 1.")
        return years

    @property
    def secret_key(self) -> str:
        value = self.required("SECRET_KEY")
        if len(value) < 50:
            raise ImproperlyConfigured("SECRET_KEY is too short: at least 50 characters.")
        return value

    @property
    def database_role(self) -> str:
        role = self.optional("MARKETPLACE_DB_ROLE", "web")
        if role not in DATABASE_ROLES:
            raise ImproperlyConfigured("MARKETPLACE_DB_ROLE must be owner, web or worker.")
        return role

    @property
    def uses_embedded_postgres(self) -> bool:
        return self.demo and not self.environ.get("DATABASE_URL")

    @property
    def uses_embedded_valkey(self) -> bool:
        return self.demo and not self.environ.get("REDIS_URL")

    def databases(self) -> dict[str, dict[str, object]]:
        """Both databases, as the role this process plays."""
        login = HOME_LOGINS[self.database_role]
        return {
            "default": {**self._database(MAIN_VARIABLES[login]), "ENGINE": "privacy.wall.engine", "LOGIN": login},
            "vault": self._database(VAULT_VARIABLES[self.database_role]),
        }

    def database_logins(self) -> dict[Login, dict[str, object]]:
        """The logins to the main database that this process may enter: those of the site, its own, and an owner the
        worker's, who sees the rows."""
        home = HOME_LOGINS[self.database_role]
        logins = dict.fromkeys([*SITE_LOGINS, home, *([Login.WORKER] if home == Login.OWNER else [])])
        return {login: self._database(MAIN_VARIABLES[login]) for login in logins}

    def runtime_roles(self) -> dict[str, str]:
        """The database role of each login but the owner's, for the grants that migrations give."""
        return {login.value: str(self._database(variable)["USER"]) for login, variable in MAIN_VARIABLES.items() if login != Login.OWNER}

    def vault_runtime_roles(self) -> dict[str, str]:
        return {process: str(self._database(VAULT_VARIABLES[process])["USER"]) for process in ("web", "worker")}

    def _database(self, variable: str) -> dict[str, object]:
        return database_settings(variable, self.environ.get(variable) or self._embedded_url(variable), demo=self.demo)

    def _embedded_url(self, variable: str) -> str:
        if not self.uses_embedded_postgres:
            self.required(variable)
        role, database = EMBEDDED_ROLES[variable]
        return embedded_database_url(self.state, self.generated, role, database)

    @property
    def redis_url(self) -> str:
        if self.uses_embedded_valkey:
            return embedded_redis_url(self.state)
        return check_redis_url("REDIS_URL", self.required("REDIS_URL"), demo=self.demo)

    @property
    def cache_url(self) -> str:
        """A database of its own beside the broker's, unless CACHE_URL names one."""
        url = self.optional("CACHE_URL") or next_database(self.redis_url)
        return check_redis_url("CACHE_URL", url, demo=self.demo)

    @property
    def mail(self) -> dict[str, object]:
        if self.demo and not self.environ.get("EMAIL_URL"):
            return {"EMAIL_BACKEND": "marketplace.demo.mail.MailboxBackend"}
        return mail_settings(self.required("EMAIL_URL"), demo=self.demo)

    @property
    def port(self) -> int:
        value = self.optional("PORT", "8000")
        if not value.isdecimal() or not 0 < int(value) < 65536:
            raise ImproperlyConfigured("PORT must be a number between 1 and 65535.")
        return int(value)

    @property
    def site_url(self) -> str:
        """The address people use, without a slash at its end."""
        if self.demo:
            return self.optional("SITE_URL", f"http://127.0.0.1:{self.port}").rstrip("/")
        parts = urlsplit(self.required("SITE_URL"))
        if parts.scheme != "https" or not parts.hostname:
            raise ImproperlyConfigured("SITE_URL must start with https:// outside the demo.")
        return self.required("SITE_URL").rstrip("/")

    @property
    def sandbox_url(self) -> str:
        """Where the stand-in for payment provider and carrier listens; what is told to it is personal."""
        url = self.optional("SANDBOX_URL")
        if url and not self.demo:
            location = parse_location("SANDBOX_URL", url, {"http", "https"})
            if location.scheme == "http" and not location.is_local:
                raise ImproperlyConfigured("SANDBOX_URL must start with https:// on another host.")
        return url

    @property
    def allowed_hosts(self) -> list[str]:
        default = "127.0.0.1,localhost,[::1]" if self.demo else ""
        hosts = self.environ.get("ALLOWED_HOSTS") or default or self.required("ALLOWED_HOSTS")
        if not self.demo and "*" in hosts:
            raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts; * accepts any.")
        return [host.strip() for host in hosts.split(",") if host.strip()]


# The longest that a record of a person is kept is eight years from the end of one, and the log has to outlive it: who
# used the data is answered for all of its life, and for a while after.
AUDIT_KEPT_YEARS = 10

HOME_LOGINS = {"web": Login.GATE, "worker": Login.WORKER, "owner": Login.OWNER}
SITE_LOGINS = (Login.GATE, Login.CUSTOMER, Login.STAFF, Login.AUDITOR)
MAIN_VARIABLES = {
    Login.GATE: "DATABASE_URL",
    Login.CUSTOMER: "DATABASE_CUSTOMER_URL",
    Login.STAFF: "DATABASE_STAFF_URL",
    Login.AUDITOR: "DATABASE_AUDITOR_URL",
    Login.WORKER: "DATABASE_WORKER_URL",
    Login.OWNER: "DATABASE_OWNER_URL",
}
VAULT_VARIABLES = {"web": "VAULT_DATABASE_URL", "worker": "VAULT_DATABASE_URL", "owner": "VAULT_DATABASE_OWNER_URL"}
EMBEDDED_ROLES = {
    **{variable: (f"market_{login}", "marketplace") for login, variable in MAIN_VARIABLES.items()},
    "VAULT_DATABASE_OWNER_URL": ("vault_owner", "marketplace_vault"),
    "VAULT_DATABASE_URL": ("vault_user", "marketplace_vault"),
}


def embedded_database_url(state: Path, generated: Mapping[str, str], role: str, database: str) -> str:
    """The URL of one database of the embedded server, whether it runs or not."""
    password = generated[f"{role.upper()}_PASSWORD"]
    return f"postgresql://{role}:{quote(password)}@/{database}?host={quote(str(Layout.of(state).sockets), safe='')}"


def embedded_redis_url(state: Path) -> str:
    """The URL of the embedded broker, whether it runs or not."""
    return f"unix://{quote(str(Layout.of(state).sockets / 'valkey.sock'))}?db=0"
