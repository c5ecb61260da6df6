"""The laws of the Publications port."""

from dataclasses import replace

from vigie.report.publication import Impact, Letter, LetterKind, Post, PostKind, Stage, Subscriber, SubscriberKind, Update
from vigie.testing.store_suite.records import NOW, Law, Opener, opened

_POST = Post(
    "p1",
    "public",
    PostKind.INCIDENT,
    "Checkout – échec",
    ("shop",),
    Impact.DOWN,
    NOW,
    (Update(1, NOW, Stage.INVESTIGATING, "soon", "ann"),),
)
_ANN = Subscriber("s1", "public", SubscriberKind.MAIL, "ann@example.com", NOW)
_LETTER = Letter("public", "s1", LetterKind.UPDATE, NOW, "p1", 1)


async def posts_are_kept_newest_first(opener: Opener) -> None:
    """Over a restart, of one page; replaced by id, and gone once they are deleted."""
    later = replace(_POST, id="p2", start=NOW + 1)
    more = replace(_POST, updates=(*_POST.updates, Update(2, NOW + 5, Stage.RESOLVED, "over")), until=NOW + 4)
    async with opened(opener) as store:
        for one in (_POST, later, replace(_POST, page="other"), more):
            await store.catalog.publications.save_post(one)
    async with opened(opener) as store:
        assert await store.catalog.publications.posts("public") == [later, more]
        await store.catalog.publications.delete_post("public", "p2")
        await store.catalog.publications.delete_post("public", "p9")
        assert await store.catalog.publications.posts("public") == [more]
        assert len(await store.catalog.publications.posts("other")) == 1


async def an_address_follows_a_page_once(opener: Opener) -> None:
    """A newer row takes the place of the older one with its letters; who never confirms is forgotten."""
    async with opened(opener) as store:
        known = store.catalog.publications
        await known.save_subscriber(_ANN, [_LETTER])
        await known.save_subscriber(replace(_ANN, id="s2", created_at=NOW + 1))
        await known.save_subscriber(replace(_ANN, id="s3", page="other"))
        assert await known.claim_letters(NOW, 10, 10) == []
    async with opened(opener) as store:
        known = store.catalog.publications
        assert [one.id for one in await known.subscribers("public")] == ["s2"]
        assert await known.subscriber("s1") is None
        confirmed = replace(_ANN, id="s2", confirmed_at=NOW + 2)
        await known.save_subscriber(confirmed)
        assert await known.subscriber("s2") == confirmed
        await known.forget_unconfirmed(NOW + 1)
        assert await known.subscriber("s3") is None
        assert await known.subscriber("s2") == confirmed
        await known.remove_subscriber("s2")
        await known.remove_subscriber("s2")
        assert await known.subscribers("public") == []


async def letters_wait_until_they_are_settled(opener: Opener) -> None:
    """With what queued them, over a restart; held by who claimed them until the lease ends, and counted when they are tried again."""
    async with opened(opener) as store:
        await store.catalog.publications.save_subscriber(_ANN)
        await store.catalog.publications.save_post(_POST, [_LETTER, replace(_LETTER, at=NOW + 5)])
    async with opened(opener) as store:
        known = store.catalog.publications
        assert await known.next_letter() == NOW
        (first,) = await known.claim_letters(NOW, 100, 10)
        assert replace(first, number=0) == _LETTER
        assert await known.claim_letters(NOW, 100, 10) == []
        assert len(await known.claim_letters(NOW + 5, 100, 10)) == 1
        assert [one.number for one in await known.claim_letters(NOW + 100, 100, 10)] == [first.number]
        await known.settle_letter(first, NOW + 500)
        (again,) = [one for one in await known.claim_letters(NOW + 500, 100, 10) if one.number == first.number]
        assert again.attempts == 1
        await known.settle_letter(again)
        await known.settle_letter(again)
        await known.remove_subscriber("s1")
        assert await known.next_letter() is None


PUBLICATION_LAWS: dict[str, Law] = {
    law.__name__: law for law in (posts_are_kept_newest_first, an_address_follows_a_page_once, letters_wait_until_they_are_settled)
}
