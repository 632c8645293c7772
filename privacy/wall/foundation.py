"""What only a superuser can lay, once in a database: the key that customers' tokens are checked against, and its one reader (PROTECT-2).

Plain SQL in an order of its own: ``manage.py sqlwall`` prints it for an operator, the embedded server runs it at each
start. Running it again changes nothing. The tables' own part follows after each migration (``privacy.wall.install``).
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from audit.keeping import keeping_sql
from privacy.wall.logins import Login

GUARD = "market_guard"  # owns the key and its reader; nobody signs in as it, and the tables' owner is no member of it

ROLES = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{guard}') THEN
    CREATE ROLE {guard} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS;
  END IF;
END $$;
-- The text of a neighbor's query names that neighbor. Only a superuser can switch this on again.
ALTER ROLE {customer} SET track_activities = off;
ALTER ROLE {gate} SET track_activities = off;
"""

DATABASE = """
-- No temporary tables: one left on a connection would stand in front of a real one for whoever comes next.
REVOKE ALL ON DATABASE {database} FROM PUBLIC;
GRANT CONNECT ON DATABASE {database} TO {owner}, {logins};
REVOKE ALL ON SCHEMA public FROM PUBLIC;
"""

# What every role of a cluster may do by default, and what it would do for somebody who looks over a neighbor's shoulder.
NEIGHBORS = """
REVOKE ALL ON pg_catalog.pg_stat_activity FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION
  pg_catalog.pg_stat_get_activity(integer), pg_catalog.pg_stat_get_backend_activity(integer),
  pg_catalog.pg_terminate_backend(integer, bigint), pg_catalog.pg_cancel_backend(integer),
  pg_catalog.lo_creat(integer), pg_catalog.lo_create(oid), pg_catalog.lo_from_bytea(oid, bytea)
FROM PUBLIC;
GRANT SELECT ON pg_catalog.pg_stat_activity TO {owner};
GRANT EXECUTE ON FUNCTION pg_catalog.pg_stat_get_activity(integer) TO {owner};
"""

# HMAC-SHA-256 from sha256() alone (RFC 2104): the key is stored as its two padded forms. An error, not an empty page,
# answers a token of another backend, another transaction or another signer. The clock does not step back to the same
# microsecond within one backend; the token rests on that.
KEY = """
CREATE SCHEMA IF NOT EXISTS wall AUTHORIZATION {guard};
REVOKE ALL ON SCHEMA wall FROM PUBLIC;
GRANT USAGE ON SCHEMA wall TO PUBLIC;  -- names resolve, nothing opens; a right of the owner's own would go with DROP OWNED
CREATE TABLE IF NOT EXISTS wall.signing_key (id text PRIMARY KEY, ipad bytea NOT NULL, opad bytea NOT NULL);
ALTER TABLE wall.signing_key OWNER TO {guard};
REVOKE ALL ON wall.signing_key FROM PUBLIC;
INSERT INTO wall.signing_key VALUES ('{key_id}', '\\x{ipad}', '\\x{opad}') ON CONFLICT (id) DO NOTHING;
CREATE OR REPLACE FUNCTION wall.current_subject() RETURNS uuid LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE token text := current_setting('wall.token', true);
        part text[];
        key record;
BEGIN  -- key id . subject . backend . start of the transaction . signature
  IF token IS NULL OR token = '' THEN RETURN NULL; END IF;
  part := string_to_array(token, '.');
  SELECT ipad, opad INTO key FROM wall.signing_key WHERE id = part[1];
  IF key.ipad IS NULL
     OR part[3] IS DISTINCT FROM pg_backend_pid()::text
     OR part[4] IS DISTINCT FROM (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint::text
     OR encode(sha256(key.opad || sha256(key.ipad || convert_to(array_to_string(part[1:4], '.'), 'UTF8'))), 'hex')
        IS DISTINCT FROM part[5]
  THEN RAISE EXCEPTION 'wall: bad token' USING ERRCODE = '28000'; END IF;
  RETURN part[2]::uuid;
END $$;
ALTER FUNCTION wall.current_subject() OWNER TO {guard};
REVOKE ALL ON FUNCTION wall.current_subject() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wall.current_subject() TO {customer};
"""


def foundation(*, database: str, owner: str, roles: Mapping[Login, str], key: bytes, log_kept_years: int) -> str:
    """SQL for a superuser connected to ``database``. It holds the signing key: pipe it, keep it nowhere."""
    names = {
        "database": quoted(database),
        "owner": quoted(owner),
        "guard": GUARD,
        "logins": ", ".join(quoted(roles[login]) for login in roles),
        "customer": quoted(roles[Login.CUSTOMER]),
        "gate": quoted(roles[Login.GATE]),
        "key_id": key_id(key),
        "ipad": padded(key, 0x36),
        "opad": padded(key, 0x5C),
    }
    log = keeping_sql(
        guard=GUARD, owner=names["owner"], worker=quoted(roles[Login.WORKER]), logins=names["logins"], kept_years=log_kept_years
    )
    return "".join(part.format(**names) for part in (ROLES, DATABASE, NEIGHBORS, KEY)) + log


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def padded(key: bytes, pad: int) -> str:
    return bytes(byte ^ pad for byte in key).hex()


def key_id(key: bytes) -> str:
    """Names a signing key without telling it, so that the database can hold two while one replaces the other."""
    return sha256(b"wall" + key).hexdigest()[:16]
