"""What pages say where they cannot be shown: nothing there, refused, the database fails, a fault of Vigie's own."""

from vigie.text import Pair, Plural

COUNTED: dict[str, Plural] = {}

TEXTS: dict[str, Pair] = {
    # The database
    "what_full": ("Le disque de la base de Vigie est plein", "The disk with Vigie’s database is full"),
    "what_busy": ("La base de Vigie est verrouillée par un autre programme", "Vigie’s database is locked by another program"),
    "what_read_only": ("La base de Vigie est en lecture seule", "Vigie’s database is read-only"),
    "what_corrupt": ("La base de Vigie est endommagée", "Vigie’s database is damaged"),
    "what_newer": ("La base de Vigie vient d’une version plus récente", "Vigie’s database comes from a newer version"),
    "what_fenced": ("Un autre serveur de Vigie a pris la relève", "Another Vigie server has taken over"),
    "what_unreachable": ("Le serveur de la base de Vigie est injoignable", "Vigie’s database server cannot be reached"),
    "what_auth": ("La base de Vigie refuse l’identification", "Vigie’s database refuses the login"),
    "what_unsuitable": ("Vigie ne peut pas utiliser ce serveur de base", "Vigie cannot use this database server"),
    "what_other": ("La base de Vigie ne répond pas", "Vigie’s database does not answer"),
    "noticed": ("Constaté pour la première fois à {time}.", "First noticed at {time}."),
    "unsaved": (
        "Ce que vous venez d’envoyer n’a peut-être pas été enregistré.",
        "What you have just sent may not have been saved.",
    ),
    "works": ("Ce qui fonctionne encore", "What still works"),
    "works_checks": (
        "Les contrôles continuent. Leurs résultats attendent en mémoire et seront enregistrés avec leur heure exacte.",
        "Checks go on. Their results wait in memory and will be saved with their exact times.",
    ),
    "works_alerts": (
        "Aucun service n’est déclaré en panne pour cette raison. Les alertes partiront dès que la base acceptera des écritures.",
        "No service is marked down because of this. Alerts are sent as soon as the database accepts writes again.",
    ),
    "next": ("À faire d’abord", "First step"),
    "next_full": (
        "Libérez de l’espace sur ce disque. Vigie reprend d’elle-même, sans redémarrage.",
        "Free some space on that disk. Vigie resumes by itself, without a restart.",
    ),
    "next_busy": (
        "Réessayez dans un instant. Si cela dure, fermez le programme qui a ouvert le fichier.",
        "Try again in a moment. If it lasts, close the program that has the file open.",
    ),
    "next_read_only": (
        "Rendez le fichier et son dossier accessibles en écriture au compte sous lequel Vigie fonctionne.",
        "Make the file and its folder writable for the account that Vigie runs as.",
    ),
    "next_corrupt": (
        "Arrêtez Vigie, gardez une copie du fichier, puis restaurez la dernière sauvegarde : vigie restore.",
        "Stop Vigie, keep a copy of the file, then restore the last backup: vigie restore.",
    ),
    "next_newer": (
        "Installez cette version plus récente, ou restaurez une sauvegarde faite avant elle : vigie restore.",
        "Install that newer version, or restore a backup from before it: vigie restore.",
    ),
    "next_fenced": (
        "Réessayez dans un instant : ce serveur se met en attente et lit ce que l’autre enregistre.",
        "Try again in a moment: this server goes on standby and reads what the other one saves.",
    ),
    "next_unreachable": (
        "Vérifiez que PostgreSQL fonctionne et que le réseau mène jusqu’à lui. Vigie se reconnecte d’elle-même, sans redémarrage.",
        "Check that PostgreSQL runs and that the network reaches it. Vigie reconnects by itself, without a restart.",
    ),
    "next_auth": (
        "Comparez l’utilisateur et le mot de passe de l’adresse « store » avec ceux du serveur, et vérifiez pg_hba.conf.",
        "Compare the user and the password in the “store” address with those of the server, and check pg_hba.conf.",
    ),
    "next_unsuitable": (
        "Le message ci-dessous dit ce qui ne convient pas : la version, l’encodage ou les droits. vigie doctor vérifie la correction.",
        "The message below says what does not fit: the version, the encoding or the privileges. vigie doctor verifies the correction.",
    ),
    "next_other": (
        "Le journal de Vigie en dit plus. Vérifiez que le disque est monté et que le fichier existe.",
        "Vigie’s log says more. Check that the disk is mounted and that the file exists.",
    ),
    "details": ("Message de la base", "What the database said"),
    "try_again": ("Réessayer", "Try again"),
    "box": ("{what}. Les contrôles continuent.", "{what}. Checks go on."),
    # Everything else
    "title_400": ("Cette demande n’a pas pu être lue", "This request could not be read"),
    "how_400": (
        "Le formulaire est incomplet, trop long, ou ne vient pas de cette page. Revenez en arrière et recommencez.",
        "The form is incomplete, too long, or does not come from this page. Go back and try again.",
    ),
    "title_403": ("Accès refusé", "Access denied"),
    "how_403": ("Votre rôle ne le permet pas. Demandez à un administrateur.", "Your role does not allow this. Ask an administrator."),
    "title_404": ("Il n’y a rien à cette adresse", "There is nothing at this address"),
    "how_404": (
        "Le lien est peut-être ancien, ou ce qu’il désigne a été supprimé ou renommé.",
        "The link may be old, or what it points to was deleted or renamed.",
    ),
    "title_405": ("Cette adresse ne s’ouvre pas ainsi", "This address cannot be opened like this"),
    "how_405": (
        "Elle reçoit ce qu’un formulaire envoie. Ouvrez la page du formulaire.",
        "It takes what a form sends. Open the page with the form instead.",
    ),
    "title_413": ("C’est trop long", "This is too large"),
    "how_413": ("Rien n’a été enregistré. Raccourcissez le contenu et recommencez.", "Nothing was saved. Shorten it and try again."),
    "title_429": ("Trop d’essais", "Too many attempts"),
    "how_429": ("Réessayez dans quelques minutes.", "Try again in a few minutes."),
    "title_500": ("Cette page n’a pas pu être préparée", "This page could not be made"),
    "how_500": (
        "C’est un défaut de Vigie, et non de vos services. Son journal en garde la trace ; les contrôles et les alertes continuent.",
        "This is a fault in Vigie, not in your services. Its log has the details; checks and alerts go on.",
    ),
    "title_503": ("Cette page n’est pas disponible en ce moment", "This page is not available right now"),
    "how_503": (
        "Réessayez dans un instant. Les contrôles et les alertes continuent.",
        "Try again in a moment. Checks and alerts go on.",
    ),
    "title_other": ("La demande a été refusée", "The request was refused"),
    "how_other": ("Vigie a répondu par le code HTTP {status}.", "Vigie answered with HTTP status {status}."),
    "home": ("Vers l’aperçu", "Go to the overview"),
    "search": ("Chercher un service", "Search for a service"),
}
