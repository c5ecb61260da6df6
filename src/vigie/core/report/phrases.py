"""What each cause is called in French and English; the templates take a result's `figures`, never what the target wrote."""

from vigie.core.model import Cause

# Without figures: always true of the cause.
PLAIN: dict[Cause, tuple[str, str]] = {
    Cause.DNS_NXDOMAIN: ("le nom n'existe pas", "the name does not exist"),
    Cause.DNS_SERVFAIL: ("le résolveur répond SERVFAIL", "the resolver answers SERVFAIL"),
    Cause.DNS_REFUSED: ("le résolveur refuse de répondre", "the resolver refuses to answer"),
    Cause.DNS_TIMEOUT: ("le résolveur ne répond pas à temps", "the resolver does not answer in time"),
    Cause.DNS_NO_ANSWER: ("le nom n'a pas d'adresse", "the name has no address"),
    Cause.DNS_MISMATCH: ("la réponse DNS n'est pas celle attendue", "the DNS answer is not the expected one"),
    Cause.TCP_REFUSED: ("connexion refusée", "connection refused"),
    Cause.TCP_RESET: ("connexion coupée", "connection reset"),
    Cause.TCP_UNREACHABLE: ("adresse injoignable", "address unreachable"),
    Cause.TIMEOUT_CONNECT: ("pas de connexion à temps", "no connection in time"),
    Cause.TIMEOUT_TLS: ("TLS n'aboutit pas à temps", "TLS does not finish in time"),
    Cause.TIMEOUT_FIRST_BYTE: ("aucune réponse à temps", "no answer in time"),
    Cause.TIMEOUT_TOTAL: ("la réponse ne finit pas à temps", "the answer does not end in time"),
    Cause.TLS_EXPIRED: ("certificat expiré", "certificate expired"),
    Cause.TLS_NOT_YET_VALID: ("certificat pas encore valide", "certificate not valid yet"),
    Cause.TLS_HOSTNAME: ("certificat d'un autre nom", "certificate for another name"),
    Cause.TLS_UNTRUSTED: ("certificat non reconnu", "certificate not trusted"),
    Cause.TLS_HANDSHAKE: ("négociation TLS impossible", "no TLS handshake possible"),
    Cause.TLS_EXPIRING: ("certificat bientôt expiré", "certificate expires soon"),
    Cause.TLS_WEAK: ("chiffrement obsolète", "obsolete encryption"),
    Cause.HTTP_STATUS: ("statut HTTP inattendu", "unexpected HTTP status"),
    Cause.HTTP_REDIRECT: ("redirection fautive", "faulty redirect"),
    Cause.HTTP_PROTOCOL: ("réponse HTTP malformée", "malformed HTTP answer"),
    Cause.HTTP_TRUNCATED: ("réponse tronquée", "truncated answer"),
    Cause.HTTP_EMPTY_REPLY: ("connexion fermée sans réponse", "connection closed without an answer"),
    Cause.HTTP_BLOCKED: ("la sonde est bloquée", "the probe is blocked"),
    Cause.CONTENT_MISSING: ("texte attendu absent", "expected text missing"),
    Cause.CONTENT_FORBIDDEN: ("texte interdit présent", "rejected text present"),
    Cause.CONTENT_JSON: ("réponse JSON inattendue", "unexpected JSON answer"),
    Cause.CONTENT_TYPE: ("type de contenu inattendu", "unexpected media type"),
    Cause.CONTENT_ERROR_PAGE: ("page d'erreur", "error page"),
    Cause.CONTENT_BLANK: ("page vide", "blank page"),
    Cause.CONTENT_TAMPERED: ("signes d'altération", "signs of tampering"),
    Cause.CONTENT_CHANGED: ("page très différente", "page very different"),
    Cause.LATENCY_THRESHOLD: ("réponse trop lente", "answer too slow"),
    Cause.LATENCY_ANOMALY: ("plus lent que d'habitude", "slower than usual"),
    Cause.ICMP_LOSS: ("paquets perdus", "packets lost"),
    Cause.ICMP_TIMEOUT: ("pas de réponse au ping", "no answer to ping"),
    Cause.PROTOCOL_MISMATCH: ("échange inattendu", "unexpected exchange"),
    Cause.HEARTBEAT_MISSED: ("signal manquant", "heartbeat missed"),
    Cause.HEARTBEAT_LATE: ("tâche trop longue", "job ran long"),
    Cause.HEARTBEAT_FAILED: ("tâche en échec", "job failed"),
    Cause.DOMAIN_EXPIRING: ("domaine bientôt expiré", "domain expires soon"),
    Cause.PROBE_NETWORK: ("réseau de Vigie en panne", "Vigie's own network is down"),
    Cause.PROBE_RESOLVER: ("résolveur de Vigie en panne", "Vigie's own resolver fails"),
    Cause.PROBE_ERROR: ("faute propre à Vigie", "Vigie's own fault"),
}

