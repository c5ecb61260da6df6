"""What may be behind an incident and what to do first, by the ids of `report.hypotheses`: (cause, first step), each in both languages."""

from vigie.text import Pair

_CHECK_OWN_RESOLVER: Pair = ("vérifier le résolveur de la machine de Vigie.", "check the resolver of Vigie's own machine.")

HYPOTHESES: dict[str, tuple[Pair, Pair]] = {
    # Vigie itself
    "own_link": (
        ("la connexion réseau de Vigie elle-même", "Vigie's own network link"),
        ("vérifier le réseau de la machine de Vigie.", "check the network of Vigie's own machine."),
    ),
    "own_resolver": (("le résolveur de Vigie", "Vigie's own resolver"), _CHECK_OWN_RESOLVER),
    "own_fault": (
        ("une erreur interne de Vigie", "an internal error in Vigie"),
        ("consulter le journal de Vigie.", "read Vigie's own log."),
    ),
    # Names
    "resolver_stale": (
        ("un résolveur qui n'a pas la réponse de la zone", "a resolver that does not have the zone's answer"),
        ("comparer le résolveur et les serveurs de la zone.", "compare the resolver with the zone's own servers."),
    ),
    "zone_servers": (
        ("les serveurs de la zone DNS", "the DNS zone's own servers"),
        ("vérifier la zone chez son hébergeur DNS.", "check the zone with its DNS provider."),
    ),
    "zone_gone": (
        ("le nom a disparu de sa zone DNS", "the name is gone from its DNS zone"),
        ("vérifier la zone et l'enregistrement du domaine.", "check the zone and the domain registration."),
    ),
    "dns_flaky": (
        ("une réponse DNS intermittente", "an intermittent DNS response"),
        ("comparer les réponses de tous les serveurs de la zone.", "compare the responses of all the zone's servers."),
    ),
    "name_missing": (
        ("le nom n'est plus publié ou est mal écrit", "the name is no longer published, or is misspelt"),
        ("vérifier la zone DNS et l'orthographe du nom.", "check the DNS zone and the spelling of the name."),
    ),
    "record_changed": (
        ("l'enregistrement DNS a été modifié", "the DNS record was modified"),
        ("comparer la zone avec ce qui est attendu.", "compare the zone with what is expected."),
    ),
    "dns_broken": (
        ("le service DNS du domaine", "the domain's DNS service"),
        ("interroger directement les serveurs de la zone.", "query the zone's own servers directly."),
    ),
    # Connections
    "host_down": (
        ("l'hôte entier, avec tout ce qu'il héberge", "the whole host, with everything on it"),
        ("vérifier l'hôte chez son hébergeur.", "check the host with its hosting provider."),
    ),
    "network_down": (
        ("le réseau de l'hébergeur", "the hosting provider's network"),
        ("vérifier l'état du réseau chez l'hébergeur.", "check the network status with the hosting provider."),
    ),
    "one_address": (
        ("une partie des adresses du service", "some of the service's addresses"),
        ("retirer de la rotation les adresses qui ne répondent pas.", "take the addresses that do not answer out of rotation."),
    ),
    "restarted": (
        ("le service redémarre ou s'arrête par moments", "the service restarts, or stops at times"),
        ("consulter le journal du service autour du premier échec.", "read the service's log around the first failure."),
    ),
    "saturated": (
        ("une saturation passagère de l'hôte ou du réseau", "the host or network is overloaded at times"),
        ("vérifier la charge de l'hôte et du réseau.", "check the load of the host and of the network."),
    ),
    "not_listening": (
        ("rien n'écoute sur le port : service arrêté", "nothing listens on the port: the service is stopped"),
        ("vérifier que le service tourne, puis le redémarrer.", "check whether the service is running, then restart it."),
    ),
    "no_route": (
        ("le réseau du service", "the service's network"),
        ("vérifier la route et l'hébergeur.", "check the route and the hosting provider."),
    ),
    "port_filtered": (
        ("le port du service, filtré ou saturé", "the service's port, filtered or saturated"),
        ("vérifier le pare-feu et le service sur ce port.", "check the firewall and the service on that port."),
    ),
    "host_silent": (
        ("l'hôte ou son pare-feu ne répond pas", "the host or its firewall does not answer"),
        ("vérifier l'hôte, son pare-feu et sa charge.", "check the host, its firewall and its load."),
    ),
    "resetting": (
        ("un serveur ou un équipement réseau coupe la connexion", "a server or network device cuts the connection"),
        ("consulter les journaux du serveur et du répartiteur.", "read the logs of the server and load balancer."),
    ),
    "tls_stuck": (
        ("le serveur accepte les connexions mais ne les traite plus", "the server accepts connections but no longer handles them"),
        ("vérifier la charge du serveur frontal.", "check the load of the front-end server."),
    ),
    "page_stuck": (
        ("la page elle-même, le serveur répond encore", "the page itself; the server still answers"),
        ("vérifier le code de la page, sa base et ses dépendances.", "check the page's code, its database and its dependencies."),
    ),
    "app_stuck": (
        ("l'application ne répond plus", "the application no longer answers"),
        ("vérifier l'application, sa base et sa charge.", "check the application, its database and its load."),
    ),
    "app_slow": (
        ("l'application ou son réseau est trop lent", "the application or its network is too slow"),
        ("vérifier la charge et le débit.", "check load and throughput."),
    ),
    # Certificates
    "sni": (
        ("l'hôte virtuel de ce nom manque au serveur TLS", "the TLS server has no virtual host for this name"),
        ("vérifier l'hôte virtuel et son certificat.", "check the virtual host and its certificate."),
    ),
    "cert_expired": (
        ("le certificat n'a pas été renouvelé", "the certificate was not renewed"),
        ("renouveler le certificat et recharger le serveur.", "renew the certificate and reload the server."),
    ),
    "cert_early": (
        ("un certificat installé trop tôt, ou une horloge fausse", "a certificate installed too early, or a wrong clock"),
        ("comparer l'horloge et la date de début du certificat.", "compare the clock with the certificate's start date."),
    ),
    "cert_wrong": (
        ("le serveur présente le certificat d'un autre nom", "the server presents a certificate for another name"),
        ("vérifier l'hôte virtuel et son certificat.", "check the virtual host and its certificate."),
    ),
    "self_signed": (
        ("le serveur présente un certificat autosigné", "the server presents a self-signed certificate"),
        ("installer un certificat d'une autorité reconnue.", "install a certificate from a trusted authority."),
    ),
    "cert_replaced": (
        ("le nouveau certificat n'est pas reconnu", "the new certificate is not trusted"),
        ("installer la chaîne complète du nouveau certificat.", "install the full chain of the new certificate."),
    ),
    "chain": (
        ("chaîne incomplète ou autorité inconnue", "incomplete chain or unknown authority"),
        ("installer la chaîne complète.", "install the full chain."),
    ),
    "tls_setup": (
        ("la configuration TLS du serveur", "the server's TLS configuration"),
        ("vérifier que le port parle TLS, et dans quelles versions.", "check whether the port speaks TLS, and in which versions."),
    ),
    "renewal_stuck": (
        ("le renouvellement du certificat n'a pas eu lieu", "the certificate renewal did not happen"),
        ("lancer le renouvellement et consulter son journal.", "start the renewal and read its log."),
    ),
    "tls_old": (
        ("une configuration TLS ou un certificat obsolète", "an outdated TLS configuration or certificate"),
        ("relever la version de TLS, ou réémettre le certificat.", "raise the TLS version, or reissue the certificate."),
    ),
    # Responses
    "passing_http": (
        ("une erreur passagère de l'application", "a transient error in the application"),
        ("consulter le journal de l'application autour du premier échec.", "read the application's log around the first failure."),
    ),
    "behind_proxy": (
        ("l'application derrière le proxy inverse", "the application behind the reverse proxy"),
        (
            "vérifier l'application derrière le proxy inverse, puis la redémarrer.",
            "check the application behind the reverse proxy, then restart it.",
        ),
    ),
    "overloaded": (
        ("service surchargé, arrêté ou en maintenance", "service overloaded, stopped or under maintenance"),
        ("vérifier la charge et l'état de l'application.", "check the load and the state of the application."),
    ),
    "origin": (
        ("le serveur d'origine, derrière le CDN", "the origin server, behind the CDN"),
        ("vérifier le serveur d'origine et son certificat.", "check the origin server and its certificate."),
    ),
    "app_error": (
        ("une erreur de l'application", "an error in the application"),
        ("consulter le journal de l'application.", "read the application's log."),
    ),
    "access": (
        ("les droits d'accès de la sonde ou du service", "access rights of the probe or the service"),
        ("vérifier l'authentification utilisée par le contrôle.", "check the credentials that the check uses."),
    ),
    "rate_limit": (
        ("une limite de débit du service", "a rate limit of the service"),
        ("espacer les contrôles ou relever la limite.", "check less often, or raise the limit."),
    ),
    "moved": (
        ("la page a été déplacée ou retirée", "the page was moved or removed"),
        ("vérifier le dernier déploiement et l'URL.", "check the last deployment and the URL."),
    ),
    "other_status": (
        ("l'application ne répond pas comme attendu", "the application does not respond as expected"),
        (
            "consulter le journal de l'application et revoir ce que le contrôle attend.",
            "read the application's log and review what the check expects.",
        ),
    ),
    "redirecting": (
        ("la règle de redirection du serveur", "the server's redirect rule"),
        ("suivre les redirections à la main et corriger la règle.", "follow the redirects by hand and fix the rule."),
    ),
    "blocked": (
        ("la sonde est filtrée, le service peut être sain", "the probe is filtered, the service may be healthy"),
        ("autoriser la sonde dans la protection du service.", "allow the probe in the service's protection."),
    ),
    "http_broken": (
        ("le serveur ou un proxy envoie une réponse incorrecte", "the server or a proxy sends a bad response"),
        ("consulter le journal du serveur.", "read the server's log."),
    ),
    # Content and pace
    "tampered": (
        ("la page a été modifiée sans autorisation", "the page was modified without authorisation"),
        ("mettre la page hors ligne et conserver les traces.", "take the page offline and preserve the evidence."),
    ),
    "content": (
        ("le contenu servi n'est pas celui attendu", "the content served is not what is expected"),
        ("ouvrir la page et vérifier le dernier déploiement.", "open the page and check the last deployment."),
    ),
    "slow": (
        ("le service est ralenti", "the service has slowed down"),
        ("vérifier la charge et les dépendances.", "check load and dependencies."),
    ),
    # Other kinds of check
    "path": (
        ("le chemin réseau ou l'hôte", "the network path or the host"),
        ("tracer la route jusqu'à l'hôte.", "trace the route to the host."),
    ),
    "protocol": (
        ("le service ne répond pas comme attendu", "the service does not respond as expected"),
        ("consulter le journal du service.", "read the service's log."),
    ),
    "job": (
        ("la tâche n'a pas tourné ou a échoué", "the job did not run, or failed"),
        ("consulter le journal de la tâche et de son planificateur.", "read the log of the job and of its scheduler."),
    ),
    "registration": (
        ("l'enregistrement du domaine n'a pas été renouvelé", "the domain registration was not renewed"),
        ("renouveler le domaine auprès de son bureau d'enregistrement.", "renew the domain with its registrar."),
    ),
    "moved_host": (
        ("le changement d'adresses", "the change of addresses"),
        ("vérifier le changement DNS récent.", "check the recent DNS change."),
    ),
}
