"""The site's settings, read from the environment by `marketplace.environment`.

An unsafe or missing value stops the start. DEBUG is off always: its error pages show values.
"""

import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _
from redis.backoff import NoBackoff
from redis.retry import Retry

from marketplace.environment import ROOT, Environment, broker_url
from privacy.wall.logins import Login

environment = Environment()

DEMO: bool = environment.demo
STATE: Path = environment.state
BASE_DIR: Path = ROOT
DEBUG = False

SITE_URL: str = environment.site_url
ALLOWED_HOSTS: list[str] = environment.allowed_hosts
CSRF_TRUSTED_ORIGINS = [SITE_URL]
PROXY_ADDRESSES: list[str] = environment.optional("PROXY_ADDRESSES", "127.0.0.1").split(",")

# Who runs the shop, for `setup_site` to enter once; from then on staff change it on their pages.
OPERATOR_NAME = environment.optional("OPERATOR_NAME")
OPERATOR_ADDRESS = environment.optional("OPERATOR_ADDRESS")
OPERATOR_EMAIL = environment.optional("OPERATOR_EMAIL")

# What staff do to many people at once: exports are off unless turned on, and more rows than this take a second person.
STAFF_EXPORTS: bool = environment.number("STAFF_EXPORTS", 0) == 1
STAFF_EXPORT_PEOPLE: int = environment.number("STAFF_EXPORT_PEOPLE", 100)
MASS_ACTION_LIMIT: int = environment.number("MASS_ACTION_LIMIT", 10)

# Secrets
SECRET_KEY = environment.secret_key
KEY_RING = environment.optional("KEY_RING", "local")
KEY_ENCRYPTION_KEYS: dict[int, bytes] = environment.key_encryption_keys if KEY_RING == "local" else {}
KMS_KEY_IDS: dict[int, str] = environment.kms_key_ids if KEY_RING == "kms" else {}
BLIND_INDEX_KEY: bytes = environment.key("BLIND_INDEX_KEY")
BLIND_INDEX_SECOND_KEY: bytes = environment.optional_key("BLIND_INDEX_SECOND_KEY")  # while the index moves from key to key
AUDIT_SIGNING_KEY: bytes = environment.key("AUDIT_SIGNING_KEY")
COMMITMENT_KEY: bytes = environment.key("COMMITMENT_KEY")
WALL_SIGNING_KEY: bytes = environment.key("WALL_SIGNING_KEY", 64)
AUDIT_ORIGIN: str = environment.audit_origin
AUDIT_SIGNING_KEY_VERSION = environment.number("AUDIT_SIGNING_KEY_VERSION", 1)
AUDIT_KEPT_YEARS = environment.audit_kept_years
AUDIT_FORMER_KEYS: list[str] = environment.optional("AUDIT_FORMER_KEYS").split()
AUDIT_FORMER_SIGNING_KEY: bytes = environment.optional_key("AUDIT_FORMER_SIGNING_KEY")  # signs beside the new one for a while
# Where checkpoints go besides the state directory: file:///folder, s3://bucket/prefix, https://witness.example#VKEY
AUDIT_PUBLISH: list[str] = environment.optional("AUDIT_PUBLISH").split()

# Cryptoperiods: the upper ends of NIST SP 800-57 Part 1 Rev. 5, 5.3.6, and less where changing costs little. A data key may
# seal for two years (symmetric data encryption), the key that locks all others for one (symmetric master key).
DATA_KEY_LASTS = timedelta(days=environment.number("DATA_KEY_DAYS", 730))
KEY_ENCRYPTION_KEY_LASTS = timedelta(days=environment.number("KEY_ENCRYPTION_KEY_DAYS", 365))
# Half of the 2^32 seals that random nonces allow one key (NIST SP 800-38D, 8.3): the count is an estimate.
DATA_KEY_SEALS = 2**31
# After both together, and a day, a copy of the keys' table opens nothing. Keep backups of the keys no longer than EPOCH_KEPT.
EPOCH_LASTS = timedelta(days=environment.number("EPOCH_DAYS", 7))
EPOCH_KEPT = timedelta(days=environment.number("EPOCH_KEPT_DAYS", 14))

