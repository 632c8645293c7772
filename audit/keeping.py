"""Keeps USE-3: the log's tables belong to a role that nobody signs in as; what it does for others is here, and nothing else.

Plain SQL that a superuser lays with the wall (`privacy.wall.foundation`). The functions run as the guard. An upgrade
that changes the log's tables needs a superuser first, who opens the log: see `OPEN`.
"""

from audit.events import Event
from audit.record import COLUMNS, UNKNOWN

# Whoever owns a schema may drop every table in it, and the owner of a database owns its public schema unless somebody
# else does. Its rights go to "whoever owns the database": one given by name would go with DROP OWNED.
OWNERSHIP = """
ALTER ROLE {guard} INHERIT;
GRANT {owner} TO {guard};  -- to take over what the owner makes; nobody is a member of the guard
ALTER SCHEMA public OWNER TO {guard};
GRANT USAGE, CREATE ON SCHEMA public TO pg_database_owner;
GRANT USAGE ON SCHEMA public TO {logins};
CREATE OR REPLACE FUNCTION wall.keep_log() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE name text;
BEGIN
  FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname LIKE 'audit\\_%'
    AND relkind IN ('r', 'p') AND relowner <> '{guard}'::regrole ORDER BY relname
  LOOP
    EXECUTE format('ALTER TABLE public.%I OWNER TO {guard}', name);
    EXECUTE format('REVOKE ALL ON public.%I FROM %I', name, {owner_text});
    IF name = 'audit_entry' THEN
      GRANT SELECT, INSERT ({columns}) ON public.audit_entry TO {owner};
      GRANT INSERT (at) ON public.audit_entry TO {owner} WITH GRANT OPTION;  -- to tell the demo's past
    ELSIF name = 'audit_retirement' THEN
      GRANT SELECT ON public.audit_retirement TO {owner};
    ELSIF name !~ '^audit_entry_' THEN
      EXECUTE format('GRANT SELECT, INSERT ON public.%I TO %I', name, {owner_text});
    ELSE
      EXECUTE format('GRANT SELECT ON public.%I TO {worker}', name);  -- a backup reads month by month
    END IF;
  END LOOP;
  ALTER FUNCTION public.audit_refuse_change() OWNER TO {guard};
END $$;
"""

# The months: bounds are those of UUIDv7, so that the key stays the id alone. A month that is over is closed by a check
# that every new row fails and no old one is asked for; ids of a month that nobody made fit nowhere.
MONTHS = """
CREATE OR REPLACE FUNCTION wall.first_id(moment timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN rpad(lpad(to_hex(floor(extract(epoch FROM moment) * 1000)::bigint), 12, '0'), 32, '0')::uuid;
CREATE OR REPLACE FUNCTION wall.moment_of(id uuid) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_timestamp(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0);
CREATE OR REPLACE FUNCTION wall.log_months() RETURNS TABLE (name text, first_id uuid, end_id uuid, is_closed boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT relname::text, bound[1]::uuid, bound[2]::uuid,
         EXISTS (SELECT FROM pg_constraint WHERE conrelid = child.oid AND conname = 'closed')
  FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid,
       regexp_match(pg_get_expr(relpartbound, child.oid), $re$FROM \\('([^']+)'\\) TO \\('([^']+)'\\)$re$) bound
  WHERE inhparent = to_regclass('public.audit_entry') ORDER BY bound[1]
$$;
CREATE OR REPLACE FUNCTION wall.make_log_months() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
DECLARE month record;
        starts timestamp;
        reached uuid;
        made integer := 0;
BEGIN
  PERFORM pg_advisory_xact_lock({lock});
  SELECT end_id INTO reached FROM wall.log_months() ORDER BY end_id DESC LIMIT 1;
  FOR ahead IN 0..{ahead} LOOP
    starts := date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') + make_interval(months => ahead);
    SELECT 'audit_entry_' || to_char(starts, 'YYYY_MM') AS name, wall.first_id(starts AT TIME ZONE 'UTC') AS first_id,
           wall.first_id((starts + interval '1 month') AT TIME ZONE 'UTC') AS end_id INTO month;
    CONTINUE WHEN month.end_id <= reached;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.audit_entry INCLUDING ALL)', month.name);
    EXECUTE format('ALTER TABLE public.%I OWNER TO {guard}', month.name);
    EXECUTE format('GRANT SELECT ON public.%I TO {worker}', month.name);
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.%I'
                   ' FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuse_change()', month.name);
    EXECUTE format('ALTER TABLE public.%I ENABLE ALWAYS TRIGGER append_only', month.name);
    -- Attached, not made in place: that way no writer waits.
    EXECUTE format('ALTER TABLE public.audit_entry ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                   month.name, month.first_id, month.end_id);
    made := made + 1;
  END LOOP;
  FOR month IN SELECT * FROM wall.log_months() LOOP
    EXECUTE format('GRANT SELECT ON public.%I TO {worker}', month.name);  -- for dumps, which read each month by its name
  END LOOP;
  FOR month IN SELECT * FROM wall.log_months() WHERE NOT is_closed AND wall.moment_of(end_id) < clock_timestamp() - interval '1 day' LOOP
    EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT closed CHECK (false) NOT VALID', month.name);
  END LOOP;
  RETURN made;
END $$;
"""

