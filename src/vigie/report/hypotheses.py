"""The decision table: which observations speak for which cause, graded, with the first step. Data; `rules.py` reads it."""

from dataclasses import dataclass

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One possible cause. Texts are (fr, en); `grade` is high, medium or low; `facts` are the ids it stands on."""

    id: str
    grade: str
    text: Pair
    step: Pair
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CauseRow:
    """A hypothesis, with the observations that it needs and those that rule it out."""

    needs: frozenset[str]
    hypothesis: Hypothesis
    excludes: frozenset[str] = frozenset()


def _row(needs: str, identity: str, grade: str, text: Pair, step: Pair, excludes: str = "") -> CauseRow:
    return CauseRow(frozenset(needs.split()), Hypothesis(identity, grade, text, step), frozenset(excludes.split()))


# Observations: `cause:…`, `family:…`, `status:502`, `status:5xx`, `addresses:all_bad|some_bad|all_good` (by the second look),
# `control:ok|bad|resolver`, `system:ok|bad`, `second:ok|bad` and `zone:ok|bad` (resolvers), `other_port:ok|bad`, `again:ok|bad` (a second
# request), `head:ok`, `no_sni`, `siblings_address:down|up` and so on (host, address, certificate, network, tag), `change:addresses|certificate|…`, `self_signed`. The first rows
# are the most telling; a row with grade `high` decides alone, whatever a model would choose.
TABLE: tuple[CauseRow, ...] = (
    _row("control:bad", "own_link", "high", ("la liaison de Vigie elle-même", "Vigie's own link"),
         ("vérifier le réseau de la machine de Vigie.", "check the network of Vigie's own machine.")),
    _row("cause:probe.network", "own_link", "high", ("la liaison de Vigie elle-même", "Vigie's own link"),
         ("vérifier le réseau de la machine de Vigie.", "check the network of Vigie's own machine."), "control:bad"),
    _row("cause:probe.resolver", "own_resolver", "high", ("le résolveur de Vigie", "Vigie's own resolver"),
         ("vérifier le résolveur de la machine de Vigie.", "check the resolver of Vigie's own machine.")),
    _row("cause:probe.error", "own_fault", "high", ("une faute de Vigie elle-même", "a fault of Vigie itself"),
         ("lire le journal de Vigie.", "read Vigie's own log.")),
    _row("control:resolver", "own_resolver", "high", ("le résolveur de Vigie", "Vigie's own resolver"),
         ("vérifier le résolveur de la machine de Vigie.", "check the resolver of Vigie's own machine."), "cause:probe.resolver"),
    # Names
    _row("family:dns system:bad zone:ok", "resolver_stale", "medium",
         ("un résolveur qui n'a pas la réponse de la zone", "a resolver that has not the zone's answer"),
         ("comparer le résolveur et les serveurs de la zone.", "compare the resolver with the zone's own servers."), "second:ok cause:dns.mismatch"),
    _row("family:dns zone:bad", "zone_servers", "high", ("les serveurs de la zone DNS", "the DNS zone's own servers"),
         ("vérifier la zone chez son hébergeur DNS.", "check the zone with its DNS hoster."), "second:ok system:ok cause:dns.mismatch cause:dns.nxdomain"),
    _row("cause:dns.nxdomain second:bad", "zone_gone", "high", ("le nom a disparu de sa zone DNS", "the name is gone from its DNS zone"),
         ("vérifier la zone et l'enregistrement du domaine.", "check the zone and the domain's registration.")),
    _row("family:dns second:ok", "own_resolver", "high", ("le résolveur de Vigie", "Vigie's own resolver"),
         ("vérifier le résolveur de la machine de Vigie.", "check the resolver of Vigie's own machine."), "system:ok cause:dns.mismatch"),
    _row("family:dns system:ok", "dns_flaky", "medium", ("une réponse DNS intermittente", "an intermittent DNS answer"),
         ("comparer les réponses de tous les serveurs de la zone.", "compare the answers of all the zone's servers."), "cause:dns.mismatch"),
    _row("cause:dns.nxdomain", "name_missing", "medium", ("le nom n'est plus publié ou est mal écrit", "the name is no longer published, or misspelt"),
         ("vérifier la zone DNS et l'orthographe du nom.", "check the DNS zone and the spelling of the name."), "second:bad second:ok system:ok"),
    _row("cause:dns.mismatch", "record_changed", "medium", ("l'enregistrement DNS a été modifié", "the DNS record was modified"),
         ("comparer la zone avec ce qui est attendu.", "compare the zone with what is expected.")),
    _row("family:dns", "dns_broken", "medium", ("le service DNS du domaine", "the domain's DNS service"),
         ("interroger directement les serveurs de la zone.", "ask the zone's own servers directly."),
         "cause:dns.nxdomain cause:dns.mismatch second:ok system:ok"),
    # Connections
    _row("family:tcp siblings_address:down", "host_down", "high", ("l'hôte entier, avec tout ce qu'il porte", "the whole host, with all that it carries"),
         ("vérifier l'hôte chez son hébergeur.", "check the host with its hoster."), "control:bad addresses:all_good addresses:some_bad"),
    _row("cause:timeout.connect siblings_address:down", "host_down", "high", ("l'hôte entier, avec tout ce qu'il porte", "the whole host, with all that it carries"),
         ("vérifier l'hôte chez son hébergeur.", "check the host with its hoster."), "control:bad addresses:all_good addresses:some_bad"),
    _row("cause:timeout.connect siblings_network:down", "network_down", "medium", ("le réseau de l'hébergeur", "the hoster's network"),
         ("vérifier l'état du réseau chez l'hébergeur.", "check the state of the network with the hoster."),
         "control:bad siblings_address:down addresses:all_good addresses:some_bad"),
    _row("addresses:some_bad", "one_address", "high", ("une partie des adresses du service", "some of the service's addresses"),
         ("retirer de la rotation les adresses qui ne répondent pas.", "take the addresses that do not answer out of rotation."),
         "family:http family:content family:tls family:latency family:dns control:bad"),
    _row("cause:tcp.refused addresses:all_good", "restarted", "medium", ("le service redémarre ou se coupe par moments", "the service restarts, or stops at times"),
         ("lire le journal du service autour du premier échec.", "read the service's log around the first failure.")),
    _row("cause:timeout.connect addresses:all_good", "saturated", "medium", ("une saturation passagère de l'hôte ou du réseau", "the host or network is overloaded at times"),
         ("vérifier la charge de l'hôte et du réseau.", "check the load of the host and of the network.")),
    _row("cause:tcp.refused", "not_listening", "high", ("rien n'écoute sur le port : service arrêté", "nothing listens on the port: the service is stopped"),
         ("vérifier que le service tourne, puis le redémarrer.", "see whether the service runs, then restart it."),
         "addresses:some_bad addresses:all_good control:bad"),
    _row("cause:tcp.unreachable", "no_route", "medium", ("le réseau du service", "the service's network"),
         ("vérifier la route et l'hébergeur.", "check the route and the hoster."), "control:bad"),
    _row("cause:timeout.connect other_port:ok", "port_filtered", "medium", ("le port du service, filtré ou saturé", "the service's port, filtered or saturated"),
         ("vérifier le pare-feu et le service sur ce port.", "check the firewall and the service on that port."),
         "addresses:some_bad addresses:all_good control:bad siblings_address:down"),
    _row("cause:timeout.connect", "host_silent", "medium", ("l'hôte ou son pare-feu ne répond pas", "the host or its firewall does not answer"),
         ("vérifier l'hôte, son pare-feu et sa charge.", "check the host, its firewall and its load."),
         "addresses:some_bad addresses:all_good control:bad"),
    _row("cause:tcp.reset", "resetting", "medium", ("un serveur ou un équipement coupe la connexion", "a server or middlebox cuts the connection"),
         ("lire le journal du serveur et du répartiteur.", "read the logs of the server and load balancer.")),
    _row("cause:timeout.tls", "tls_stuck", "medium", ("le serveur accepte mais ne traite plus", "the server accepts but no longer works"),
         ("vérifier la charge du serveur frontal.", "check the load of the front server.")),
    _row("cause:timeout.first_byte head:ok", "page_stuck", "medium", ("la page elle-même, le serveur répond encore", "the page itself; the server still answers"),
         ("vérifier le code de la page, sa base et ses dépendances.", "check the page's code, its database and its dependencies.")),
    _row("cause:timeout.first_byte", "app_stuck", "medium", ("l'application ne répond plus", "the application no longer answers"),
         ("vérifier l'application, sa base et sa charge.", "check the application, its database and its load."), "head:ok"),
    _row("cause:timeout.total", "app_slow", "medium", ("l'application ou son réseau est trop lent", "the application or its network is too slow"),
         ("vérifier la charge et le débit.", "check load and throughput.")),
    # Certificates
    _row("cause:tls.handshake no_sni", "sni", "high", ("l'hôte virtuel de ce nom manque au serveur TLS", "the TLS server lacks this name's virtual host"),
         ("vérifier l'hôte virtuel et son certificat.", "check the virtual host and its certificate.")),
    _row("cause:tls.expired", "cert_expired", "high", ("le certificat n'a pas été renouvelé", "the certificate was not renewed"),
         ("renouveler le certificat et recharger le serveur.", "renew the certificate and reload the server.")),
    _row("cause:tls.not_yet_valid", "cert_early", "medium", ("un certificat installé trop tôt, ou une horloge fausse", "a certificate installed too early, or a wrong clock"),
         ("comparer l'horloge et la date de début du certificat.", "compare the clock with the certificate's first day.")),
    _row("cause:tls.hostname", "cert_wrong", "high", ("un certificat d'un autre nom est servi", "a certificate for another name is served"),
         ("vérifier l'hôte virtuel et son certificat.", "check the virtual host and its certificate.")),
    _row("cause:tls.untrusted self_signed", "self_signed", "high", ("un certificat signé par lui-même est servi", "a certificate signed by itself is served"),
         ("installer un certificat d'une autorité reconnue.", "install a certificate of a trusted authority.")),
    _row("cause:tls.untrusted change:certificate", "cert_replaced", "high", ("le nouveau certificat n'est pas reconnu", "the new certificate is not trusted"),
         ("installer la chaîne complète du nouveau certificat.", "install the whole chain of the new certificate."), "self_signed"),
    _row("cause:tls.untrusted", "chain", "medium", ("chaîne incomplète ou autorité inconnue", "incomplete chain or unknown authority"),
         ("installer la chaîne complète.", "install the whole chain."), "change:certificate self_signed"),
    _row("cause:tls.handshake", "tls_setup", "medium", ("la configuration TLS du serveur", "the server's TLS setup"),
         ("vérifier que le port parle TLS, et ses versions.", "see whether the port speaks TLS, and its versions.")),
    _row("cause:tls.expiring", "renewal_stuck", "medium", ("le renouvellement du certificat n'a pas eu lieu", "the certificate's renewal did not happen"),
         ("lancer le renouvellement et lire son journal.", "start the renewal and read its log.")),
    _row("cause:tls.weak", "tls_old", "high", ("une configuration TLS ou un certificat dépassés", "an outdated TLS setup or certificate"),
         ("relever la version de TLS, ou réémettre le certificat.", "raise the TLS version, or reissue the certificate.")),
    # Answers
    _row("family:http again:ok", "passing_http", "low", ("une erreur passagère de l'application", "a passing error of the application"),
         ("lire le journal de l'application autour du premier échec.", "read the application's log around the first failure."),
         "cause:http.redirect cause:http.blocked status:gone status:auth"),
    _row("status:bad_gateway", "behind_proxy", "high", ("l'application derrière le mandataire", "the application behind the proxy"),
         ("vérifier l'application derrière le mandataire, puis la redémarrer.", "check the application behind the proxy, then restart it.")),
    _row("status:503", "overloaded", "medium", ("service surchargé, arrêté ou en maintenance", "service overloaded, stopped or under maintenance"),
         ("vérifier la charge et l'état de l'application.", "check the load and the state of the application.")),
    _row("status:origin", "origin", "high", ("le serveur d'origine, derrière le CDN", "the origin server, behind the CDN"),
         ("vérifier le serveur d'origine et son certificat.", "check the origin server and its certificate.")),
    _row("status:5xx", "app_error", "medium", ("une erreur de l'application", "an error of the application"),
         ("lire le journal de l'application.", "read the application's log."), "status:bad_gateway status:503 status:origin"),
    _row("status:auth", "access", "medium", ("les droits d'accès de la sonde ou du service", "access rights of the probe or the service"),
         ("vérifier l'authentification du moniteur.", "check the monitor's authentication.")),
    _row("status:429", "rate_limit", "high", ("une limite de débit du service", "a rate limit of the service"),
         ("espacer les contrôles ou relever la limite.", "check less often, or raise the limit.")),
    _row("status:gone", "moved", "medium", ("la page a été déplacée ou retirée", "the page was moved or removed"),
         ("vérifier le dernier déploiement et l'URL.", "check the last deployment and the URL.")),
    _row("cause:http.status", "other_status", "low", ("l'application répond autrement qu'attendu", "the application answers otherwise than expected"),
         ("lire le journal de l'application et l'attente du moniteur.", "read the application's log and what the monitor expects."),
         "status:5xx status:auth status:429 status:gone"),
    _row("cause:http.redirect", "redirecting", "medium", ("la règle de redirection du serveur", "the server's redirect rule"),
         ("suivre les redirections à la main et corriger la règle.", "follow the redirects by hand and mend the rule.")),
    _row("cause:http.blocked", "blocked", "medium", ("la sonde est filtrée, le service peut être sain", "the probe is filtered, the service may be healthy"),
         ("autoriser la sonde dans la protection du service.", "let the probe through the service's protection.")),
    _row("family:http", "http_broken", "low", ("le serveur ou un mandataire répond mal", "the server or a proxy answers badly"),
         ("lire le journal du serveur.", "read the server's log."), "cause:http.status cause:http.redirect cause:http.blocked"),
    _row("cause:content.tampered", "tampered", "medium", ("la page a été modifiée sans droit", "the page was altered without right"),
         ("mettre la page hors ligne et conserver les traces.", "take the page offline and keep the traces.")),
    _row("family:content", "content", "medium", ("le contenu servi n'est pas celui attendu", "the content served is not the expected one"),
         ("ouvrir la page et voir le dernier déploiement.", "open the page and see the last deployment."), "cause:content.tampered"),
    _row("family:latency", "slow", "medium", ("le service est ralenti", "the service is slowed down"),
         ("vérifier la charge et les dépendances.", "check load and dependencies.")),
    # Other kinds of check
    _row("family:icmp", "path", "low", ("le chemin réseau ou l'hôte", "the network path or the host"),
         ("tracer la route jusqu'à l'hôte.", "trace the route to the host."), "control:bad"),
    _row("family:protocol", "protocol", "low", ("le service répond autrement qu'attendu", "the service answers otherwise than expected"),
         ("lire le journal du service.", "read the service's log.")),
    _row("family:heartbeat", "job", "medium", ("la tâche n'a pas tourné ou a échoué", "the job did not run, or failed"),
         ("lire le journal de la tâche et de son planificateur.", "read the log of the job and of its scheduler.")),
    _row("family:domain", "registration", "medium", ("l'enregistrement du domaine n'est pas renouvelé", "the domain's registration is not renewed"),
         ("renouveler le domaine chez son bureau d'enregistrement.", "renew the domain with its registrar.")),
    _row("change:addresses", "moved_host", "low", ("le changement d'adresses", "the change of addresses"),
         ("vérifier le changement DNS récent.", "check the recent DNS change.")),
)  # fmt: skip


def known_cause(identity: str) -> Pair | None:
    """The (French, English) words of a cause of the table, None for an id that it does not have."""
    return next((row.hypothesis.text for row in TABLE if row.hypothesis.id == identity), None)


def catalogue() -> dict[str, Pair]:
    """Every cause that the table knows, by id, in its order."""
    return {row.hypothesis.id: row.hypothesis.text for row in TABLE}