# Applications
INSTALLED_APPS = [
    "marketplace.apps.StaffSiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "axes",
    "django_htmx",
    "marketplace.apps.MarketplaceConfig",
    "marketplace.accounts",
    "marketplace.api",
    "orders",
    "privacy",
    "audit",
]
if DEMO:
    INSTALLED_APPS.append("marketplace.demo")

MIDDLEWARE = [
    "marketplace.health.HealthMiddleware",
    "privacy.wall.middleware.GateMiddleware",
    "marketplace.headers.ForwardedAddressMiddleware",
    "audit.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "audit.serving.LogFilesMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "marketplace.headers.PermissionsPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "marketplace.accounts.middleware.ActorMiddleware",
    "marketplace.api.authentication.ApiMiddleware",
    "axes.middleware.AxesMiddleware",
    "privacy.access.middleware.UnitOfWorkMiddleware",  # one transaction a request, the session saved outside it
    "marketplace.api.repetition.RepeatedCallMiddleware",  # innermost: what it remembers commits with what it is about
]

ROOT_URLCONF = "marketplace.urls"
WSGI_APPLICATION = "marketplace.wsgi.application"
ASGI_APPLICATION = "marketplace.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "marketplace.context.site",
                "orders.basket.contents.basket_count",
                "privacy.access.guests.guest",
            ],
        },
    },
]

# Databases
DATABASES: dict[str, Any] = environment.databases()
DATABASE_LOGINS: dict[Login, dict[str, object]] = environment.database_logins()
RUNTIME_ROLES: dict[str, str] = environment.runtime_roles()
VAULT_RUNTIME_ROLES: dict[str, str] = environment.vault_runtime_roles()
DATABASE_ROUTERS = ["privacy.vault.router.VaultRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Cache, sessions, messages: nothing personal in any of them, and nothing in cookies but opaque ids.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": environment.cache_url,
        "OPTIONS": {"socket_timeout": 5, "socket_connect_timeout": 5, "retry": Retry(NoBackoff(), 1)},
    },
}
SESSION_ENGINE = "marketplace.accounts.sessions"
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# Accounts
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: it refuses whoever is locked out
    "marketplace.accounts.backends.MailboxBackend",
    "marketplace.accounts.backends.SecondFactorBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "accounts:sign-in"
LOGIN_REDIRECT_URL = "accounts:overview"
LOGOUT_REDIRECT_URL = "orders:front"

AXES_HANDLER = "axes.handlers.cache.AxesCacheHandler"
AXES_LOCKOUT_PARAMETERS = "marketplace.accounts.lockout.lockout_parameters"
AXES_LOCKOUT_CALLABLE = "marketplace.accounts.lockout.locked_out_response"
AXES_USERNAME_CALLABLE = "marketplace.accounts.lockout.username_digest"
AXES_CLIENT_IP_CALLABLE = "marketplace.accounts.lockout.address_digest"
AXES_USERNAME_FORM_FIELD = "username"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = False  # marketplace.accounts resets by mailbox; axes would by account id
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ACCESS_FAILURE_LOG = False

# Headers and cookies
SECURE_REFERRER_POLICY = "same-origin"  # "no-referrer" makes browsers post with Origin: null, which CSRF checks refuse
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_SSL_REDIRECT = not DEMO
SECURE_HSTS_SECONDS = 0 if DEMO else int(timedelta(days=730).total_seconds())
SECURE_HSTS_INCLUDE_SUBDOMAINS = not DEMO
SECURE_HSTS_PRELOAD = not DEMO
X_FRAME_OPTIONS = "DENY"

SESSION_COOKIE_NAME = "session" if DEMO else "__Host-session"
SESSION_COOKIE_SECURE = not DEMO
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "csrf" if DEMO else "__Host-csrf"
CSRF_COOKIE_SECURE = not DEMO
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_SECURE = not DEMO
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE: Literal["Lax"] = "Lax"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

# Languages and time
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German")), ("ar", _("Arabic"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# Files
WHITENOISE_MANIFEST_STRICT = False  # a missing picture is no reason for an error page
STATIC_URL = "/static/"
STATIC_ROOT = STATE / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = STATE / "files"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    "exports": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": STATE / "exports", "base_url": None},
    },
    "attachments": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": STATE / "attachments", "base_url": None},
    },
}
FILE_UPLOAD_HANDLERS = ["privacy.vault.uploads.MemoryOnly"]
FILE_UPLOAD_PERMISSIONS = 0o600
DATA_UPLOAD_MAX_NUMBER_FILES = 20
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000

