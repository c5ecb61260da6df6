"""What each cause is called; the templates take a result's `figures`, never what the target wrote. `report.wording` fills them."""

from vigie.core.model import Cause
from vigie.text import Pair

# Without figures: always true of the cause.
PLAIN: dict[Cause, Pair] = {
    Cause.DNS_NXDOMAIN: ("le nom n'existe pas", "the name does not exist"),
    Cause.DNS_SERVFAIL: ("le résolveur répond SERVFAIL", "the resolver returns SERVFAIL"),
    Cause.DNS_REFUSED: ("le résolveur refuse la requête", "the resolver refuses the query"),
    Cause.DNS_TIMEOUT: ("pas de réponse DNS à temps", "no DNS response in time"),
    Cause.DNS_NO_ANSWER: ("le nom n'a pas d'adresse", "the name has no address"),
    Cause.DNS_MISMATCH: ("réponse DNS inattendue", "unexpected DNS response"),
    Cause.TCP_REFUSED: ("connexion refusée", "connection refused"),
    Cause.TCP_RESET: ("connexion réinitialisée", "connection reset"),
    Cause.TCP_UNREACHABLE: ("adresse injoignable", "address unreachable"),
    Cause.TIMEOUT_CONNECT: ("délai de connexion dépassé", "connection timed out"),
    Cause.TIMEOUT_TLS: ("délai de négociation TLS dépassé", "TLS handshake timed out"),
    Cause.TIMEOUT_FIRST_BYTE: ("pas de réponse à temps", "no response in time"),
    Cause.TIMEOUT_TOTAL: ("réponse inachevée dans le délai", "response not finished in time"),
    Cause.TLS_EXPIRED: ("certificat expiré", "certificate expired"),
    Cause.TLS_NOT_YET_VALID: ("certificat pas encore valide", "certificate not yet valid"),
    Cause.TLS_HOSTNAME: ("certificat d'un autre nom", "certificate for another name"),
    Cause.TLS_UNTRUSTED: ("certificat non reconnu", "certificate not trusted"),
    Cause.TLS_HANDSHAKE: ("échec de la négociation TLS", "TLS handshake failed"),
    Cause.TLS_EXPIRING: ("le certificat expire bientôt", "certificate expires soon"),
    Cause.TLS_WEAK: ("chiffrement obsolète", "outdated encryption"),
    Cause.HTTP_STATUS: ("statut HTTP inattendu", "unexpected HTTP status"),
    Cause.HTTP_REDIRECT: ("redirection incorrecte", "bad redirect"),
    Cause.HTTP_PROTOCOL: ("réponse HTTP mal formée", "malformed HTTP response"),
    Cause.HTTP_TRUNCATED: ("réponse tronquée", "truncated response"),
    Cause.HTTP_EMPTY_REPLY: ("connexion fermée sans réponse", "connection closed without a response"),
    Cause.HTTP_BLOCKED: ("la sonde est bloquée", "the probe is blocked"),
    Cause.CONTENT_MISSING: ("texte attendu absent", "expected text missing"),
    Cause.CONTENT_FORBIDDEN: ("texte interdit présent", "forbidden text present"),
    Cause.CONTENT_JSON: ("contenu JSON inattendu", "unexpected JSON content"),
    Cause.CONTENT_TYPE: ("type de contenu inattendu", "unexpected content type"),
    Cause.CONTENT_ERROR_PAGE: ("page d'erreur", "error page"),
    Cause.CONTENT_BLANK: ("page vide", "blank page"),
    Cause.CONTENT_TAMPERED: ("signes d'altération", "signs of tampering"),
    Cause.CONTENT_CHANGED: ("page très différente", "page very different"),
    Cause.LATENCY_THRESHOLD: ("réponse trop lente", "response too slow"),
    Cause.LATENCY_ANOMALY: ("plus lent que d'habitude", "slower than usual"),
    Cause.ICMP_LOSS: ("perte de paquets", "packet loss"),
    Cause.ICMP_TIMEOUT: ("pas de réponse au ping", "no reply to ping"),
    Cause.PROTOCOL_MISMATCH: ("réponse inattendue", "unexpected response"),
    Cause.HEARTBEAT_MISSED: ("signal manquant", "missed heartbeat"),
    Cause.HEARTBEAT_LATE: ("tâche trop longue", "job running too long"),
    Cause.HEARTBEAT_FAILED: ("tâche en échec", "job failed"),
    Cause.DOMAIN_EXPIRING: ("le domaine expire bientôt", "domain expires soon"),
    Cause.PROBE_NETWORK: ("réseau de Vigie en panne", "Vigie's own network is down"),
    Cause.PROBE_RESOLVER: ("résolveur de Vigie en panne", "Vigie's own resolver is failing"),
    Cause.PROBE_ERROR: ("erreur interne de Vigie", "internal error in Vigie"),
}

