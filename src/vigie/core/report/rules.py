"""Rules before the model: a decision table that turns observations into a shortlist of causes, graded, with first steps."""

from dataclasses import dataclass

from vigie.core.report.facts import Bundle, Fact, FactKind, Subject

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One possible cause. Texts are (fr, en); `facts` are the ids it stands on."""

    id: str
    grade: str
    text: Pair
    step: Pair
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    needs: frozenset[str]
    hypothesis: Hypothesis
    excludes: frozenset[str] = frozenset()


def _row(needs: str, identity: str, grade: str, text: Pair, step: Pair, excludes: str = "") -> _Row:
    return _Row(frozenset(needs.split()), Hypothesis(identity, grade, text, step), frozenset(excludes.split()))


# Observations: `cause:…`, `family:…`, `status:502`, `status:5xx`, `addresses:all_bad|some_bad|all_good`, `control:ok|bad`, `second:ok|bad`,
# `change:addresses|certificate`. The first rows are the most telling.
TABLE: tuple[_Row, ...] = (
    _row("control:bad", "own_link", "high", ("la liaison de Vigie elle-même", "Vigie's own link"),
         ("vérifier le réseau de la machine de Vigie.", "check the network of Vigie's own machine.")),
    _row("cause:dns.nxdomain second:bad", "zone_gone", "high", ("le nom a disparu de sa zone DNS", "the name is gone from its DNS zone"),
         ("vérifier la zone et l'enregistrement du domaine.", "check the zone and the domain's registration.")),
    _row("family:dns second:ok", "own_resolver", "high", ("le résolveur de Vigie", "Vigie's own resolver"),
         ("vérifier le résolveur de la machine de Vigie.", "check the resolver of Vigie's own machine.")),
    _row("cause:dns.nxdomain", "name_missing", "medium", ("le nom n'est plus publié ou est mal écrit", "the name is no longer published, or misspelt"),
         ("vérifier la zone DNS et l'orthographe du nom.", "check the DNS zone and the spelling of the name."), "second:bad second:ok"),
    _row("family:dns", "dns_broken", "medium", ("le service DNS du domaine", "the domain's DNS service"),
         ("interroger directement les serveurs de la zone.", "ask the zone's own servers directly."), "cause:dns.nxdomain second:ok"),
    _row("addresses:some_bad", "one_address", "high", ("une partie des adresses du service", "some of the service's addresses"),
         ("retirer de la rotation les adresses qui ne répondent pas.", "take the addresses that do not answer out of rotation.")),
    _row("cause:tcp.refused", "not_listening", "high", ("rien n'écoute sur le port : service arrêté", "nothing listens on the port: the service is stopped"),
         ("vérifier que le service tourne, puis le redémarrer.", "see whether the service runs, then restart it."), "addresses:some_bad"),
    _row("cause:tcp.unreachable", "no_route", "medium", ("le réseau du service", "the service's network"),
         ("vérifier la route et l'hébergeur.", "check the route and the hoster."), "control:bad"),
    _row("cause:timeout.connect", "host_silent", "medium", ("l'hôte ou son pare-feu ne répond pas", "the host or its firewall does not answer"),
         ("vérifier l'hôte, son pare-feu et sa charge.", "check the host, its firewall and its load."), "addresses:some_bad control:bad"),
    _row("cause:tcp.reset", "resetting", "medium", ("un serveur ou un équipement coupe la connexion", "a server or middlebox cuts the connection"),
         ("lire le journal du serveur et du répartiteur.", "read the logs of the server and load balancer.")),
    _row("cause:timeout.tls", "tls_stuck", "medium", ("le serveur accepte mais ne traite plus", "the server accepts but no longer works"),
         ("vérifier la charge du serveur frontal.", "check the load of the front server.")),
    _row("cause:timeout.first_byte", "app_stuck", "medium", ("l'application ne répond plus", "the application no longer answers"),
         ("vérifier l'application, sa base et sa charge.", "check the application, its database and its load.")),
    _row("cause:timeout.total", "app_slow", "medium", ("l'application ou son réseau est trop lent", "the application or its network is too slow"),
         ("vérifier la charge et le débit.", "check load and throughput.")),
    _row("cause:tls.expired", "cert_expired", "high", ("le certificat n'a pas été renouvelé", "the certificate was not renewed"),
         ("renouveler le certificat et recharger le serveur.", "renew the certificate and reload the server.")),
    _row("cause:tls.hostname", "cert_wrong", "high", ("un certificat d'un autre nom est servi", "a certificate for another name is served"),
         ("vérifier l'hôte virtuel et son certificat.", "check the virtual host and its certificate.")),
    _row("cause:tls.untrusted change:certificate", "cert_replaced", "high", ("le nouveau certificat n'est pas reconnu", "the new certificate is not trusted"),
         ("installer la chaîne complète du nouveau certificat.", "install the whole chain of the new certificate.")),
    _row("cause:tls.untrusted", "chain", "medium", ("chaîne incomplète ou autorité inconnue", "incomplete chain or unknown authority"),
         ("installer la chaîne complète.", "install the whole chain."), "change:certificate"),
    _row("cause:tls.handshake", "tls_setup", "medium", ("la configuration TLS du serveur", "the server's TLS setup"),
         ("vérifier que le port parle TLS, et ses versions.", "see whether the port speaks TLS, and its versions.")),
    _row("status:gateway", "behind_proxy", "high", ("l'application derrière le mandataire", "the application behind the proxy"),
         ("redémarrer l'application derrière le mandataire.", "restart the application behind the proxy.")),
    _row("status:5xx", "app_error", "medium", ("une erreur de l'application", "an error of the application"),
         ("lire le journal de l'application.", "read the application's log."), "status:gateway"),
    _row("status:auth", "access", "medium", ("les droits d'accès de la sonde ou du service", "access rights of the probe or the service"),
         ("vérifier l'authentification du moniteur.", "check the monitor's authentication.")),
    _row("status:404", "moved", "medium", ("la page a été déplacée ou retirée", "the page was moved or removed"),
         ("vérifier le dernier déploiement et l'URL.", "check the last deployment and the URL.")),
    _row("family:content", "content", "medium", ("le contenu servi n'est pas celui attendu", "the content served is not the expected one"),
         ("ouvrir la page et voir le dernier déploiement.", "open the page and see the last deployment.")),
    _row("family:latency", "slow", "medium", ("le service est ralenti", "the service is slowed down"),
         ("vérifier la charge et les dépendances.", "check load and dependencies.")),
    _row("family:http", "http_broken", "low", ("le serveur ou un mandataire répond mal", "the server or a proxy answers badly"),
         ("lire le journal du serveur.", "read the server's log."), "cause:http.status"),
    _row("change:addresses", "moved_host", "low", ("le changement d'adresses", "the change of addresses"),
         ("vérifier le changement DNS récent.", "check the recent DNS change.")),
)  # fmt: skip
MOST = 4


def observations(bundle: Bundle, subject: Subject) -> frozenset[str]:
    """What the table's conditions are about."""
    cause = subject.result.cause or subject.incident.cause
    found = {f"cause:{cause}", f"family:{cause.partition('.')[0]}"}
    status = subject.result.figures.get("status")
    if isinstance(status, int):
        found |= {f"status:{status}", f"status:{status // 100}xx"}
        found |= {"status:gateway"} if status in (502, 503, 504) else set()
        found |= {"status:auth"} if status in (401, 403, 407) else set()
    addresses = [fact.evidence.bad for fact in bundle.facts if fact.evidence.name.startswith("address.")]
    if addresses:
        found.add("addresses:" + ("all_bad" if all(addresses) else "some_bad" if any(addresses) else "all_good"))
    for fact in bundle.facts:
        evidence = fact.evidence
        if evidence.kind is FactKind.CONTROL and evidence.name == "link" and evidence.bad is not None:
            found.add("control:bad" if evidence.bad else "control:ok")
        if evidence.name == "resolver.second" and evidence.bad is not None:
            found.add("second:bad" if evidence.bad else "second:ok")
        if evidence.kind is FactKind.CHANGE and evidence.bad:
            found.add(f"change:{evidence.name}")
    return frozenset(found)


def shortlist(bundle: Bundle, subject: Subject) -> tuple[Hypothesis, ...]:
    """One to four hypotheses, the most telling first; empty when nothing fits, which is said plainly."""
    seen = observations(bundle, subject)
    fits = [row.hypothesis for row in TABLE if row.needs <= seen and not row.excludes & seen]
    return tuple(
        Hypothesis(one.id, one.grade, one.text, one.step, tuple(fact.id for fact in bundle.facts if _supports(fact))[:4])
        for one in fits[:MOST]
    )


def _supports(fact: Fact) -> bool:
    return fact.evidence.bad is True
