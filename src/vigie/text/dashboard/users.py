"""What the page of accounts says."""

from vigie.text import Pair, Plural

COUNTED: dict[str, Plural] = {
    "title": (
        ("{count} personne a un compte", "{count} personnes ont un compte"),
        ("{count} person has an account", "{count} people have accounts"),
    ),
}

TEXTS: dict[str, Pair] = {
    "page": ("Utilisateurs", "Users"),
    "nobody": ("Personne n’a encore de compte", "Nobody has an account yet"),
    "open_how": (
        "La page est ouverte à tous sur cette machine. Créez un compte, et elle demande de se connecter.",
        "The page is open to everybody on this machine. Create an account, and it asks people to log in.",
    ),
    "name": ("Nom", "Name"),
    "role": ("Rôle", "Role"),
    "ways": ("Se connecte par", "Logs in by"),
    "way_password": ("mot de passe", "password"),
    "way_code": ("code", "code"),
    "way_passkey": ("clé d’accès", "passkey"),
    "way_provider": ("fournisseur d’identité", "identity provider"),
    "seen": ("Dernière connexion", "Last login"),
    "never": ("jamais", "never"),
    "state": ("État", "State"),
    "is_disabled": ("désactivé", "disabled"),
    "is_enabled": ("actif", "enabled"),
    "actions": ("Actions", "Actions"),
    "apply": ("Appliquer", "Apply"),
    "disable": ("Désactiver", "Disable"),
    "enable": ("Réactiver", "Enable"),
    "reset": ("Nouveau mot de passe", "New password"),
    "logout": ("Fermer les sessions", "End sessions"),
    "of": ("{what} : {name}", "{what}: {name}"),
    "add": ("Ajouter un compte", "Add an account"),
    "password": ("Mot de passe", "Password"),
    "password_how": (
        "Au moins {count} caractères. Laissez vide : Vigie en tire un au sort et le montre une fois.",
        "At least {count} characters. Leave it empty: Vigie makes a random one and shows it once.",
    ),
    "create": ("Créer le compte", "Create the account"),
    "once": ("Mot de passe de {name}", "Password of {name}"),
    "once_how": ("Il n’est plus montré : donnez-le par un moyen sûr.", "It is not shown again: pass it on in a safe way."),
    "go_login": ("Se connecter", "Log in"),
    "about_viewer": ("lecteur : tout voir, sauf les secrets", "viewer: sees everything but secrets"),
    "about_responder": (
        "intervenant : agir sur les alertes, maintenance, contrôles immédiats",
        "responder: acts on alerts, begins maintenance, checks now",
    ),
    "about_editor": ("éditeur : services, pages d’état, envois d’essai", "editor: monitors, status pages, test notices"),
    "about_admin": ("administrateur : comptes, jetons, journal d’audit", "admin: accounts, tokens, audit log"),
    "role_viewer": ("lecteur", "viewer"),
    "role_responder": ("intervenant", "responder"),
    "role_editor": ("éditeur", "editor"),
    "role_admin": ("administrateur", "admin"),
    "done_added": ("Le compte est créé.", "The account is created."),
    "done_role": ("Le rôle est changé, dès maintenant.", "The role is changed, as of now."),
    "done_disabled": ("Le compte est désactivé, ses sessions sont fermées.", "The account is disabled, its sessions are ended."),
    "done_enabled": ("Le compte est réactivé.", "The account is enabled again."),
    "done_logout": ("Ses sessions sont fermées.", "Their sessions are ended."),
    "fault_name": (
        "Ce nom n’est pas utilisable : lettres, chiffres et . @ + - _, 64 caractères au plus.",
        "This name cannot be used: letters, digits and . @ + - _, at most 64 characters.",
    ),
    "fault_taken": ("Ce nom est déjà pris.", "This name is taken."),
    "fault_role": ("Choisissez un rôle.", "Choose a role."),
    "fault_short": ("Ce mot de passe est trop court.", "This password is too short."),
    "fault_long": ("Ce mot de passe est trop long.", "This password is too long."),
    "fault_obvious": ("Ce mot de passe se devine trop facilement.", "This password is too easy to guess."),
    "fault_last_admin": (
        "C’est le seul administrateur qui peut se connecter. Nommez-en d’abord un autre.",
        "This is the only admin who can log in. Make somebody else an admin first.",
    ),
    "fault_unknown": ("Ce compte n’existe pas.", "There is no such account."),
}
