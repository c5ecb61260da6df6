"""The laws that every store keeps, one suite a port.

Each law takes an opener: called again after `close`, it opens the same data once more.

@pytest.mark.parametrize("law", LAWS)
async def test_the_store_keeps_the_law(law, tmp_path):
    await LAWS[law](lambda: SqliteStore(tmp_path / "vigie.db"))
"""

from vigie.testing.store_suite.accounts import ACCOUNTS_LAWS
from vigie.testing.store_suite.archive import ARCHIVE_LAWS
from vigie.testing.store_suite.catalog import CATALOG_LAWS
from vigie.testing.store_suite.fleet import FLEET_LAWS
from vigie.testing.store_suite.history import HISTORY_LAWS
from vigie.testing.store_suite.inbox import INBOX_LAWS
from vigie.testing.store_suite.ledger import LEDGER_LAWS
from vigie.testing.store_suite.publications import PUBLICATION_LAWS
from vigie.testing.store_suite.records import Law, Opener

__all__ = [
    "ACCOUNTS_LAWS",
    "ARCHIVE_LAWS",
    "CATALOG_LAWS",
    "FLEET_LAWS",
    "HISTORY_LAWS",
    "INBOX_LAWS",
    "LAWS",
    "LEDGER_LAWS",
    "PUBLICATION_LAWS",
    "Law",
    "Opener",
]

LAWS: dict[str, Law] = {
    **LEDGER_LAWS,
    **ARCHIVE_LAWS,
    **HISTORY_LAWS,
    **INBOX_LAWS,
    **CATALOG_LAWS,
    **ACCOUNTS_LAWS,
    **PUBLICATION_LAWS,
    **FLEET_LAWS,
}
