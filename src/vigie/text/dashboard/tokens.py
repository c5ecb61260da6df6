"""What the page of tokens says."""

from vigie.text import Pair, Plural

COUNTED: dict[str, Plural] = {
    "title": (("{count} jeton d’API", "{count} jetons d’API"), ("{count} API token", "{count} API tokens")),
}

TEXTS: dict[str, Pair] = {
    "page": ("Jetons", "Tokens"),
    "about": (
        "Un programme se présente par un jeton : Authorization: Bearer …",
        "A program identifies itself by a token: Authorization: Bearer …",
    ),
    "name": ("Nom", "Name"),
    "name_how": ("À quoi il sert : « grafana », « CI du site ».", "What it is for: “grafana”, “CI of the site”."),
    "scope": ("Portée", "Scope"),
    "begins": ("Commence par", "Begins with"),
    "by": ("Créé par", "Created by"),
    "expires": ("Expire", "Expires"),
    "expired": ("expiré", "expired"),
    "used": ("Dernier usage", "Last used"),
    "never": ("jamais", "never"),
    "revoke": ("Révoquer", "Revoke"),
    "add": ("Créer un jeton", "Create a token"),
    "create": ("Créer", "Create"),
    "lasts": ("Durée", "Valid for"),
    "days_30": ("30 jours", "30 days"),
    "days_90": ("90 jours", "90 days"),
    "days_365": ("un an", "a year"),
    "days_never": ("sans limite", "no limit"),
    "scope_read": ("read : lire", "read: read everything but secrets"),
    "scope_respond": ("respond : lire, agir sur les alertes", "respond: read, act on alerts, check now"),
    "scope_edit": ("edit : aussi modifier les services", "edit: also change monitors and status pages"),
    "scope_admin": ("admin : tout", "admin: everything"),
    "secret": ("Nouveau jeton", "New token"),
    "secret_how": ("Copiez-le maintenant : il n’est plus montré.", "Copy it now: it is not shown again."),
    "done_revoked": ("Le jeton est révoqué.", "The token is revoked."),
    "fault_form": ("Donnez un nom, une portée et une durée.", "Give a name, a scope and a duration."),
    "fault_unknown": ("Ce jeton n’existe pas.", "There is no such token."),
}