# A month leaves whole or not at all. The lifetime stands in this text: nobody but a superuser shortens it.
RETIREMENT = """
CREATE OR REPLACE FUNCTION wall.retire_log_month(retirement uuid, wanted text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
DECLARE month record;
        found record;
BEGIN
  PERFORM pg_advisory_xact_lock({lock});
  SELECT * INTO month FROM wall.log_months() WHERE name = wanted;
  IF month IS NULL THEN RAISE EXCEPTION 'the log has no month %', wanted USING ERRCODE = 'undefined_table'; END IF;
  IF wall.moment_of(month.end_id) > clock_timestamp() - interval '{kept_years} years' OR NOT month.is_closed THEN
    RAISE EXCEPTION '% has not been kept for as long as the log is', wanted USING ERRCODE = 'insufficient_privilege';
  END IF;
  EXECUTE format('SELECT count(*) AS entries, count(index) AS leaves, min(index) AS first_index, max(index) AS last_index,'
                 ' max(at) AS latest FROM public.%I AS entry LEFT JOIN public.audit_leaf ON entry_id = entry.id', wanted) INTO found;
  IF found.leaves < found.entries THEN
    RAISE EXCEPTION '% has entries outside the tree', wanted USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  IF found.latest > wall.moment_of(month.end_id) + interval '1 day' THEN
    RAISE EXCEPTION '% has entries of a later time', wanted USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  IF (SELECT result = 'ok' AND finished_at > clock_timestamp() - interval '1 day' FROM public.audit_verification
      ORDER BY finished_at DESC LIMIT 1) IS NOT TRUE THEN
    RAISE EXCEPTION 'the log was not verified within a day' USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  INSERT INTO public.audit_retirement (id, first_id, end_id, entries, first_index, last_index)
  VALUES (retirement, month.first_id, month.end_id, found.entries, found.first_index, found.last_index);
  EXECUTE format('ALTER TABLE public.audit_entry DETACH PARTITION public.%I', wanted);
  EXECUTE format('DROP TABLE public.%I', wanted);
END $$;
"""

