"""The messages about what runs out: certificates and domains. `report.expiries` fills them."""

from vigie.core.model import ExpiryKind
from vigie.core.notification import NoticeReason
from vigie.text import Pair, Plural

HEADLINES: dict[NoticeReason, Pair] = {
    NoticeReason.EXPIRING: ("🟠 {name} : {what} expire dans {days}", "🟠 {name}: {what} expires in {days}"),
    NoticeReason.RENEWED: ("🟢 {name} : {what} renouvelé", "🟢 {name}: {what} renewed"),
    NoticeReason.UNDELIVERABLE: (
        "⚠️ {name} : une notification n'a pas pu être envoyée ({what} expire dans {days})",
        "⚠️ {name}: a notice could not be delivered ({what} expires in {days})",
    ),
}
# What a first line calls it.
SHORT: dict[ExpiryKind, Pair] = {
    ExpiryKind.CERTIFICATE: ("le certificat", "certificate"),
    ExpiryKind.AUTHORITY: ("le certificat intermédiaire {name}", "intermediate certificate {name}"),
    ExpiryKind.DOMAIN: ("le domaine {name}", "domain {name}"),
}
EXPIRES: dict[ExpiryKind, Pair] = {
    ExpiryKind.CERTIFICATE: (
        "Le certificat de « {name} » expire dans {days}, le {date}.",
        "The certificate for “{name}” expires in {days}, on {date}.",
    ),
    ExpiryKind.AUTHORITY: (
        "« {name} », un certificat de la chaîne au-dessus de celui du serveur, expire dans {days}, le {date}.",
        "“{name}”, a certificate of the chain above the server's own, expires in {days}, on {date}.",
    ),
    ExpiryKind.DOMAIN: (
        "L'enregistrement du domaine {name} expire dans {days}, le {date}.",
        "The registration of the domain {name} expires in {days}, on {date}.",
    ),
}
AFTER: dict[ExpiryKind, Pair] = {
    ExpiryKind.CERTIFICATE: (
        "À cette date, navigateurs et clients refuseront la connexion.",
        "From then on, browsers and clients will refuse the connection.",
    ),
    ExpiryKind.AUTHORITY: (
        "À cette date, navigateurs et clients refuseront la connexion, même si le certificat du serveur est encore valable.",
        "From then on, browsers and clients will refuse the connection, even though the server's own certificate is still valid.",
    ),
    ExpiryKind.DOMAIN: (
        "À cette date, le domaine peut cesser de fonctionner, site et courrier compris.",
        "From then on, the domain may stop working, website and email included.",
    ),
}
STEPS: dict[ExpiryKind, Pair] = {
    ExpiryKind.CERTIFICATE: (
        "À faire d'abord : renouveler le certificat, puis vérifier que le serveur l'a rechargé.",
        "First step: renew the certificate, then make sure that the server has reloaded it.",
    ),
    ExpiryKind.AUTHORITY: (
        "À faire d'abord : installer la chaîne actuelle de l'autorité, ou renouveler le certificat pour qu'il soit signé par la nouvelle.",
        "First step: install the authority's current chain, or renew the certificate so that the new one signs it.",
    ),
    ExpiryKind.DOMAIN: ("À faire d'abord : renouveler l'enregistrement.", "First step: renew the registration."),
}
RENEWED: dict[ExpiryKind, Pair] = {
    ExpiryKind.CERTIFICATE: (
        "Le certificat de « {name} » est renouvelé : le nouveau est valable jusqu'au {date}.",
        "The certificate for “{name}” was renewed: the new one is valid until {date}.",
    ),
    ExpiryKind.AUTHORITY: (
        "« {name} » n'est plus le certificat qui expire le premier : la chaîne est valable jusqu'au {date}.",
        "“{name}” is no longer the certificate that expires first: the chain is valid until {date}.",
    ),
    ExpiryKind.DOMAIN: (
        "L'enregistrement du domaine {name} est renouvelé jusqu'au {date}.",
        "The registration of the domain {name} was renewed until {date}.",
    ),
}
LABELS: dict[str, Pair] = {
    "where": ("Servi par {of} ({target}).", "Served by {of} ({target})."),
    "others": ("Services concernés : {names}.", "Services concerned: {names}."),
    "undeliverable": (
        "Un autre canal n'a pas pu envoyer cette notification ; le journal de Vigie dit pourquoi.",
        "Another channel could not deliver this notice; Vigie's log says why.",
    ),
    "footer": ("Vigie · {thread}", "Vigie · {thread}"),
    "gone": ("L'échéance n'est plus connue de Vigie.", "Vigie no longer knows the date."),
}
MORE: Plural = (("et {count} autre", "et {count} autres"), ("and {count} more", "and {count} more"))
