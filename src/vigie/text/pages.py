"""What stands in for a page, or was put into it: the figure `family` of content verdicts, in French and English."""

PAGES: dict[str, tuple[str, str]] = {
    "database": ("erreur de base de données", "database error"),
    "application": ("erreur de l'application", "application error"),
    "server": ("erreur du serveur web", "web server error"),
    "proxy": ("erreur d'un mandataire ou CDN", "proxy or CDN error"),
    "not_found": ("page introuvable", "page not found"),
    "default": ("page par défaut", "default page"),
    "hosting": ("page d'hébergeur", "hoster's page"),
    "parked": ("domaine en parking", "parked domain"),
    "maintenance": ("page de maintenance", "maintenance page"),
    "challenge": ("épreuve pour navigateurs", "challenge for browsers"),
    "denied": ("refus d'un pare-feu", "denied by a firewall"),
    "rate_limit": ("limite de débit", "rate limit"),
    "defaced": ("page défigurée", "defaced page"),
    "extortion": ("demande de rançon", "ransom note"),
    "script": ("script injecté", "injected script"),
    "frame": ("cadre caché", "hidden frame"),
    "miner": ("mineur de cryptomonnaie", "coin miner"),
    "spam": ("spam caché", "hidden spam"),
}