# Mail
globals().update(environment.mail)
DEFAULT_FROM_EMAIL = environment.optional("MAIL_FROM", "marketplace@example.com")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# The outside: in the demo a sandbox plays the payment provider and the carrier.
SANDBOX_URL: str = environment.sandbox_url
SANDBOX_WEBHOOK_SECRET: str = environment.required("SANDBOX_WEBHOOK_SECRET") if DEMO else ""
ORDERS_PAYMENT_GATEWAY = environment.optional("ORDERS_PAYMENT_GATEWAY", "orders.payments.sandbox.SandboxGateway")
ORDERS_CARRIER = environment.optional("ORDERS_CARRIER", "orders.parcels.sandbox.SandboxCarrier")
ORDERS_OUTSIDE_TIMEOUT = 4  # seconds
ORDERS_PAYMENT_WINDOW = timedelta(minutes=60)
ORDERS_CLOSE_AFTER = timedelta(minutes=environment.number("ORDERS_CLOSE_AFTER_MINUTES", 14 * 24 * 60))

# Interfaces for programs
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["marketplace.api.authentication.CallerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["marketplace.api.permissions.MayCall"],
    "DEFAULT_THROTTLE_CLASSES": ["marketplace.api.throttling.CallsAMinute"],
    "DEFAULT_RENDERER_CLASSES": ["marketplace.api.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["marketplace.api.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "marketplace.api.pagination.Pages",
    "DEFAULT_SCHEMA_CLASS": "marketplace.api.schema.ApiSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "marketplace.api.problems.answer_error",
}
API_CALLS_A_MINUTE = environment.number("API_CALLS_A_MINUTE", 120)
SPECTACULAR_SETTINGS = {
    "TITLE": "Marketplace",
    "DESCRIPTION": "Everything on the account pages, and what is public. See the reference for how to begin.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENFORCE_NON_BLANK_FIELDS": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["marketplace.api.schema.describe_refusals"],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer", "description": "A token made on the page Security."},
            "session": {"type": "apiKey", "in": "cookie", "name": "__Host-session", "description": "A signed-in browser."},
            "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRFToken", "description": "Beside the session, to change something."},
        },
    },
}

# Staff: how many people they may open within an hour. Past the first number they are asked, past the second they
# open nobody any more until a privacy officer lets them go on.
OPENINGS_AN_HOUR = {
    role: (environment.number(f"OPENINGS_SOFT_{role.upper()}", soft), environment.number(f"OPENINGS_HARD_{role.upper()}", hard))
    for role, soft, hard in (
        ("support", 30, 60),
        ("fulfillment", 60, 120),
        ("finance", 40, 80),
        ("fraud", 30, 60),
        ("privacy_officer", 30, 60),
        ("security", 20, 40),
        ("auditor", 5, 10),
        ("administrator", 5, 10),
    )
}

# What is unusual when staff open people's data; each raises an alert.
OPENINGS_WORKING_HOURS = (environment.number("OPENINGS_WORK_FROM", 7), environment.number("OPENINGS_WORK_UNTIL", 20))
OPENINGS_USUAL_AFTER_DAYS = environment.number("OPENINGS_USUAL_AFTER_DAYS", 3)
OPENINGS_UNUSUAL_TIMES = environment.number("OPENINGS_UNUSUAL_TIMES", 3)
OPENINGS_UNUSUAL_AT_LEAST = environment.number("OPENINGS_UNUSUAL_AT_LEAST", 20)
OPENINGS_SAME_NAME_AT_LEAST = environment.number("OPENINGS_SAME_NAME_AT_LEAST", 4)

# How many looks of a week somebody else judges, and how long they have for it.
REVIEWS_A_WEEK = environment.number("REVIEWS_A_WEEK", 25)
REVIEWED_WITHIN = timedelta(days=environment.number("REVIEWED_WITHIN_DAYS", 7))

# Rights: how long somebody can think again before an erasure begins.
ERASURE_COOLING_OFF = timedelta(minutes=3) if DEMO else timedelta(days=14)