# The floor under the application: at the end of a transaction, was each change of a personal row recorded by somebody?
# A trigger that waits until then sees entries written after the change. The bounds on id and moment leave one or two
# months to look into; what the demo dates back is found by the second look.
FLOOR = """
CREATE TABLE IF NOT EXISTS wall.unattributed (entry_id uuid PRIMARY KEY);  -- until somebody has been told
ALTER TABLE wall.unattributed OWNER TO {guard};
REVOKE ALL ON wall.unattributed FROM PUBLIC;
GRANT SELECT, DELETE ON wall.unattributed TO {worker};
CREATE OR REPLACE FUNCTION wall.attribute_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE person uuid;
        entry uuid;
        recent uuid := wall.first_id(transaction_timestamp() - interval '1 hour');
BEGIN
  FOREACH person IN ARRAY CASE TG_OP WHEN 'INSERT' THEN ARRAY[NEW.subject_id] WHEN 'DELETE' THEN ARRAY[OLD.subject_id]
    ELSE CASE WHEN OLD.subject_id = NEW.subject_id THEN ARRAY[NEW.subject_id] ELSE ARRAY[OLD.subject_id, NEW.subject_id] END END
  LOOP
    CONTINUE WHEN EXISTS (
      SELECT FROM public.audit_entry WHERE subject_id = person AND at >= transaction_timestamp() AND id >= recent
      AND transaction = pg_current_xact_id() AND event <> '{unattributed}');
    CONTINUE WHEN EXISTS (
      SELECT FROM public.audit_entry WHERE transaction = pg_current_xact_id() AND id >= recent AND subject_id = person
      AND (event <> '{unattributed}' OR object_label = TG_ARGV[0] AND outcome = lower(TG_OP)));
    entry := overlay(overlay(gen_random_uuid()::text PLACING left(wall.first_id(clock_timestamp())::text, 13) FROM 1)
                     PLACING '7' FROM 15)::uuid;
    INSERT INTO public.audit_entry
      (id, event, actor_role, actor_name, subject_id, object_label, object_id, case_label, purpose, categories, fields, outcome)
    VALUES (entry, '{unattributed}', '{unknown}', '', person, TG_ARGV[0], CASE TG_OP WHEN 'DELETE' THEN OLD.id ELSE NEW.id END, '', '',
            string_to_array(TG_ARGV[1], ','), ARRAY[]::text[], lower(TG_OP));
    INSERT INTO wall.unattributed VALUES (entry);
  END LOOP;
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION wall.refuse_truncate() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION '% is about people: its rows go one by one', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
ALTER FUNCTION wall.refuse_truncate() OWNER TO {guard};
"""

RIGHTS = """
ALTER FUNCTION {name} OWNER TO {guard};
REVOKE ALL ON FUNCTION {name} FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {name} TO {callers};
"""

# Laid by a superuser before an upgrade that changes the log's tables; `migrate` gives them back at its end.
OPEN = """
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname LIKE 'audit\\_%'
    AND relkind IN ('r', 'p')
  LOOP
    EXECUTE format('ALTER TABLE public.%I OWNER TO %I', name, {owner_text});
  END LOOP;
  IF to_regprocedure('public.audit_refuse_change()') IS NOT NULL THEN
    ALTER FUNCTION public.audit_refuse_change() OWNER TO {owner};
  END IF;
END $$;
"""

AHEAD = 2  # months
_LOCK = 0x41554449_4D4F4E  # "AUDI" "MON": one change of the months at a time


def keeping_sql(*, guard: str, owner: str, worker: str, logins: str, kept_years: int) -> str:
    """SQL for a superuser, to lay again whenever it changes; the names are quoted."""
    names = {"guard": guard, "owner": owner, "worker": worker, "logins": logins}
    more = {
        "owner_text": _text(owner),
        "columns": ", ".join(COLUMNS),
        "lock": str(_LOCK),
        "ahead": str(AHEAD),
        "kept_years": str(kept_years),
        "unattributed": Event.DATA_CHANGED_UNATTRIBUTED.value,
        "unknown": UNKNOWN,
    }
    body = "".join(part.format(**names, **more) for part in (OWNERSHIP, MONTHS, RETIREMENT, FLOOR))
    callers = {
        "wall.keep_log()": "pg_database_owner",
        "wall.make_log_months()": f"pg_database_owner, {worker}",
        "wall.retire_log_month(uuid, text)": worker,
        "wall.attribute_change()": "pg_database_owner",
    }
    return body + "".join(RIGHTS.format(name=name, guard=guard, callers=who) for name, who in callers.items())


def opening_sql(*, owner: str) -> str:
    """SQL for a superuser: hands the log's tables to the owner, who may change them until the end of the next migration."""
    return OPEN.format(owner=owner, owner_text=_text(owner))


def _text(quoted_name: str) -> str:
    """A quoted name as a text in SQL."""
    name = quoted_name[1:-1].replace('""', '"').replace("'", "''")
    return f"'{name}'"
