"""What is served instead of a page, or was put into it: the figure `family` of content verdicts."""

from vigie.text import Pair

PAGES: dict[str, Pair] = {
    "database": ("erreur de base de données", "database error"),
    "application": ("erreur de l'application", "application error"),
    "server": ("erreur du serveur web", "web server error"),
    "proxy": ("erreur d'un proxy ou d'un CDN", "proxy or CDN error"),
    "not_found": ("page introuvable", "page not found"),
    "default": ("page par défaut", "default page"),
    "hosting": ("page de l'hébergeur", "hosting provider's page"),
    "parked": ("domaine en parking", "parked domain"),
    "maintenance": ("page de maintenance", "maintenance page"),
    "challenge": ("test anti-robot", "browser challenge"),
    "denied": ("refus d'un pare-feu", "denied by a firewall"),
    "rate_limit": ("limite de débit", "rate limit"),
    "defaced": ("page défigurée", "defaced page"),
    "extortion": ("demande de rançon", "ransom note"),
    "script": ("script injecté", "injected script"),
    "frame": ("cadre caché", "hidden frame"),
    "miner": ("mineur de cryptomonnaie", "cryptominer"),
    "listing": ("liste de fichiers", "directory listing"),
    "spam": ("spam caché", "hidden spam"),
}
