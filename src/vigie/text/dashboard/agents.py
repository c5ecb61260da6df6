"""What the page of agents says."""

from vigie.text import Pair, Plural

COUNTED: dict[str, Plural] = {
    "title": (("{count} agent", "{count} agents"), ("{count} agent", "{count} agents")),
    "spooled": (("{count} lot en attente", "{count} lots en attente"), ("{count} batch waits", "{count} batches wait")),
}

TEXTS: dict[str, Pair] = {
    "page": ("Agents", "Agents"),
    "about": (
        "Un agent contrôle les services depuis un autre emplacement et transmet ses mesures à ce serveur.",
        "An agent checks services from another location and reports to this server.",
    ),
    "name": ("Nom", "Name"),
    "location": ("Emplacement", "Location"),
    "state": ("État", "State"),
    "state_new": ("jamais vu", "never heard"),
    "state_reporting": ("en ligne", "reporting"),
    "state_silent": ("sans nouvelles", "silent"),
    "copied": ("un autre agent utilise ce nom ; il est refusé", "another agent uses this name, and is refused"),
    "heard": ("Dernières nouvelles", "Last heard"),
    "version": ("Version", "Version"),
    "monitors": ("Services", "Monitors"),
    "spool": ("En attente", "Spool"),
    "spool_empty": ("rien", "empty"),
    "clock": ("Horloge", "Clock"),
    "clock_right": ("à l’heure", "right"),
    "clock_fast": ("avance de {off}", "{off} fast"),
    "clock_slow": ("retarde de {off}", "{off} slow"),
    "never": ("jamais", "never"),
    "revoke": ("Révoquer", "Revoke"),
    "add": ("Inscrire un agent", "Enroll an agent"),
    "name_how": ("Petites lettres, chiffres et tirets : « paris-1 ».", "Small letters, digits and hyphens: “paris-1”."),
    "location_how": (
        "Le nom que portent les clés « locations » des services : « paris ».",
        "As the key “locations” of monitors names it: “paris”.",
    ),
    "enroll": ("Inscrire", "Enroll"),
    "secret": ("Jeton de l’agent", "Token of the agent"),
    "secret_how": (
        "Copiez-le maintenant : il n’est plus montré. Sur la machine de l’agent :",
        "Copy it now: it is not shown again. On the agent's machine:",
    ),
    "done_revoked": ("L’agent est révoqué.", "The agent is revoked."),
    "fault_form": (
        "Donnez un nom et un emplacement : petites lettres, chiffres et tirets ; pas l’emplacement de ce serveur.",
        "Give a name and a location: small letters, digits and hyphens; not this server's own location.",
    ),
    "fault_taken": ("Un agent de ce nom est déjà inscrit.", "An agent of this name is enrolled already."),
    "fault_unknown": ("Cet agent n’existe pas.", "There is no such agent."),
}
