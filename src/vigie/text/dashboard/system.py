"""What the page of Vigie's own state says."""

from vigie.text import Pair, Plural

COUNTED: dict[str, Plural] = {
    "waiting": (
        ("{count} notification attend", "{count} notifications attendent"),
        ("{count} notice is waiting", "{count} notices are waiting"),
    ),
    "undeliverable": (
        ("{count} notification n’a pas pu partir", "{count} notifications n’ont pas pu partir"),
        ("{count} notice could not be delivered", "{count} notices could not be delivered"),
    ),
    "head_unchecked": (
        ("Vigie fonctionne, mais ne peut pas contrôler {count} service", "Vigie fonctionne, mais ne peut pas contrôler {count} services"),
        ("Vigie works, but cannot check {count} service", "Vigie works, but cannot check {count} services"),
    ),
    "and_more": (("et {count} autre", "et {count} autres"), ("and {count} more", "and {count} more")),
    "services": (("{count} service", "{count} services"), ("{count} service", "{count} services")),
}

TEXTS: dict[str, Pair] = {
    "title": ("État de Vigie", "State of Vigie"),
    "head_fine": ("Vigie fonctionne normalement", "Vigie works as it should"),
    "head_stalled": ("Vigie n’avance plus : aucun résultat n’arrive", "Vigie has stalled: no results are coming in"),
    "head_part": ("Vigie n’avance plus : {parts}", "Vigie has stalled: {parts}"),
    "head_blind": ("Vigie ne voit plus rien depuis {since}", "Vigie has not been able to see since {since}"),
    "lede_blind": (
        "{cause}. Aucun service n’est déclaré en panne tant qu’elle ne voit rien, et ce temps ne compte pas.",
        "{cause}. No service is marked down until it can see again, and this time is not counted.",
    ),
    "lede": (
        "En marche depuis {span}. Dernier résultat il y a {ago} ; {services} surveillés.",
        "Running for {span}. The newest result came {ago} ago; {services} watched.",
    ),
    "lede_none": ("En marche depuis {span}. Aucun résultat encore.", "Running for {span}. No result yet."),
    "part_loop": ("la boucle principale", "the main loop"),
    "part_writer": ("l’écriture des résultats", "the writing of results"),
    "part_prober": ("le processus de contrôle", "the prober process"),
    "late": ("Retard des contrôles, p99", "Lateness of checks, p99"),
    "late_max": ("au pire {span}", "at worst {span}"),
    "late_fine": ("les contrôles partent à l’heure", "checks start on time"),
    "late_bad": ("la machine peine à suivre", "this machine can hardly keep up"),
    "queue": ("Notifications en attente", "Notices waiting"),
    "queue_none": ("tout est parti", "everything has been sent"),
    "given_up": ("non distribuables : {count}", "undeliverable: {count}"),
    "heard": ("Processus de contrôle", "Prober process"),
    "heard_ago": ("a parlé il y a {span}", "last spoke {span} ago"),
    "stored": ("Base de données", "Database"),
    "per_day": ("{size} par jour", "{size} a day"),
    "settled": ("à terme {size}", "will come to {size}"),
    "free": ("{size} libres sur le disque", "{size} free on the disk"),
    "memory": ("Mémoire", "Memory"),
    "parts": ("Ce que chaque partie fait", "What each part does"),
    "unchecked": ("Services que Vigie ne peut pas contrôler", "Services that Vigie cannot check"),
    "unchecked_how": (
        "Par un défaut de sa propre machine ou de leur réglage, pas du service. Leur page dit lequel.",
        "By a fault of its own machine or of their settings, not of the service. Their pages say which.",
    ),
    "blind": ("Quand Vigie n’a pas vu", "When Vigie could not see"),
    "blind_about": (
        "30 derniers jours, arrêts compris ; ce temps est exclu de la disponibilité",
        "the last 30 days, its own stops among them; this time is left out of availability",
    ),
    "no_blind": ("Jamais : Vigie a vu tout le temps.", "Never: Vigie could see all the time."),
    "from": ("Depuis", "From"),
    "lasted": ("Durée", "Lasted"),
    "why": ("Pourquoi", "Why"),
    "whom": ("Concerne", "Concerns"),
    "all": ("tous les services", "all services"),
    "from_location": ("les contrôles faits depuis {name}", "checks from {name}"),
    "lasting": ("dure encore", "still lasts"),
    "stopped": ("arrêt demandé", "stopped on request"),
    "silence": ("aucun résultat : arrêt brutal, veille ou blocage", "no results: a crash, suspension or stall"),
    "model": ("Modèle de langage", "Language model"),
    "model_speed": (
        "lit {prefill} tokens/s, écrit {decode} tokens/s ; mesuré le {at}",
        "reads {prefill} tokens/s, writes {decode} tokens/s; measured on {at}",
    ),
    "model_unknown": ("vitesse pas encore mesurée", "speed not measured yet"),
    "model_none": ("aucun", "none"),
    "versions": ("Versions", "Versions"),
    "system": ("Système", "System"),
    "processes": ("Processus", "Processes"),
    "started": ("Démarrée le", "Started"),
    "endpoints": ("Pour les machines", "For machines"),
    "endpoints_how": (
        "/health pour les répartiteurs de charge, /metrics pour Prometheus.",
        "/health for load balancers, /metrics for Prometheus.",
    ),
}