# With figures: the number that mattered. Used only when every figure is there.
DETAILED: dict[Cause, tuple[str, str]] = {
    Cause.TIMEOUT_CONNECT: ("aucune connexion en {limit}", "no connection within {limit}"),
    Cause.TIMEOUT_TLS: ("connexion établie, mais TLS inachevé après {limit}", "connected, but TLS unfinished after {limit}"),
    Cause.TIMEOUT_FIRST_BYTE: ("aucun octet reçu en {limit}", "no byte received within {limit}"),
    Cause.TIMEOUT_TOTAL: ("réponse commencée mais inachevée après {limit}", "answer begun but unfinished after {limit}"),
    Cause.HTTP_STATUS: ("HTTP {status} au lieu de {expected}", "HTTP {status} instead of {expected}"),
    Cause.HTTP_TRUNCATED: ("{received} octets reçus sur {announced} annoncés", "{received} bytes received of {announced} announced"),
    Cause.HTTP_REDIRECT: ("redirection refusée après {hops}", "redirect refused after {hops}"),
    Cause.CONTENT_MISSING: ("le texte « {keyword} » manque", "the text “{keyword}” is missing"),
    Cause.CONTENT_FORBIDDEN: ("le texte « {keyword} » est présent", "the text “{keyword}” is present"),
    Cause.CONTENT_JSON: ("{path} ne vérifie pas {operator} {wanted}", "{path} does not satisfy {operator} {wanted}"),
    Cause.CONTENT_TYPE: ("type de contenu autre que {expected}", "media type other than {expected}"),
    Cause.LATENCY_THRESHOLD: ("réponse en {measured_ms} ms, limite {limit_ms} ms", "answered in {measured_ms} ms, limit {limit_ms} ms"),
    Cause.LATENCY_ANOMALY: (
        "plus lent que d'habitude ({phase} : {measured_ms} ms au lieu de {usual_ms} ms)",
        "slower than usual ({phase}: {measured_ms} ms instead of {usual_ms} ms)",
    ),
    Cause.CONTENT_CHANGED: ("page très différente de ce qu'elle était ({signs})", "page very different from what it was ({signs})"),
    Cause.TLS_EXPIRING: ("certificat valable encore {days}", "certificate valid for another {days}"),
    Cause.TLS_EXPIRED: ("certificat expiré depuis {days}", "certificate expired {days} ago"),
    Cause.ICMP_LOSS: ("{loss_percent} % des pings perdus, sur {sent} envoyés", "{loss_percent} % of pings lost, of {sent} sent"),
    Cause.ICMP_TIMEOUT: ("aucune réponse à {sent} pings", "no answer to {sent} pings"),
    Cause.DOMAIN_EXPIRING: ("domaine enregistré encore {days}", "domain registered for another {days}"),
    Cause.HEARTBEAT_MISSED: ("aucun signal de la tâche depuis {silent}", "no ping of the job for {silent}"),
    Cause.HEARTBEAT_LATE: (
        "la tâche, commencée il y a {running}, n'a pas fini (limite {longest})",
        "the job, started {running} ago, has not ended (limit {longest})",
    ),
    Cause.HEARTBEAT_FAILED: ("la tâche a échoué (statut de sortie {exit_status})", "the job failed (exit status {exit_status})"),
}

