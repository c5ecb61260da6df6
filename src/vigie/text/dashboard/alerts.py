"""The list of alerts: open first, then those that are over."""

from vigie.text import Pair, Plural

COUNTED: dict[str, Plural] = {
    "open_title": (("{number} alerte ouverte", "{number} alertes ouvertes"), ("{number} alert is open", "{number} alerts are open")),
    "unacked": (
        ("{number} que personne n’a acquittée", "{number} que personne n’a acquittées"),
        ("{number} that nobody has acknowledged", "{number} that nobody has acknowledged"),
    ),
    "services": (("{number} service", "{number} services"), ("{number} service", "{number} services")),
}

TEXTS: dict[str, Pair] = {
    "alerts": ("Alertes", "Alerts"),
    "none_open": ("Aucune alerte n’est ouverte", "No alert is open"),
    "all_acked": ("Toutes ont été acquittées.", "All of them were acknowledged."),
    "none_help": ("Les alertes passées sont ci-dessous.", "Past alerts are below."),
    "never": ("Il n’y a pas encore eu d’alerte.", "There has been no alert yet."),
    "open_h": ("Ouvertes", "Open"),
    "past_h": ("Passées", "Past"),
    "all": ("Toutes", "All"),
    "show_open": ("Ouvertes", "Open"),
    "show_over": ("Passées", "Past"),
    "filter": ("Filtrer les alertes", "Filter alerts"),
    "filter_hint": ("Service, tag:boutique, cause:tls, state:down", "Service, tag:shop, cause:tls, state:down"),
    "apply": ("Filtrer", "Filter"),
    "clear": ("Tout montrer", "Show all"),
    "nothing": ("Aucune alerte ne correspond.", "No alert fits."),
    "of": ("{name} : {what}", "{name}: {what}"),
    "several": ("{services} : {what}", "{services}: {what}"),
    "acked_by": ("acquittée par {by}", "acknowledged by {by}"),
    "snoozed": ("en veille", "snoozed"),
    "nobody": ("personne n’a acquitté", "nobody has acknowledged"),
    "no_cause": ("cause non notée", "no cause noted"),
    "older": ("Plus anciennes", "Older"),
    "newest": ("Les plus récentes", "Newest"),
    "what": ("Quoi", "What"),
    "who": ("Qui s’en occupe", "Who has it"),
    "cause": ("Cause réelle", "Real cause"),
    "since": ("Depuis", "Since"),
    "began": ("Début", "Began"),
    "lasted": ("Durée", "Lasted"),
    "gone_service": ("service retiré", "removed service"),
    "own": ("Vigie elle-même", "Vigie itself"),
    "acknowledge": ("Acquitter", "Acknowledge"),
}