# States that carry a date or a span of their own: "expires in 6 days" needs no "since 14:02".
TIMED = frozenset({Cause.TLS_EXPIRING, Cause.TLS_EXPIRED, Cause.DOMAIN_EXPIRING, Cause.HEARTBEAT_MISSED, Cause.HEARTBEAT_LATE})

# With figures: the number that mattered. Used only when every figure is there.
DETAILED: dict[Cause, Pair] = {
    Cause.TIMEOUT_CONNECT: ("aucune connexion en {limit}", "no connection within {limit}"),
    Cause.TIMEOUT_TLS: (
        "connexion établie, mais négociation TLS inachevée après {limit}",
        "connected, but TLS handshake unfinished after {limit}",
    ),
    Cause.TIMEOUT_FIRST_BYTE: ("aucun octet reçu en {limit}", "no byte received within {limit}"),
    Cause.TIMEOUT_TOTAL: ("réponse commencée mais inachevée après {limit}", "response started but unfinished after {limit}"),
    Cause.HTTP_STATUS: ("HTTP {status} au lieu de {expected}", "HTTP {status} instead of {expected}"),
    Cause.HTTP_TRUNCATED: ("{received} octets reçus sur {announced} annoncés", "{received} of {announced} announced bytes received"),
    Cause.HTTP_REDIRECT: ("redirection refusée après {hops}", "redirect refused after {hops}"),
    Cause.CONTENT_MISSING: ("le texte « {keyword} » est absent", "the text “{keyword}” is missing"),
    Cause.CONTENT_FORBIDDEN: ("le texte « {keyword} » est présent", "the text “{keyword}” is present"),
    Cause.CONTENT_JSON: ("{path} ne vérifie pas {operator} {wanted}", "{path} does not satisfy {operator} {wanted}"),
    Cause.CONTENT_TYPE: ("type de contenu autre que {expected}", "content type other than {expected}"),
    Cause.LATENCY_THRESHOLD: ("réponse en {measured}, limite {bound}", "response in {measured}, limit {bound}"),
    Cause.LATENCY_ANOMALY: (
        "plus lent que d'habitude ({phase} : {measured} au lieu de {usual})",
        "slower than usual ({phase}: {measured} instead of {usual})",
    ),
    Cause.CONTENT_CHANGED: ("page très différente de l'habitude ({signs})", "page very different from usual ({signs})"),
    Cause.CONTENT_ERROR_PAGE: ("{page} à la place de la page", "{page} instead of the page"),
    Cause.CONTENT_TAMPERED: ("signes d'altération : {page}", "signs of tampering: {page}"),
    Cause.HTTP_BLOCKED: ("la sonde est bloquée : {page}", "the probe is blocked: {page}"),
    Cause.TLS_EXPIRING: ("le certificat expire dans {days}", "certificate expires in {days}"),
    Cause.TLS_EXPIRED: ("certificat expiré depuis {days}", "certificate expired {days} ago"),
    Cause.ICMP_LOSS: ("{loss} des pings perdus ({sent} envoyés)", "{loss} of pings lost ({sent} sent)"),
    Cause.ICMP_TIMEOUT: ("aucune réponse à {pings}", "no reply to {pings}"),
    Cause.DOMAIN_EXPIRING: ("l'enregistrement du domaine expire dans {days}", "the domain registration expires in {days}"),
    Cause.HEARTBEAT_MISSED: ("aucun signal de la tâche depuis {silent}", "no ping from the job for {silent}"),
    Cause.HEARTBEAT_LATE: (
        "la tâche, démarrée il y a {running}, n'est pas terminée (limite {longest})",
        "the job started {running} ago and has not finished (limit {longest})",
    ),
    Cause.HEARTBEAT_FAILED: ("la tâche a échoué (code de retour {exit_status})", "the job failed (exit status {exit_status})"),
}

# Of several addresses some are dead, though the service works by another: by `address`, `dead` and `addresses`, or by `family`.
SOME_DEAD: dict[Cause, Pair] = {
    Cause.TCP_REFUSED: (
        "{address} refuse la connexion ({dead} sur {addresses})",
        "{address} refuses the connection ({dead} of {addresses})",
    ),
    Cause.TIMEOUT_CONNECT: ("{address} ne répond pas ({dead} sur {addresses})", "{address} does not answer ({dead} of {addresses})"),
    Cause.TCP_UNREACHABLE: ("{address} est injoignable ({dead} sur {addresses})", "{address} is unreachable ({dead} of {addresses})"),
}
FAMILY_DEAD = ("aucune adresse {family} ne fonctionne ({address})", "no {family} address works ({address})")

