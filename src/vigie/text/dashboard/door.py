"""What the way in says: login, second step, set-up, and refusals."""

from vigie.text import Pair, Plural

COUNTED: dict[str, Plural] = {
    "fault_wait": (
        ("Trop d’essais. Réessayez dans une minute.", "Trop d’essais. Réessayez dans {count} minutes."),
        ("Too many attempts. Try again in a minute.", "Too many attempts. Try again in {count} minutes."),
    ),
}

TEXTS: dict[str, Pair] = {
    "login_title": ("Se connecter", "Log in"),
    "name": ("Nom", "Name"),
    "password": ("Mot de passe", "Password"),
    "again": ("Mot de passe, encore une fois", "Password, once more"),
    "log_in": ("Se connecter", "Log in"),
    "by_passkey": ("Se connecter avec une clé d’accès", "Log in with a passkey"),
    "by_oidc": ("Se connecter avec {name}", "Log in with {name}"),
    "passkey_failed": ("La clé d’accès n’a pas été acceptée.", "The passkey was not accepted."),
    "fault_wrong": ("Nom ou mot de passe incorrect.", "Wrong name or password."),
    "fault_busy": (
        "Trop de connexions en ce moment. Réessayez dans quelques secondes.",
        "Too many logins right now. Try again in a few seconds.",
    ),
    "fault_again": ("Cette étape a expiré. Recommencez.", "That step has expired. Please start again."),
    "fault_code": ("Code incorrect, ou déjà utilisé.", "Wrong code, or one that was used already."),
    "fault_oidc": ("Le fournisseur d’identité n’a pas confirmé la connexion.", "The identity provider did not confirm the login."),
    "fault_oidc_unreachable": (
        "Le fournisseur d’identité ne répond pas. Réessayez, ou connectez-vous avec un mot de passe.",
        "The identity provider cannot be reached. Try again, or log in with a password.",
    ),
    "fault_oidc_refused": (
        "Ce compte n’a pas accès à Vigie. Demandez à un administrateur.",
        "This account has no access to Vigie. Ask an administrator.",
    ),
    "nobody": ("Personne n’a encore de compte.", "Nobody has an account yet."),
    "nobody_how": (
        "Le journal de Vigie montre un lien de mise en route, valable une heure après le démarrage. Ou, sur la machine :",
        "Vigie’s log shows a set-up link, valid for one hour after the start. Or, on the machine:",
    ),
    "code_title": ("Code à usage unique", "One-time code"),
    "code": ("Code de l’application, ou code de secours", "Code from the app, or a recovery code"),
    "confirm": ("Confirmer", "Confirm"),
    "other_login": ("Se connecter autrement", "Log in another way"),
    "setup_title": ("Créer le premier compte", "Create the first account"),
    "setup_how": (
        "C’est un compte d’administrateur. Ensuite, la page demande de se connecter.",
        "It is an administrator’s account. From then on, the page asks people to log in.",
    ),
    "create": ("Créer le compte", "Create the account"),
    "rules": (
        "Au moins {count} caractères. Une phrase convient bien ; aucun mélange n’est imposé.",
        "At least {count} characters. A phrase works well; no mixture is required.",
    ),
    "fault_name": (
        "Ce nom n’est pas utilisable : lettres, chiffres et . @ + - _, 64 caractères au plus, et encore libre.",
        "This name cannot be used: letters, digits and . @ + - _, at most 64 characters, and not taken.",
    ),
    "fault_short": ("Ce mot de passe est trop court.", "This password is too short."),
    "fault_long": ("Ce mot de passe est trop long.", "This password is too long."),
    "fault_obvious": ("Ce mot de passe se devine trop facilement.", "This password is too easy to guess."),
    "fault_differ": ("Les deux mots de passe diffèrent.", "The two passwords differ."),
    "fault_gone": (
        "Ce lien de mise en route n’est plus valable. Redémarrez Vigie pour en avoir un autre, ou lancez `vigie user add` sur la machine.",
        "This set-up link is no longer valid. Restart Vigie for another one, or run `vigie user add` on the machine.",
    ),
    "forbidden_title": ("Accès refusé", "Access denied"),
    "forbidden": ("Il faut le rôle {role} ; le vôtre est {own}.", "This needs the role {role}; yours is {own}."),
    "forged_title": ("Demande refusée", "Request refused"),
    "forged": (
        "Cette demande vient de la page d’un autre site. Rien n’a été fait. Ouvrez Vigie et recommencez.",
        "This was requested by the page of another site. Nothing was done. Open Vigie and try again.",
    ),
    "home": ("Vers la vue d’ensemble", "Go to the overview"),
    "role_viewer": ("lecteur", "viewer"),
    "role_responder": ("intervenant", "responder"),
    "role_editor": ("éditeur", "editor"),
    "role_admin": ("administrateur", "admin"),
}
