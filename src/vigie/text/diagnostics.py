"""The sentences of facts that the diagnostics bring: addresses, resolvers, a second request, other monitors. Collectors fill them."""

from vigie.text import Pair, Plural

# Addresses
ADDRESS: Pair = ("L'adresse {address}, port {port}, {state}.", "The address {address}, port {port}, {state}.")
ACCEPTS: Pair = ("accepte la connexion en {took}", "accepts the connection in {took}")
REFUSES: Pair = ("refuse la connexion", "refuses the connection")
SILENT: Pair = ("ne répond pas en {took}", "does not answer within {took}")
UNREACHABLE: Pair = ("est injoignable", "is unreachable")
ONE_FAMILY: Pair = (
    "Aucune adresse {broken} n'accepte la connexion, toutes les adresses {fine} l'acceptent.",
    "No {broken} address accepts the connection, every {fine} address does.",
)

# Vigie's own link
LINK_FAULT: Pair = ("La connexion réseau de Vigie elle-même est en défaut.", "Vigie's own network link is at fault.")
LINK_FINE: Pair = ("La connexion réseau de Vigie fonctionne.", "Vigie's own network link works.")
LINK_ROUTE: Pair = ("La machine de Vigie a une route vers l'extérieur.", "Vigie's own machine has a route to the outside.")
RESOLVER_FAULT: Pair = (
    "Le résolveur de Vigie est en défaut : les cibles de contrôle répondent par adresse, pas par nom.",
    "Vigie's own resolver is at fault: control targets answer by address, not by name.",
)

# Names
SYSTEM_RESOLVER: Pair = ("Le résolveur du système", "The system resolver")
SECOND_RESOLVER: Pair = ("Le second résolveur", "The second resolver")
RESOLVES: Pair = ("{resolver} donne {addresses} pour {host}.", "{resolver} returns {addresses} for {host}.")
RESOLVES_NOT: Pair = ("{resolver} ne donne aucune adresse pour {host} ({cause}).", "{resolver} returns no address for {host} ({cause}).")
ZONE_ALL: Plural = (
    (
        "Le serveur interrogé de la zone {zone} donne une adresse.",
        "Les {count} serveurs interrogés de la zone {zone} donnent une adresse.",
    ),
    (
        "The queried server of the zone {zone} returns an address.",
        "The {count} queried servers of the zone {zone} return an address.",
    ),
)
ZONE_NONE: Plural = (
    (
        "Le serveur interrogé de la zone {zone} ne donne aucune adresse ({cause}).",
        "Aucun des {count} serveurs interrogés de la zone {zone} ne donne d'adresse ({cause}).",
    ),
    (
        "The queried server of the zone {zone} returns no address ({cause}).",
        "None of the {count} queried servers of the zone {zone} returns an address ({cause}).",
    ),
)
ZONE_SOME: Pair = (
    "Serveurs interrogés de la zone {zone} qui donnent une adresse : {good} sur {count} ({cause}).",
    "Queried servers of the zone {zone} that return an address: {good} of {count} ({cause}).",
)
DNS_SAME: Pair = (
    "La réponse DNS n'a pas changé depuis le dernier contrôle réussi.",
    "The DNS response has not changed since the last successful check.",
)
DNS_CHANGED: Pair = (
    "Au dernier contrôle réussi, la réponse DNS était {old}.",
    "At the last successful check, the DNS response was {old}.",
)

# A second request
GET_STATUS: Pair = (
    "Une seconde requête, en HTTP/1.1, reçoit le statut HTTP {status} en {took}.",
    "A second request, over HTTP/1.1, gets HTTP status {status} in {took}.",
)
GET_LATE: Pair = (
    "Une seconde requête, en HTTP/1.1, ne reçoit aucune réponse en {took}.",
    "A second request, over HTTP/1.1, gets no response within {took}.",
)
GET_NOTHING: Pair = ("Une seconde requête, en HTTP/1.1, ne reçoit aucune réponse.", "A second request, over HTTP/1.1, gets no response.")
HEAD_STATUS: Pair = ("La même requête en HEAD reçoit le statut HTTP {status}.", "The same request as HEAD gets HTTP status {status}.")

# Certificates
HANDSHAKE_FINE: Pair = ("Une seconde négociation TLS aboutit.", "A second TLS handshake succeeds.")
HANDSHAKE_LATE: Pair = ("Une seconde négociation TLS n'aboutit pas à temps.", "A second TLS handshake does not finish in time.")
HANDSHAKE_FAILS: Pair = ("Une seconde négociation TLS échoue aussi.", "A second TLS handshake fails as well.")
WITHOUT_NAME: Pair = (
    "Sans nom de serveur (SNI), la négociation TLS aboutit.",
    "Without a server name (SNI), the TLS handshake succeeds.",
)

# The network path
PATH_UP_TO: Pair = ("Le chemin réseau répond jusqu'au saut {hop} ({address}).", "The network path answers up to hop {hop} ({address}).")
PATH_WHOLE: Pair = ("Le chemin réseau mène à l'hôte en {hops}.", "The network path reaches the host in {hops}.")

# Other monitors that share something with the one that failed.
TIES: dict[str, Pair] = {
    "host": ("sur cet hôte", "on this host"),
    "address": ("à cette adresse", "at this address"),
    "certificate": ("avec ce certificat", "with this certificate"),
    "network": ("de ce réseau", "on this network"),
    "tag": ("de même étiquette", "with the same tag"),
}
SIBLINGS_UP: Plural = (
    ("L'autre service surveillé {tie} fonctionne.", "Les {count} autres services surveillés {tie} fonctionnent."),
    ("The other monitor {tie} is up.", "The {count} other monitors {tie} are up."),
)
SIBLINGS_DOWN: Plural = (
    ("L'autre service surveillé {tie} est en panne.", "Les {count} autres services surveillés {tie} sont en panne."),
    ("The other monitor {tie} is down.", "The {count} other monitors {tie} are down."),
)
SIBLINGS_NOT_DOWN: Plural = (
    ("L'autre service surveillé {tie} n'est pas en panne.", "Aucun des {count} autres services surveillés {tie} n'est en panne."),
    ("The other monitor {tie} is not down.", "None of the {count} other monitors {tie} is down."),
)
SIBLINGS_SOME_DOWN: Plural = (  # by how many are down
    (
        "Sur les {count} autres services surveillés {tie}, {down} est en panne.",
        "Sur les {count} autres services surveillés {tie}, {down} sont en panne.",
    ),
    ("Of the {count} other monitors {tie}, {down} is down.", "Of the {count} other monitors {tie}, {down} are down."),
)
