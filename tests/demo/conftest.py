import os
from collections.abc import Iterator

import pytest
from django.db import connections

from marketplace.demo.lifting import lifted_for_owner
from marketplace.environment import Environment


@pytest.fixture
def as_owner(transactional_db) -> Iterator[None]:
    """Every connection of this process to the main database logs in as the owner of its tables, as the loader does."""
    role = Environment({**os.environ, "MARKETPLACE_DB_ROLE": "owner"}).databases()["default"]
    login = connections["default"].settings_dict
    before = {name: login[name] for name in ("USER", "PASSWORD")}
    connections["default"].close()
    login.update(USER=role["USER"], PASSWORD=role["PASSWORD"])
    with lifted_for_owner():
        yield
    connections["default"].close()
    login.update(before)
