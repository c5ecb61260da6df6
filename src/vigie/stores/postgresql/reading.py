"""What was made by a page or the API, for whoever reads the configuration, which must neither make nor change a database."""

from vigie.ports import StoredDefinition
from vigie.stores.kit.sql.defined import SQL, row
from vigie.stores.postgresql import Config
from vigie.stores.postgresql.db import PgDb
from vigie.stores.postgresql.migrate import known_version, newest


def read(config: Config) -> list[StoredDefinition]:
    """Those of a database that is left as it is; none where there are no tables yet. Raises StoreError."""
    db = PgDb(config)
    try:
        return [row(*one) for one in db.fetch(SQL)] if known_version(db, config, newest()) else []
    finally:
        db.close()
