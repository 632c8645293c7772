"""The proof that the application, not a piece of SQL, chose whose rows a transaction may touch (PROTECT-2)."""

import hashlib
import hmac
from uuid import UUID

from django.conf import settings

from privacy.wall.foundation import key_id


def sign(subject_id: UUID, pid: int, started_us: int) -> str:
    """The value of ``wall.token`` for one transaction of one backend.

    ``pid`` is ``pg_backend_pid()`` and ``started_us`` is ``transaction_timestamp()`` in whole microseconds since
    1970, both as that very transaction sees them: in any other the database answers with an error.
    """
    key: bytes = settings.WALL_SIGNING_KEY
    claim = f"{key_id(key)}.{subject_id}.{pid}.{started_us}"
    return f"{claim}.{hmac.new(key, claim.encode(), hashlib.sha256).hexdigest()}"
