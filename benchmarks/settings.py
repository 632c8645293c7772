"""The site's settings with the benchmarks' own tables, on embedded servers of their own below the state directory."""

import os

from marketplace.environment import EMBEDDED_ROLES, make_state_directory, state_directory

SERVER_VARIABLES = (*EMBEDDED_ROLES, "REDIS_URL", "CACHE_URL")
INSIDE = "BENCHMARK_RESULTS"  # set for the processes that a run starts

if INSIDE not in os.environ:
    for _name in SERVER_VARIABLES:
        os.environ.pop(_name, None)
    os.environ[INSIDE] = str(state_directory() / "bench.json")
    os.environ["MARKETPLACE_DEMO"] = "1"
    os.environ["MARKETPLACE_DB_ROLE"] = "worker"
    make_state_directory(state_directory())
    os.environ["MARKETPLACE_STATE"] = str(state_directory() / "bench")

from marketplace.settings import *  # noqa: E402, F403
from marketplace.settings import INSTALLED_APPS, STORAGES  # noqa: E402

INSTALLED_APPS = [*INSTALLED_APPS, "auditlog", "simple_history", "benchmarks"]
AUDITLOG_STORE_JSON_CHANGES = True
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
ALLOWED_HOSTS = ["testserver"]
WHITENOISE_AUTOREFRESH = True