# Of several addresses some are dead, though the service works by another: by `address`, `dead` and `addresses`, or by `family`.
SOME_DEAD: dict[Cause, tuple[str, str]] = {
    Cause.TCP_REFUSED: (
        "{address} refuse la connexion ({dead} sur {addresses})",
        "{address} refuses the connection ({dead} of {addresses})",
    ),
    Cause.TIMEOUT_CONNECT: ("{address} ne répond pas ({dead} sur {addresses})", "{address} does not answer ({dead} of {addresses})"),
    Cause.TCP_UNREACHABLE: ("{address} est injoignable ({dead} sur {addresses})", "{address} is unreachable ({dead} of {addresses})"),
}
FAMILY_DEAD = ("aucune adresse {family} ne fonctionne ({address})", "no {family} address works ({address})")

# For the first line, where every character counts and the configuration's own texts have no place.
SHORT: dict[Cause, tuple[str, str]] = {
    Cause.TIMEOUT_CONNECT: ("pas de connexion en {limit}", "no connection in {limit}"),
    Cause.TIMEOUT_TLS: ("TLS inachevé après {limit}", "TLS unfinished after {limit}"),
    Cause.TIMEOUT_FIRST_BYTE: ("aucune réponse en {limit}", "no answer in {limit}"),
    Cause.TIMEOUT_TOTAL: ("réponse inachevée après {limit}", "answer unfinished after {limit}"),
    Cause.HTTP_STATUS: ("HTTP {status}", "HTTP {status}"),
    Cause.LATENCY_THRESHOLD: ("réponse en {measured_ms} ms", "answer in {measured_ms} ms"),
    Cause.LATENCY_ANOMALY: ("{phase} : {measured_ms} ms", "{phase}: {measured_ms} ms"),
    Cause.TLS_EXPIRING: ("certificat valable encore {days}", "certificate ends in {days}"),
    Cause.TLS_EXPIRED: ("certificat expiré", "certificate expired"),
    Cause.ICMP_LOSS: ("{loss_percent} % des pings perdus", "{loss_percent} % of pings lost"),
    Cause.DOMAIN_EXPIRING: ("domaine valable encore {days}", "domain ends in {days}"),
    Cause.HEARTBEAT_MISSED: ("aucun signal depuis {silent}", "no ping for {silent}"),
    Cause.HEARTBEAT_LATE: ("inachevée après {running}", "not ended after {running}"),
}