# For the first line, where every character counts and the configuration's own texts have no place.
SHORT: dict[Cause, Pair] = {
    Cause.TIMEOUT_CONNECT: ("pas de connexion en {limit}", "no connection in {limit}"),
    Cause.TIMEOUT_TLS: ("TLS inachevé après {limit}", "TLS unfinished after {limit}"),
    Cause.TIMEOUT_FIRST_BYTE: ("pas de réponse en {limit}", "no response in {limit}"),
    Cause.TIMEOUT_TOTAL: ("réponse inachevée après {limit}", "response unfinished after {limit}"),
    Cause.HTTP_STATUS: ("HTTP {status}", "HTTP {status}"),
    Cause.LATENCY_THRESHOLD: ("réponse en {measured}", "response in {measured}"),
    Cause.LATENCY_ANOMALY: ("{phase} : {measured}", "{phase}: {measured}"),
    Cause.CONTENT_ERROR_PAGE: ("{page}", "{page}"),
    Cause.CONTENT_TAMPERED: ("{page}", "{page}"),
    Cause.TLS_EXPIRING: ("le certificat expire dans {days}", "certificate expires in {days}"),
    Cause.TLS_EXPIRED: ("certificat expiré depuis {days}", "certificate expired {days} ago"),
    Cause.ICMP_LOSS: ("{loss} des pings perdus", "{loss} of pings lost"),
    Cause.DOMAIN_EXPIRING: ("le domaine expire dans {days}", "domain expires in {days}"),
    Cause.HEARTBEAT_MISSED: ("aucun signal depuis {silent}", "no ping for {silent}"),
    Cause.HEARTBEAT_LATE: ("tâche en cours depuis {running}", "job still running after {running}"),
}
# A status that is good in itself says nothing alone: what was expected belongs to it.
SHORT_GOOD_STATUS = ("HTTP {status} au lieu de {expected}", "HTTP {status} instead of {expected}")

