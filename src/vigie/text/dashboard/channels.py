"""What the pages of channels say."""

from vigie.text import Pair, Plural

COUNTED: dict[str, Plural] = {
    "head_failing": (
        ("{count} canal sur {all} est en échec", "{count} canaux sur {all} sont en échec"),
        ("{count} of {all} channels is failing", "{count} of {all} channels are failing"),
    ),
    "head_untried": (
        ("Aucun canal n’est en échec ; {count} n’a pas encore servi", "Aucun canal n’est en échec ; {count} n’ont pas encore servi"),
        ("No channel is failing; {count} has not been used yet", "No channel is failing; {count} have not been used yet"),
    ),
    "head_works": (
        ("{count} canal, et il fonctionne", "Les {count} canaux fonctionnent"),
        ("{count} channel, and it works", "All {count} channels work"),
    ),
    "waiting": (
        ("{count} notification en attente", "{count} notifications en attente"),
        ("{count} notice waiting", "{count} notices waiting"),
    ),
    "undeliverable": (
        ("{count} notification non distribuable", "{count} notifications non distribuables"),
        ("{count} undeliverable notice", "{count} undeliverable notices"),
    ),
    "attempts": (("{count} tentative", "{count} tentatives"), ("{count} attempt", "{count} attempts")),
}

TEXTS: dict[str, Pair] = {
    "title": ("Canaux", "Channels"),
    "head_none": ("Aucun canal n’est configuré : personne n’est notifié", "No channel is configured: nobody is notified"),
    "none_how": (
        "Ajoutez-en un sous « notify » dans le fichier ; « vigie init » le fait pour vous.",
        "Add one under “notify” in the file; “vigie init” does it for you.",
    ),
    "lede": (
        "Où partent les alertes. Un essai envoie un message marqué comme tel, sans rien changer d’autre.",
        "Where alerts go. A test sends a message that is marked as one, and changes nothing else.",
    ),
    "channel": ("Canal", "Channel"),
    "goes_to": ("Destination", "Goes to"),
    "state": ("État", "State"),
    "last": ("Dernier envoi", "Last delivery"),
    "last_at": ("Dernier envoi :", "Last delivery:"),
    "never": ("jamais encore", "not yet"),
    "test": ("Essayer", "Test"),
    "testing": ("Envoi en cours…", "Sending…"),
    "tested": ("Distribué : {answer}", "Delivered: {answer}"),
    "test_failed": ("Échec : {failure}", "Failed: {failure}"),
    "works": ("fonctionne", "works"),
    "untried": ("pas encore utilisé", "not used yet"),
    "failing_since": ("en échec depuis {since} : {answer}", "failing since {since}: {answer}"),
    "restored": ("en échec jusqu’à {until}, rétabli depuis", "failing until {until}, restored since"),
    "details": ("Réglages", "Settings"),
    "defined": ("Défini dans", "Defined in"),
    "kind": ("Type", "Kind"),
    "read_only": ("lecture seule : à modifier dans le fichier", "read-only: change it in the file"),
    "unsent": ("Notifications non envoyées", "Unsent notices"),
    "no_unsent": ("Toutes sont parties.", "Everything has been sent."),
    "about": ("À propos de", "About"),
    "queued": ("Mise en file", "Queued"),
    "next": ("Prochaine tentative", "Next attempt"),
    "given_up": ("abandonnée", "given up"),
    "why": ("Dernière réponse", "Last answer"),
    "retry": ("Réessayer", "Try again"),
    "drop": ("Abandonner", "Drop"),
    "drop_sure": ("Abandonner cette notification ? Elle ne sera jamais envoyée.", "Drop this notice? It will never be sent."),
    "preview": ("Ce que ce canal enverrait", "What this channel would send"),
    "preview_how": (
        "D’après l’incident le plus récent, ou un exemple s’il n’y en a pas ; rien n’est envoyé.",
        "About the newest incident on record, or a sample where there is none; nothing is sent.",
    ),
    "sample": ("exemple", "sample"),
    "template_fault": (
        "Un modèle a échoué : {fault}. Le message standard serait envoyé.",
        "A template failed: {fault}. The standard message would be sent.",
    ),
    "reason_opened": ("Panne", "Outage"),
    "reason_reminder": ("Rappel", "Reminder"),
    "reason_recovered": ("Rétablissement", "Recovery"),
    "back": ("Tous les canaux", "All channels"),
    "done_tested": ("Le message d’essai a été distribué.", "The test message was delivered."),
    "done_failed": ("Le message d’essai n’a pas été distribué.", "The test message was not delivered."),
    "done_retried": ("La notification est réessayée maintenant.", "The notice is tried again now."),
    "done_dropped": ("La notification est abandonnée.", "The notice is dropped."),
    "done_gone": ("Cette notification n’attend plus.", "That notice is no longer unsent."),
    "head_one_failing": ("{name} est en échec depuis {since}", "{name} has been failing since {since}"),
    "head_one": ("{name} fonctionne", "{name} works"),
    "head_one_untried": ("{name} n’a encore rien envoyé", "{name} has not sent anything yet"),
}