# Where a figure tells which kind of check it was, these come before the tables above: (figure, cause) to the words.
OF_KIND: dict[tuple[str, Cause], tuple[str, str]] = {
    ("plugin", Cause.PROTOCOL_MISMATCH): (
        "{plugin} signale un problème (statut de sortie {exit_status})",
        "{plugin} reports a problem (exit status {exit_status})",
    ),
    ("console_errors", Cause.CONTENT_BLANK): (
        "rien n'est visible (erreurs de script : {console_errors})",
        "nothing is to be seen (script errors: {console_errors})",
    ),
    ("console_errors", Cause.TIMEOUT_TOTAL): ("pas terminé en {limit}", "not done within {limit}"),
    ("where", Cause.HTTP_REDIRECT): ("l'adresse ne contient pas « {keyword} »", "the address does not hold “{keyword}”"),
    ("plugin", Cause.TIMEOUT_TOTAL): ("{plugin} n'a pas fini en {limit}", "{plugin} did not end within {limit}"),
    ("authority", Cause.TLS_UNTRUSTED): (
        "une autorité de la chaîne est révoquée depuis {revoked}",
        "an authority of the chain was revoked {revoked} ago",
    ),
    ("authority", Cause.TLS_EXPIRING): (
        "une autorité de la chaîne n'est plus valable que {days}",
        "an authority of the chain is valid for another {days}",
    ),
    ("authority", Cause.TLS_WEAK): ("une autorité de la chaîne est obsolète", "an authority of the chain is obsolete"),
    ("revoked_days", Cause.TLS_UNTRUSTED): ("certificat révoqué depuis {revoked}", "certificate revoked {revoked} ago"),
    ("fingerprint", Cause.TLS_UNTRUSTED): ("le certificat n'est pas celui qui est épinglé", "the certificate is not the pinned one"),
    ("wanted", Cause.PROTOCOL_MISMATCH): ("réponse autre que « {wanted} »", "an answer other than “{wanted}”"),
    ("refused", Cause.PROTOCOL_MISMATCH): ("le service refuse l'échange", "the service refuses the exchange"),
    ("foreign", Cause.PROTOCOL_MISMATCH): ("ce qui répond parle un autre protocole", "what answers speaks another protocol"),
    ("answers", Cause.DNS_NO_ANSWER): ("le nom n'a pas d'enregistrement de ce type", "the name has no record of that type"),
    ("nonsense", Cause.DNS_SERVFAIL): ("le serveur DNS répond de travers", "the DNS server answers with nonsense"),
    ("dnssec_fault", Cause.DNS_MISMATCH): ("signature DNSSEC absente ou non valable", "DNSSEC signature missing or not valid"),
    ("differing", Cause.DNS_MISMATCH): (
        "serveurs de la zone en désaccord ou muets : {differing} sur {servers}",
        "servers of the zone that differ or are silent: {differing} of {servers}",
    ),
    ("differing", Cause.DNS_TIMEOUT): (
        "aucun serveur de la zone ne répond ({servers} interrogés)",
        "no server of the zone answers ({servers} asked)",
    ),
    ("differing", Cause.DNS_REFUSED): (
        "aucun serveur ne sert la zone ({servers} interrogés)",
        "no server serves the zone ({servers} asked)",
    ),
    ("differing", Cause.DNS_SERVFAIL): (
        "aucun serveur ne sert la zone ({servers} interrogés)",
        "no server serves the zone ({servers} asked)",
    ),
    ("state", Cause.DOMAIN_EXPIRING): ("l'enregistrement du domaine a expiré", "the domain's registration has lapsed"),
    ("state", Cause.DNS_NXDOMAIN): ("le registre a retiré le domaine du DNS", "the registry has taken the domain out of the DNS"),
    ("expired_days", Cause.DOMAIN_EXPIRING): ("domaine expiré depuis {expired}", "domain expired {expired} ago"),
    ("registry", Cause.DNS_NXDOMAIN): ("le domaine n'est pas enregistré", "the domain is not registered"),
}
OF_KIND_SHORT: dict[tuple[str, Cause], tuple[str, str]] = {
    ("plugin", Cause.PROTOCOL_MISMATCH): ("statut de sortie {exit_status}", "exit status {exit_status}"),
    ("where", Cause.HTTP_REDIRECT): ("autre adresse qu'attendu", "another address than expected"),
    ("plugin", Cause.TIMEOUT_TOTAL): ("inachevé après {limit}", "unfinished after {limit}"),
    ("revoked_days", Cause.TLS_UNTRUSTED): ("certificat révoqué", "certificate revoked"),
    ("fingerprint", Cause.TLS_UNTRUSTED): ("certificat non épinglé", "certificate not the pinned one"),
    ("refused", Cause.PROTOCOL_MISMATCH): ("échange refusé", "exchange refused"),
    ("foreign", Cause.PROTOCOL_MISMATCH): ("autre protocole", "another protocol"),
    ("answers", Cause.DNS_NO_ANSWER): ("pas d'enregistrement", "no such record"),
    ("nonsense", Cause.DNS_SERVFAIL): ("réponse DNS illisible", "DNS answer unreadable"),
    ("dnssec_fault", Cause.DNS_MISMATCH): ("DNSSEC non valable", "DNSSEC not valid"),
    ("differing", Cause.DNS_MISMATCH): ("serveurs DNS en désaccord", "DNS servers disagree"),
    ("differing", Cause.DNS_TIMEOUT): ("aucun serveur DNS ne répond", "no DNS server answers"),
    ("differing", Cause.DNS_REFUSED): ("aucun serveur ne sert la zone", "no server serves the zone"),
    ("differing", Cause.DNS_SERVFAIL): ("aucun serveur ne sert la zone", "no server serves the zone"),
    ("state", Cause.DOMAIN_EXPIRING): ("domaine expiré", "domain lapsed"),
    ("state", Cause.DNS_NXDOMAIN): ("domaine retiré du DNS", "domain out of the DNS"),
    ("expired_days", Cause.DOMAIN_EXPIRING): ("domaine expiré", "domain expired"),
    ("registry", Cause.DNS_NXDOMAIN): ("domaine non enregistré", "domain not registered"),
}
