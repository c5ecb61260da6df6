"""What was made by a page or the API, for whoever reads the configuration, which must neither make nor change a database."""

from pathlib import Path

import apsw

from vigie.ports import StoredDefinition
from vigie.stores.kit.sql.defined import SQL, row
from vigie.stores.sqlite.db import BUSY_MS, fail

_SINCE = 20  # the migration that made the table


def read_file(path: Path) -> list[StoredDefinition]:
    """Those of a database that is left as it is; none where there is no database yet, or it is of an earlier version.

    Raises StoreError.
    """
    try:
        if not path.exists():
            return []
    except OSError as error:
        fail(error, path, 0)
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            connection.set_busy_timeout(BUSY_MS)
            ((version,),) = connection.execute("PRAGMA user_version")
            return [row(*one) for one in connection.execute(SQL)] if version >= _SINCE else []
        finally:
            connection.close()
    except apsw.Error as error:
        fail(error, path, int(getattr(error, "extendedresult", 0) or 0))
