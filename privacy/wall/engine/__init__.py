"""Django's PostgreSQL backend with several logins behind one alias: ``ENGINE = "privacy.wall.engine"`` (PROTECT-2)."""