# What was erased, kept outside both databases: a restore reads it and erases again.
ERASURE_LEDGER = environment.optional("ERASURE_LEDGER", str(STATE / "erasures" / "ledger.jsonl"))

# Background work. Messages carry ids; work that must happen is a row first, so losing the broker loses nothing.
BROKER_REDIS_URL = environment.redis_url
CELERY_BROKER_URL = broker_url(environment.redis_url)
if CELERY_BROKER_URL.startswith("rediss"):
    CELERY_BROKER_USE_SSL = {"ssl_cert_reqs": ssl.CERT_REQUIRED}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BEAT_SCHEDULER = "marketplace.pulse.PulsingScheduler"
CELERY_BEAT_SCHEDULE_FILENAME = str(STATE / "beat-schedule")


def timetable_entry(task: str, schedule: float | crontab) -> dict[str, Any]:
    """A task sent on a schedule; a message that nobody fetched before the next is due expires."""
    expires = schedule if isinstance(schedule, int | float) else 3600
    return {"task": task, "schedule": schedule, "options": {"expires": expires}}


CELERY_BEAT_SCHEDULE = {
    "integrate_audit": timetable_entry("audit.integrate", 5),
    "verify_audit": timetable_entry("audit.verify", 3600),
    "verify_whole_audit": timetable_entry("audit.verify_all", crontab(hour=4, minute=30)),
    "watch_log": timetable_entry("privacy.alerts.watch_log", 600),
    "keep_audit_months": timetable_entry("audit.keep_months", crontab(hour=1, minute=30)),
    "publish_audit": timetable_entry("audit.publish", 30),
    "sweep_jobs": timetable_entry("privacy.jobs.sweep", 10),
    "advance_epoch": timetable_entry("privacy.rights.advance_epoch", crontab(hour=2, minute=45)),
    "clear_deleted_keys": timetable_entry("privacy.rights.clear_deleted_keys", 20),
    "finish_renewals": timetable_entry("privacy.rights.finish_renewals", 3600),
    "watch_keys": timetable_entry("privacy.alerts.watch_keys", 3600),
    "watch_publications": timetable_entry("privacy.alerts.watch_publications", 300),
    "watch_wall": timetable_entry("privacy.alerts.watch_wall", 3600),
    "watch_floor": timetable_entry("privacy.alerts.watch_floor", 60),
    "copy_erasure_ledger": timetable_entry("privacy.rights.copy_erasure_ledger", 60),
    "start_due_erasures": timetable_entry("privacy.rights.start_due_erasures", 30),
    "purge": timetable_entry("privacy.retention.purge", 600 if DEMO else crontab(hour=3, minute=15)),
    "advance_orders": timetable_entry("orders.advance_timers", 60),
    "warn_old_mailboxes": timetable_entry("accounts.warn_old_mailboxes", 3600),
    "expire_staff_exports": timetable_entry("privacy.staff_exports.expire", 300),
    "expire_proposals": timetable_entry("privacy.approvals.expire", 300),
    "watch_uses": timetable_entry("privacy.access.watch_uses", 600),
    "watch_names": timetable_entry("privacy.access.watch_names", crontab(hour=2, minute=30)),
    "draw_reviews": timetable_entry("privacy.access.draw_reviews", crontab(day_of_week="mon", hour=5, minute=0)),
    "advance_tickets": timetable_entry("privacy.complaints.advance_timers", 60),
}

# Logs and error reports: no request bodies, no query parameters, no addresses, no exception messages.
SECURITY_LOG: bool = environment.number("SECURITY_LOG", 0 if DEMO else 1) == 1  # the demo's terminal is for its visitors
DEFAULT_EXCEPTION_REPORTER = "marketplace.errors.FrameReporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "marketplace.errors.NothingPersonalFilter"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"without_values": {"()": "marketplace.errors.WithoutValues"}},
    "formatters": {
        "plain": {"()": "marketplace.errors.FrameFormatter", "format": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "json": {"format": "%(message)s"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["without_values"]},
        "security": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json"},
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "django.server": {"handlers": ["nowhere"], "propagate": False},
        "axes": {"handlers": ["nowhere"], "propagate": False},
        "audit.security": {"handlers": ["security"], "level": "INFO", "propagate": False},
    },
}
