"""What the frame of every page says: navigation, states, palette, keyboard, footer."""

from vigie.text import Pair, Plural

COUNTED: dict[str, Plural] = {
    "keeps_days": (
        ("Base {size}, {count} jour à ce rythme", "Base {size}, {count} jours à ce rythme"),
        ("Store {size}, {count} day at this rate", "Store {size}, {count} days at this rate"),
    ),
}

TEXTS: dict[str, Pair] = {
    "brand": ("Vigie, aperçu", "Vigie, overview"),
    "skip": ("Aller au contenu", "Skip to content"),
    "main_nav": ("Navigation principale", "Main"),
    "nav_overview": ("Aperçu", "Overview"),
    "nav_alerts": ("Alertes", "Alerts"),
    "nav_status_pages": ("Pages d’état", "Status pages"),
    "nav_maintenance": ("Maintenance", "Maintenance"),
    "nav_oncall": ("Astreinte", "On call"),
    "nav_settings": ("Réglages", "Settings"),
    "more": ("Plus", "More"),
    "tab_general": ("Général", "General"),
    "tab_channels": ("Canaux", "Channels"),
    "tab_users": ("Utilisateurs", "Users"),
    "tab_agents": ("Agents", "Agents"),
    "tab_tokens": ("Jetons", "Tokens"),
    "tab_audit": ("Journal d’audit", "Audit log"),
    "tab_system": ("Vigie elle-même", "Vigie itself"),
    "live": ("En direct", "Live"),
    "find": ("Chercher ou agir…", "Search or do…"),
    "theme": ("Passer du clair au sombre", "Switch between light and dark"),
    "undo": ("Annuler", "Undo"),
    "close": ("Fermer", "Close"),
    "times_in": ("Heures : {zone}", "Times in {zone}"),
    "lateness": ("Retard des contrôles, p99 : {span}", "Lateness of checks, p99: {span}"),
    "keeps": ("Base {size}", "Store {size}"),
    "open_here": ("Sans connexion : cette machine seulement", "No login: this machine only"),
    "other_language": ("English", "Français"),
    "keyboard": ("Clavier", "Keyboard"),
    # States
    "down": ("en panne", "down"),
    "degraded": ("dégradé", "degraded"),
    "unknown": ("indéterminé", "unknown"),
    "maintenance": ("en maintenance", "in maintenance"),
    "suspected": ("à confirmer", "being confirmed"),
    "recovering": ("en cours de rétablissement", "recovering"),
    "none": ("pas encore contrôlé", "not checked yet"),
    "up": ("en ligne", "up"),
    # Live
    "lost": (
        "Liaison perdue il y a {span}. La page date de {time} ; nouvel essai dans {wait}.",
        "Lost {span} ago. What you see is from {time}; trying again in {wait}.",
    ),
    "lost_short": ("Perdu il y a {span}", "Lost {span} ago"),
    "try_now": ("Réessayer", "Try now"),
    "changed_one": (
        "1 service a changé d’état ; l’ordre ci-dessous date de {time}.",
        "1 service changed state; the order below is from {time}.",
    ),
    "changed_more": (
        "{count} services ont changé d’état ; l’ordre ci-dessous date de {time}.",
        "{count} services changed state; the order below is from {time}.",
    ),
    "list_changed": (
        "La liste a changé ; celle-ci date de {time}.",
        "The list has changed; what you see is from {time}.",
    ),
    "page_changed": ("Cette page a changé.", "This page has changed."),
    "reload": ("Actualiser", "Reload"),
    "sort_again": ("Trier à nouveau", "Sort again"),
    "new_alert": ("Nouvelle alerte : {text}", "New alert: {text}"),
    "now_state": ("{name} : {state}", "{name}: {state}"),
    "failed": ("Vigie n’a pas pu le faire : {why}", "Vigie could not do this: {why}"),
    "no_answer": ("elle ne répond pas", "it does not answer"),
    "yesterday": ("hier", "yesterday"),
    # Palette
    "palette": ("Commandes", "Commands"),
    "palette_field": ("Chercher un service ou lancer une commande", "Search services or run a command"),
    "palette_hint": ("Service, adresse, étiquette ou commande", "Service, address, tag or command"),
    "palette_results": ("Résultats", "Results"),
    # Keyboard
    "keys": ("Raccourcis clavier", "Keyboard"),
    "keys_on": ("Raccourcis actifs", "Shortcuts are on"),
    "key_palette": ("chercher, ou lancer une commande", "search, or run a command"),
    "key_filter": ("filtrer", "filter"),
    "key_move": ("ligne suivante, précédente", "next row, previous row"),
    "key_open": ("ouvrir", "open"),
    "key_acknowledge": ("acquitter", "acknowledge"),
    "key_snooze": ("rappeler plus tard", "snooze"),
    "key_note": ("ajouter une note", "add a note"),
    "key_check": ("contrôler maintenant", "check now"),
    "key_diagnose": ("diagnostiquer", "diagnose"),
    "key_maintenance": ("planifier une maintenance", "plan maintenance"),
    "key_sort": ("trier à nouveau", "sort again"),
    "key_go": ("aller à l’aperçu, aux alertes, aux pages d’état", "go to the overview, alerts, status pages"),
    "key_list": ("cette liste", "this list"),
}

# What the script says itself; the rest of its words come with what it shows.
SCRIPT = (
    "lost",
    "lost_short",
    "try_now",
    "changed_one",
    "changed_more",
    "list_changed",
    "page_changed",
    "reload",
    "sort_again",
    "new_alert",
    "now_state",
    "failed",
    "no_answer",
)

# The keys, and what each does.
KEYS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("Ctrl", "K"), "palette"),
    (("/",), "filter"),
    (("J", "K"), "move"),
    (("↵",), "open"),
    (("A",), "acknowledge"),
    (("S",), "snooze"),
    (("N",), "note"),
    (("C",), "check"),
    (("D",), "diagnose"),
    (("M",), "maintenance"),
    (("R",), "sort"),
    (("G", "O/A/S"), "go"),
    (("?",), "list"),
)