# Where a figure tells which kind of check it was, these come before the tables above: (figure, cause) to the words.
OF_KIND: dict[tuple[str, Cause], Pair] = {
    ("plugin", Cause.PROTOCOL_MISMATCH): (
        "{plugin} signale un problème (code de retour {exit_status})",
        "{plugin} reports a problem (exit status {exit_status})",
    ),
    ("console_errors", Cause.CONTENT_BLANK): (
        "la page n'affiche rien (erreurs de script : {console_errors})",
        "the page shows nothing (script errors: {console_errors})",
    ),
    ("console_errors", Cause.TIMEOUT_TOTAL): ("pas terminé en {limit}", "not finished within {limit}"),
    ("where", Cause.HTTP_REDIRECT): ("l'adresse ne contient pas « {keyword} »", "the address does not contain “{keyword}”"),
    ("plugin", Cause.TIMEOUT_TOTAL): ("{plugin} n'a pas terminé en {limit}", "{plugin} did not finish within {limit}"),
    ("weakness", Cause.TLS_HANDSHAKE): ("version de TLS que les navigateurs refusent", "TLS version that browsers refuse"),
    ("weakness", Cause.TLS_UNTRUSTED): ("certificat que les navigateurs refusent", "certificate that browsers refuse"),
    ("weakness", Cause.TLS_HOSTNAME): (
        "le certificat ne nomme pas le site (subjectAltName)",
        "the certificate does not name the host (subjectAltName)",
    ),
    ("authority", Cause.TLS_UNTRUSTED): (
        "une autorité de la chaîne a été révoquée il y a {revoked}",
        "an authority in the chain was revoked {revoked} ago",
    ),
    ("authority", Cause.TLS_EXPIRING): (
        "{authority}, une autorité de la chaîne, expire dans {days}",
        "{authority}, an authority in the chain, expires in {days}",
    ),
    ("authority", Cause.TLS_WEAK): ("une autorité de la chaîne est obsolète", "an authority in the chain is outdated"),
    ("revoked_days", Cause.TLS_UNTRUSTED): ("certificat révoqué depuis {revoked}", "certificate revoked {revoked} ago"),
    ("fingerprint", Cause.TLS_UNTRUSTED): (
        "le certificat ne correspond pas à l'empreinte épinglée",
        "the certificate does not match the pinned fingerprint",
    ),
    ("wanted", Cause.PROTOCOL_MISMATCH): ("réponse autre que « {wanted} »", "response other than “{wanted}”"),
    ("refused", Cause.PROTOCOL_MISMATCH): ("le service refuse la requête", "the service refuses the request"),
    ("foreign", Cause.PROTOCOL_MISMATCH): ("le port répond dans un autre protocole", "the port speaks another protocol"),
    ("answers", Cause.DNS_NO_ANSWER): ("le nom n'a pas d'enregistrement de ce type", "the name has no record of this type"),
    ("nonsense", Cause.DNS_SERVFAIL): ("le serveur DNS envoie une réponse invalide", "the DNS server sends an invalid response"),
    ("dnssec_fault", Cause.DNS_MISMATCH): ("signature DNSSEC absente ou invalide", "DNSSEC signature missing or invalid"),
    ("differing", Cause.DNS_MISMATCH): (
        "serveurs de la zone divergents ou sans réponse : {differing} sur {servers}",
        "zone servers that disagree or do not answer: {differing} of {servers}",
    ),
    ("differing", Cause.DNS_TIMEOUT): (
        "aucun serveur de la zone ne répond ({servers} interrogés)",
        "no server of the zone answers ({servers} queried)",
    ),
    ("differing", Cause.DNS_REFUSED): (
        "aucun serveur ne sert la zone ({servers} interrogés)",
        "no server serves the zone ({servers} queried)",
    ),
    ("differing", Cause.DNS_SERVFAIL): (
        "aucun serveur ne sert la zone ({servers} interrogés)",
        "no server serves the zone ({servers} queried)",
    ),
    ("state", Cause.DOMAIN_EXPIRING): ("l'enregistrement du domaine a expiré", "the domain registration has expired"),
    ("state", Cause.DNS_NXDOMAIN): ("le registre a retiré le domaine du DNS", "the registry has removed the domain from the DNS"),
    ("expired_days", Cause.DOMAIN_EXPIRING): ("domaine expiré depuis {expired}", "domain expired {expired} ago"),
    ("registry", Cause.DNS_NXDOMAIN): ("le domaine n'est pas enregistré", "the domain is not registered"),
}
OF_KIND_SHORT: dict[tuple[str, Cause], Pair] = {
    ("authority", Cause.TLS_EXPIRING): ("autorité expire dans {days}", "authority expires in {days}"),
    ("plugin", Cause.PROTOCOL_MISMATCH): ("code de retour {exit_status}", "exit status {exit_status}"),
    ("where", Cause.HTTP_REDIRECT): ("adresse inattendue", "unexpected address"),
    ("plugin", Cause.TIMEOUT_TOTAL): ("inachevé après {limit}", "unfinished after {limit}"),
    ("revoked_days", Cause.TLS_UNTRUSTED): ("certificat révoqué", "certificate revoked"),
    ("fingerprint", Cause.TLS_UNTRUSTED): ("certificat non épinglé", "certificate not the pinned one"),
    ("refused", Cause.PROTOCOL_MISMATCH): ("requête refusée", "request refused"),
    ("foreign", Cause.PROTOCOL_MISMATCH): ("autre protocole", "another protocol"),
    ("answers", Cause.DNS_NO_ANSWER): ("pas d'enregistrement", "no such record"),
    ("nonsense", Cause.DNS_SERVFAIL): ("réponse DNS invalide", "invalid DNS response"),
    ("dnssec_fault", Cause.DNS_MISMATCH): ("DNSSEC invalide", "DNSSEC not valid"),
    ("differing", Cause.DNS_MISMATCH): ("serveurs DNS en désaccord", "DNS servers disagree"),
    ("differing", Cause.DNS_TIMEOUT): ("aucun serveur DNS ne répond", "no DNS server answers"),
    ("differing", Cause.DNS_REFUSED): ("aucun serveur ne sert la zone", "no server serves the zone"),
    ("differing", Cause.DNS_SERVFAIL): ("aucun serveur ne sert la zone", "no server serves the zone"),
    ("state", Cause.DOMAIN_EXPIRING): ("domaine expiré", "domain expired"),
    ("state", Cause.DNS_NXDOMAIN): ("domaine retiré du DNS", "domain removed from the DNS"),
    ("expired_days", Cause.DOMAIN_EXPIRING): ("domaine expiré", "domain expired"),
    ("registry", Cause.DNS_NXDOMAIN): ("domaine non enregistré", "domain not registered"),
}
