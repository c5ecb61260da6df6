"""The laws of the Catalog port."""

from dataclasses import replace

from vigie.planning.maintenance import StartedMaintenance
from vigie.ports import Commit, StoredDefinition, StoredReview
from vigie.report.history import Remark
from vigie.report.pace import Speed
from vigie.report.scores import Scores, Share
from vigie.testing.store_suite.records import NOW, Law, Opener, opened

_SAID = [
    Remark("shop-1", 10, "ann", helpful=True),
    Remark("shop-1", 20, "bob", cause="behind_proxy", note="the pool was full – é"),
    Remark("shop-2", 30, "ann", helpful=False),
]


async def remarks_are_kept_in_order(opener: Opener) -> None:
    """Over a restart, of the incidents that are asked for."""
    async with opened(opener) as store:
        for one in _SAID:
            await store.catalog.save_remark(one)
    async with opened(opener) as store:
        assert await store.catalog.remarks(["shop-1"]) == _SAID[:2]
        assert await store.catalog.remarks(["shop-2", "shop-1", "gone-9"]) == _SAID
        assert await store.catalog.remarks([]) == []


async def reviews_are_kept_by_their_number(opener: Opener) -> None:
    """Over a restart; of two people who write the same version, one learns that the other was faster."""
    first = StoredReview("shop-1", 1, NOW, "ann", "# What happened\n\nThe pool was full – é")
    async with opened(opener) as store:
        assert await store.catalog.review("shop-1") is None
        assert not await store.catalog.save_review(replace(first, version=2))
        assert await store.catalog.save_review(first)
        assert not await store.catalog.save_review(replace(first, by="bob", text="mine"))
        assert await store.catalog.save_review(replace(first, alert="api-1"))
    async with opened(opener) as store:
        assert await store.catalog.review("shop-1") == first
        assert await store.catalog.save_review(second := replace(first, version=2, by="bob", text="better"))
        assert await store.catalog.review("shop-1") == second
        assert await store.catalog.review("gone-9") is None


async def what_a_person_began_is_kept_until_it_is_over(opener: Opener) -> None:
    """Over a restart; ended early it ends then, and what is over stays as it was."""
    begun = StartedMaintenance(0, NOW, NOW + 100, ("shop",), ("eu",), "new disk – é", "ann")
    async with opened(opener) as store:
        assert await store.catalog.maintenance(0) == []
        first, second = [await store.catalog.start_maintenance(one) for one in (begun, replace(begun, end=NOW + 9))]
        assert first != second
    async with opened(opener) as store:
        assert await store.catalog.maintenance(NOW) == [replace(begun, number=first), replace(begun, number=second, end=NOW + 9)]
        assert [one.number for one in await store.catalog.maintenance(NOW + 10)] == [first]
        for number, at in ((first, NOW + 50), (first, NOW + 60), (second, NOW + 20), (99, NOW)):
            await store.catalog.end_maintenance(number, at)
        assert [(one.number, one.end) for one in await store.catalog.maintenance(0)] == [(first, NOW + 50), (second, NOW + 9)]
        await store.catalog.end_maintenance(second, NOW - 5)
        assert (await store.catalog.maintenance(0))[1].end == NOW


async def definitions_are_kept_in_the_order_in_which_they_were_made(opener: Opener) -> None:
    """Over a restart; one that is replaced keeps its place, and one id may be that of a monitor and of a status page."""
    shop = StoredDefinition("monitor", "shop", '{"url": "https://user:pässword@shop.test/"}', 1, "ann", NOW, trusted=True)
    api, page = replace(shop, id="api", trusted=False), replace(shop, kind="status_page")
    async with opened(opener) as store:
        assert await store.catalog.definitions() == []
        await store.ledger.commit(Commit(definitions=(shop, api)))
        await store.ledger.commit(Commit(definitions=(page,)))
    async with opened(opener) as store:
        assert await store.catalog.definitions() == [shop, api, page]
        changed = replace(shop, body="{}", version=2, by="bob", at=NOW + 1)
        await store.ledger.commit(Commit(definitions=(changed,), undefined=(("monitor", "api"), ("monitor", "gone"))))
        assert await store.catalog.definitions() == [changed, page]
    assert "pässword" not in repr(shop)


async def maintenance_is_changed_under_its_number(opener: Opener) -> None:
    """Its end and its reason; what has another number stays, and what nobody began is not made."""
    begun = StartedMaintenance(0, NOW, NOW + 100, ("shop",), (), "work", "ann")
    async with opened(opener) as store:
        first, second = [await store.catalog.start_maintenance(one) for one in (begun, begun)]
        changed = replace(begun, number=first, end=NOW + 200, why="more work")
        await store.catalog.change_maintenance(changed)
        await store.catalog.change_maintenance(replace(begun, number=99))
    async with opened(opener) as store:
        assert await store.catalog.maintenance(0) == [changed, replace(begun, number=second)]


async def scores_are_listed_newest_first(opener: Opener) -> None:
    """Of the model that is asked for."""
    first = Scores("llama3", "compose", "en", NOW, "d1", {"valid": Share(9, 10)}, {"number": 1}, {"total": 12.5, "load": None}, None)
    async with opened(opener) as store:
        for one in (first, replace(first, at=NOW + 1), replace(first, model="other")):
            await store.catalog.save_scores(one)
    async with opened(opener) as store:
        assert [one.at for one in await store.catalog.scores(first.model)] == [NOW + 1, NOW]
        assert await store.catalog.scores("none") == []


async def the_newest_speed_of_a_model_is_kept(opener: Opener) -> None:
    """Over a restart: `once` is a fresh process each time."""
    async with opened(opener) as store:
        assert await store.catalog.speed("llama3") is None
        for speed in (Speed(90.5, 8.25, NOW), Speed(100.0, 9.0, NOW + 1)):
            await store.catalog.save_speed("llama3", speed)
        await store.catalog.save_speed("other", Speed(1.0, 1.0, NOW))
    async with opened(opener) as store:
        assert await store.catalog.speed("llama3") == Speed(100.0, 9.0, NOW + 1)


CATALOG_LAWS: dict[str, Law] = {
    law.__name__: law
    for law in (
        remarks_are_kept_in_order,
        reviews_are_kept_by_their_number,
        what_a_person_began_is_kept_until_it_is_over,
        definitions_are_kept_in_the_order_in_which_they_were_made,
        scores_are_listed_newest_first,
        the_newest_speed_of_a_model_is_kept,
    )
}
