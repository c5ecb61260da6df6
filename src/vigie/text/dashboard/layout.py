"""What the frame of every page says: navigation, states, footer."""

from vigie.text import Pair, Plural

COUNTED: dict[str, Plural] = {}

TEXTS: dict[str, Pair] = {
    "brand": ("Vigie, vue d’ensemble", "Vigie, overview"),
    "skip": ("Aller au contenu", "Skip to content"),
    "main_nav": ("Navigation principale", "Main"),
    "nav_overview": ("Vue d’ensemble", "Overview"),
    "nav_alerts": ("Alertes", "Alerts"),
    "nav_status_pages": ("Pages d’état", "Status pages"),
    "nav_maintenance": ("Maintenance", "Maintenance"),
    "nav_oncall": ("Astreinte", "On call"),
    "nav_settings": ("Réglages", "Settings"),
    "find": ("Chercher ou agir…", "Search or do…"),
    "theme": ("Passer du clair au sombre", "Switch between light and dark"),
    "undo": ("Annuler", "Undo"),
    "times_in": ("Heures : {zone}", "Times in {zone}"),
    "lateness": ("Retard des contrôles, p99 : {span}", "Lateness of checks, p99: {span}"),
    "other_language": ("English", "Français"),
    "down": ("en panne", "down"),
    "degraded": ("dégradé", "degraded"),
    "unknown": ("indéterminé", "unknown"),
    "maintenance": ("en maintenance", "in maintenance"),
    "suspected": ("à confirmer", "being confirmed"),
    "recovering": ("en cours de rétablissement", "recovering"),
    "none": ("pas encore contrôlé", "not checked yet"),
    "up": ("en ligne", "up"),
}
