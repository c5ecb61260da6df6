"""Pages that no table names: what people write when a service is in trouble, in ten languages, and where it must stand to count.

A phrase proves nothing by occurring. `head` is what a title or a heading says when it says nothing else; `body` is what such a
page goes on to explain. Both together, on a page without matter of its own, are a verdict; see judge.py.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from vigie.probes.kit.http.page.signs import Family


@dataclass(frozen=True, slots=True)
class Wording:
    """One language's: `head` always holds one of `stems`, which are looked for first because it costs little."""

    stems: tuple[str, ...]
    head: str
    body: str


@dataclass(frozen=True, slots=True)
class Phrases:
    """One family's wording, by language: a head is explained by a body in its own language, not by a word from anywhere."""

    name: str
    family: Family
    wordings: Mapping[str, Wording]
    framed: bool = True  # may also be said inside a site's own frame

    def spoken(self, text: str) -> list[str]:
        """The languages in which a text may hold a head."""
        return [language for language, wording in self.wordings.items() if any(stem in text for stem in wording.stems)]

    def head(self, language: str, text: str) -> re.Match[str] | None:
        """What a title's part or a heading says."""
        return _compiled(f"(?<![a-zà-ÿа-я])(?:{self.wordings[language].head})(?![a-zà-ÿа-я])").search(text)

    def body(self, language: str, text: str) -> re.Match[str] | None:
        """The explanation in a text."""
        return _compiled(self.wordings[language].body).search(text)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)  # pattern: from the tables below, which the suite reads


MAINTENANCE = Phrases(
    "maintenance page",
    Family.MAINTENANCE,
    {
        "en": Wording(
            ("maint", "back", "offline", "unavailable", "down", "closed", "upgrad", "updat"),
            r"(?:scheduled |planned |site |website |system |server |ongoing |under |down for |closed for |offline for |currently |in |undergoing ){0,8}maintenance(?: mode| page| break| in progress| underway| notice| works?){0,8}|(?:(?:sorry,? )?we(?:'ll| will) be (?:right )?back(?: soon| shortly| online| later| in a \w+){0,8}|(?:we(?:'ll| will) )?be right back|back soon|we'?re (?:down|offline|upgrading|updating)[\w ]*|temporarily (?:offline|down|unavailable|closed)|(?:site|website|page|service) (?:is )?(?:temporarily |currently )?(?:offline|down|unavailable|under maintenance|closed))",
            r"(?:down|closed|offline|unavailable|performing|undergoing|under|carrying out|doing|conducting|for|some|scheduled|routine|essential|planned) (?:\w+ ){0,3}maintenance|(?:be|come) back (?:online |up |with you |to normal )?(?:soon|shortly|later|in a|by|within|at|as soon)|back (?:online|up and running)|(?:currently|temporarily) (?:unavailable|offline|down|closed|updating|upgrading)|(?:upgrading|updating|improving) (?:our|the) \w+|check back (?:soon|later|in|shortly)|please try again (?:later|shortly|soon)|please come back (?:later|soon)",
        ),
        "fr": Wording(
            ("maint", "revenons", "revient", "retour", "indisponible", "inaccessible", "fermé"),
            "(?:site |page |service )?(?:(?:est )?(?:actuellement )?en (?:cours de )?maintenance(?: en cours)?|maintenance (?:en cours|programmée|planifiée|du site)?|(?:nous revenons|on revient|nous serons de retour|de retour) (?:bientôt|très vite|vite|dans un instant|rapidement)|nous (?:serons|sommes) (?:très |bientôt )+de retour|(?:site |service )?(?:momentanément|temporairement|provisoirement) (?:indisponible|inaccessible|fermé))",
            r"(?:actuellement|temporairement|momentanément|est) (?:\w+ ){0,2}en (?:cours de )?maintenance|(?:momentanément|temporairement|actuellement|provisoirement) (?:indisponible|inaccessible|fermé|hors ligne|suspendu)|opérations? de maintenance|(?:revenez|revenir|réessayez|réessayer|reviendrons|rétabli|de retour|à très|veuillez patienter)",
        ),
        "de": Wording(
            ("wart", "zurück", "wieder", "nicht erreichbar", "nicht verfügbar", "offline", "geschlossen"),
            "(?:wartung(?:sarbeiten|smodus|spause)?(?: läuft)?|geplante wartung|wir sind (?:gleich|bald|in kürze) (?:zurück|wieder (?:da|zurück|für sie da|online))|(?:gleich|bald) (?:wieder|zurück)(?: da)?|(?:vorübergehend|derzeit|momentan|zurzeit) (?:nicht (?:erreichbar|verfügbar)|offline|geschlossen)|(?:seite|website|webseite|shop) (?:wird gewartet|in wartung|im wartungsmodus))",
            r"wegen (?:\w+ ){0,3}(?:wartung|umbau|aktualisierung|umstellung)|(?:vorübergehend|derzeit|momentan|zurzeit|aktuell|gerade|im moment) (?:\w+ ){0,2}(?:nicht (?:erreichbar|verfügbar)|gewartet|offline|wartung|überarbeitet|aktualisiert|geschlossen)|in kürze (?:wieder|zurück)|bald wieder|später (?:noch ?einmal|erneut|wieder)|wieder (?:für sie da|erreichbar|online)|führen (?:\w+ ){0,3}wartungsarbeiten",
        ),
        "es": Wording(
            ("mantenim", "volvemos", "volveremos", "vuelta", "regresamos", "no disponible", "fuera de servicio"),
            "(?:sitio |página |web |estamos |servicio ){0,8}(?:en|por|bajo) (?:tareas de )?mantenimiento|mantenimiento(?: programado| en curso| del sitio)?|volvemos (?:pronto|enseguida|en breve)|(?:volveremos|estaremos de vuelta|regresamos) (?:muy )?(?:pronto|en breve)|temporalmente (?:no disponible|fuera de servicio)",
            "(?:tareas|trabajos|labores) de mantenimiento|en mantenimiento|temporalmente|volveremos|vuelva (?:a intentarlo|más tarde|pronto)|disculp|en breve",
        ),
        "it": Wording(
            ("manutenz", "torniamo", "torneremo", "saremo", "temporaneamente"),
            "(?:il )?(?:sito |pagina |servizio )?(?:è )?in manutenzione|manutenzione(?: in corso| programmata| del sito)?|torniamo (?:subito|presto|a breve|online)|(?:torneremo|saremo di nuovo online) (?:presto|a breve)|temporaneamente (?:non disponibile|offline|sospeso)",
            r"in manutenzione|(?:stiamo|lavori) (?:\w+ ){0,4}(?:manutenzione|aggiornando|lavorando|migliorare)|torneremo|temporaneamente|riprova(?:re)? più tardi|a breve|ci scusiamo",
        ),
        "pt": Wording(
            ("manutenç", "voltamos", "voltaremos", "volta", "temporariamente"),
            "(?:site |página |estamos |sistema |serviço ){0,8}em manutenção|manutenção(?: programada| em andamento| do site)?|(?:voltamos|voltaremos|já voltamos|estaremos de volta) (?:já|em breve|logo)|já voltamos|temporariamente (?:indisponível|fora do ar)",
            "em manutenção|manutenção programada|(?:melhorias|atualiza)|(?:voltamos|voltaremos|estaremos de volta|retornaremos)|temporariamente|tente novamente|em breve|mais tarde",
        ),
        "nl": Wording(
            ("onderhoud", "terug", "tijdelijk"),
            "(?:gepland |website |wij zijn in |we zijn in |in |site in ){0,8}onderhoud(?:swerkzaamheden| aan de site| bezig)?|we (?:zijn|komen) (?:zo|straks|snel|binnenkort) (?:weer )?terug|(?:zo|snel|binnenkort) (?:weer )?terug|tijdelijk (?:niet (?:bereikbaar|beschikbaar)|offline|gesloten)",
            r"(?:wegens|vanwege|door|in) (?:\w+ ){0,2}onderhoud|onderhoud (?:uit|aan)|tijdelijk (?:\w+ )?(?:niet|offline|gesloten|onbereikbaar)|probeer het (?:later|straks|over)|(?:snel|zo|binnenkort) (?:weer )?(?:terug|online|bereikbaar)",
        ),
        "ja": Wording(
            ("メンテナンス", "一時停止"),
            "(?:ただいま|只今|現在|システム|サーバー|緊急|定期){0,8}、?(?:システム|サーバー)?メンテナンス(?:中(?:です)?|のお知らせ|作業中|実施中)?|(?:サービス)?一時停止(?:中)?",
            "メンテナンス(?:中|作業|のため|を(?:行|実施))|サービスを(?:一時)?停止|しばらく(?:お待ち|経って|時間)|ご(?:迷惑|不便)",
        ),
        "zh": Wording(
            ("维护", "維護", "升级", "关闭", "暂停"),
            "(?:系统|网站|服务器|站点|正在|平台){0,8}(?:升级)?维护(?:中|升级|公告|通知)?|(?:系統|網站){0,8}維護(?:中|公告)?|网站(?:升级|暂时关闭|暂停访问)",
            "(?:升级|系统|网站|服务器|正在|进行)(?:维护|升级)|維護|暂时(?:无法|关闭|停止|不可)|请稍后|敬请谅解|请耐心|稍後",
        ),
        "ru": Wording(
            ("техни", "обслуживан", "профилакт", "временно", "скоро"),
            r"(?:ведутся |идут |проводятся )?технические? работы?(?: на сайте)?|(?:проводятся |идут |ведутся )?профилактические работы|(?:сайт )?(?:на |закрыт на )?(?:техническ\w{1,12} )?обслуживани[еи]|сайт временно (?:недоступен|закрыт|не работает)|мы скоро вернемся|скоро вернёмся|скоро вернемся",
            r"технич\w{1,12} работ|временно (?:недоступен|не работает|закрыт|приостановлен)|приносим извинения|(?:зайдите|попробуйте|возвращайтесь|загляните|повторите) (?:\w+ )?(?:позже|позднее)|скоро (?:верн|заработ|будет)|ведутся работы",
        ),
    },
    framed=False,
)

SERVER_ERROR = Phrases(
    "server error",
    Family.APPLICATION,
    {
        "en": Wording(
            (
                "error",
                "exception",
                "gateway",
                "timeout",
                "timeout",
                "timed out",
                "unavailable",
                "unreachable",
                "bad request",
                "busy",
                "overload",
                "responding",
                "failed",
                "not allowed",
                "wrong",
                "problem",
                "trouble",
                "difficult",
                "working",
            ),
            r"(?:http )?(?:(?:internal|unexpected|application|server|fatal|system|unknown|temporary|general|runtime|critical|unhandled|an|a|the|sorry,?|oops,?|whoops,?) ?){0,8}(?:server |application |system )?(?:error|exception)(?: (?:has )?occurr?ed| encountered)?(?: \(?\d{3}\)?)?(?: while processing your request)?|(?:http )?(?:\d{3} )?(?:bad gateway|gateway time-?out|service (?:temporarily )?(?:unavailable|unreachable)|bad request|connection timed out|request time-?out|server (?:is )?(?:temporarily )?(?:unavailable|too busy|overloaded|not responding|busy)|backend fetch failed|internal server error|method not allowed|temporarily unavailable)|(?:(?:oops|whoops|sorry|uh[- ]oh|ouch)[!.,… ]*)?(?:something (?:went|has gone|is) (?:\w+ )?wrong|this is(?:n't| not) working|we(?:'re| are| have| ran| encountered)? (?:\w+ ){0,3}(?:problems?|technical difficult\w+|trouble|an? (?:\w+ )?error))",
            r"(?:server|application|system|site|website|we|page|service)(?:'s|'ve| has| have)? (?:has |have )?(?:encountered|experienced|experiencing|returned|detected) (?:\w+ ){0,3}(?:error|problem|condition|exception|difficult)|(?:try|check|reload|refresh) (?:\w+ ){0,4}(?:again|later|back|page)|(?:we(?:'re| are)|engineers?|team|administrator|staff|webmaster|technicians?)(?: (?:has|have|is|are|was|were))? (?:been )?(?:notified|informed|looking|working|aware)|(?:contact|notify|inform) (?:the |your |our )?(?:\w+ ){0,3}(?:administrator|support|webmaster|owner|us)|(?:could not|couldn't|unable to|cannot|can't|failed to) (?:\w+ ){0,2}(?:complete|process|fulfil|handle|satisfy|service|display|load|be (?:completed|processed|displayed)|connect)|unexpected (?:error|problem|condition)|(?:an?|the) (?:\w+ )?error (?:has )?occurr?ed|sorry for (?:the|any) (?:inconvenience|trouble)|temporarily (?:unavailable|busy|overloaded|unable)|is overloaded|error (?:id|code|reference|number)|invalid response (?:was )?received|upstream server|maintenance downtime or capacity",
        ),
        "fr": Wording(
            ("erreur", "problème", "incident", "mal passé", "indisponible"),
            r"(?:oups[!.,… ]*)?(?:une )?erreur (?:interne |inattendue |technique |serveur |système |fatale |est survenue|s'est produite|du serveur){0,8}(?:\d{3})?(?:du serveur|est survenue|s'est produite)?|(?:oups[!.,… ]*)?(?:quelque chose s'est mal passé|un problème est survenu|un incident est survenu)|service (?:temporairement |momentanément )?indisponible|problème technique|incident technique",
            r"(?:réessayer|réessayez|revenez) (?:\w+ ){0,8}(?:plus tard|ultérieurement|dans)|(?:le serveur|nous avons|l'application) (?:a )?(?:rencontré|rencontre)|(?:nos|notre) (?:équipes?|techniciens) (?:\w+ ){0,3}(?:informé|prévenu|travaill|aver|mobilis)|veuillez (?:nous )?(?:excuser|contacter|patienter)|désolés? (?:pour|de)|code d'erreur|une erreur",
        ),
        "de": Wording(
            ("fehler", "schief", "störung", "nicht verfügbar", "problem"),
            r"(?:(?:hoppla|ups|oje|huch)[!.,… ]*)?(?:da |hier |es )?(?:ist |ging |lief )?(?:leider )?(?:etwas |was )?(?:schief ?gelaufen|schief ?gegangen|schief)|(?:interner |unerwarteter |technischer |schwerer |ein |es ist ein ){0,8}(?:server ?-?fehler|systemfehler|anwendungsfehler|fehler)(?: aufgetreten| \d{3}| ist aufgetreten)?|(?:technische störung|störung|dienst nicht verfügbar|technisches problem)",
            r"(?:versuchen sie es|später|bitte) (?:\w+ ){0,4}(?:noch ?einmal|erneut|wieder)|(?:fehler|problem|störung) (?:aufgetreten|ist aufgetreten)|aufgetreten|(?:wir|unser team|techniker) (?:\w+ ){0,4}(?:arbeiten|informiert|kümmer)|entschuldig|fehlercode|fehlernummer",
        ),
        "es": Wording(
            ("error", " mal", "no disponible"),
            "(?:(?:ups|vaya|lo sentimos)[!.,… ]*)?(?:algo (?:salió|ha salido|fue) mal|(?:ha ocurrido |se ha producido |se produjo |ocurrió )?(?:un )?error(?: interno| inesperado| del servidor| de servidor| en el servidor| en la aplicación){0,8}|servicio (?:temporalmente )?no disponible)",
            r"(?:inténtelo|inténtalo|vuelva a|intente|intentarlo) (?:\w+ ){0,8}(?:más tarde|nuevo|nuevamente|intentarlo)|ha ocurrido|se ha producido|disculp|código de error|nuestro equipo",
        ),
        "it": Wording(
            ("errore", "storto", "non disponibile"),
            "(?:ops[!.,… ]*)?(?:qualcosa è andato storto|(?:si è verificato )?(?:un )?errore(?: interno| imprevisto| del server| di sistema){0,8}|servizio (?:temporaneamente )?non disponibile)",
            r"(?:riprova|riprovare|si prega di) (?:\w+ ){0,8}(?:più tardi|riprovare|nuovo)|si è verificato|ci scusiamo|codice (?:di )?errore",
        ),
        "pt": Wording(
            ("erro", "errado", "mal", "indisponível"),
            r"(?:(?:ops|opa)[!.,… ]*)?(?:algo deu errado|algo correu mal|(?:ocorreu )?(?:um )?erro(?: interno| inesperado| do servidor| no servidor){0,8}(?: \d{3})?|serviço (?:temporariamente )?indisponível)",
            r"(?:tente|tentar) (?:\w+ ){0,8}(?:novamente|mais tarde|de novo)|ocorreu|pedimos desculpas|desculpe|código do erro|nossa equipe",
        ),
        "nl": Wording(
            ("fout", "mis", "niet beschikbaar", "storing"),
            "(?:oeps[!.,… ]*)?(?:er (?:is|ging) (?:iets|wat) (?:fout|mis)(?:gegaan| gegaan)?|(?:er is een |interne |onverwachte |technische ){0,8}(?:server)?fout(?: opgetreden)?|dienst (?:tijdelijk )?niet beschikbaar|technische storing|storing)",
            r"probeer (?:het|u|je|opnieuw) (?:\w+ ){0,8}(?:later|opnieuw|nogmaals)|(?:is|heeft) (?:\w+ ){0,4}opgetreden|excuses|onze (?:technici|ontwikkelaars|medewerkers)|foutcode",
        ),
        "ja": Wording(
            ("エラー", "アクセス", "混み合"),
            "(?:内部|サーバー|システム|予期しない|予期せぬ){0,8}(?:の)?エラー(?:が発生しました|発生|です)?|アクセスが(?:集中|混雑)(?:して(?:い|お)(?:ます|ります))?|(?:ただいま|只今|現在)、?(?:大変)?(?:混み合って|アクセスが集中)(?:い|お)?(?:ます|ります)",
            "(?:しばらく|時間を|時間が|後ほど)|申し訳|ご迷惑|再度|管理者",
        ),
        "zh": Wording(
            ("错误", "錯誤", "出错", "异常", "故障", "繁忙", "不可用"),
            "(?:服务器|系统|内部|程序|应用|网站|页面|伺服器|系統){0,8}(?:发生|出现|內部|運行)?(?:了)?(?:内部)?(?:错误|出错|异常|故障|繁忙|錯誤)(?:了|提示|信息)?|服务(?:暂时)?不可用",
            "请(?:稍后|稍候|联系|返回|重试|刷新)|請稍後|抱歉|技术人员|错误代码",
        ),
        "ru": Wording(
            ("ошибк", "пошло не так", "недоступен", "сбой"),
            r"(?:внутренняя |произошла |системная |критическая |непредвиденная |неизвестная ){0,8}ошибка(?: сервера| приложения| на сервере| системы| \d{3}){0,8}|что-то пошло не так|сервис (?:временно )?недоступен|технический сбой|сбой в работе",
            r"(?:попробуйте|повторите|обновите|зайдите) (?:\w+ ){0,8}(?:позже|позднее|попытку|страницу)|приносим извинения|администратор|мы уже (?:работаем|знаем|исправляем)|код ошибки",
        ),
    },
)

NOT_FOUND = Phrases(
    "page not found",
    Family.NOT_FOUND,
    {
        "en": Wording(
            ("not found", "be found", "exist"),
            "(?:(?:oops|sorry|whoops|ouch|uh[- ]oh)[!.,… ]*)?(?:(?:error|http) ?)?(?:404[:,. -]*)?(?:the )?(?:page|file|resource|url|site|object|document|content)?(?:s)?(?: you (?:requested|are looking for|were looking for))? ?(?:is |was |could |can )?(?:not found|not be found|can't be found|couldn't be found|doesn't exist|does not exist|that page can't be found)",
            r"(?:page|url|file|resource|document|address|link|content)s? (?:\w+ ){0,8}?(?:(?:was|were|is|could|can|can't|couldn't|does|do|did|doesn't|has|have|may) (?:\w+ ){0,3}?(?:not (?:found|be found|exist)|found|exist|moved|removed|deleted|available|changed))|(?:looks like|seems) (?:\w+ ){0,3}(?:nothing|lost|doesn't exist|broken)|nothing (?:was )?found at this location|not found on this server|mistyped the address|(?:back|return|go) to (?:the |our )?home",
        ),
        "fr": Wording(
            ("introuvable", "non trouv", "inexist", "inconnu", "existe", "404"),
            "(?:oups[!.,… ]*)?(?:erreur 404|page (?:introuvable|non trouvée|inexistante|inconnue)|(?:cette|la) page (?:est introuvable|n'existe (?:pas|plus))|fichier introuvable)",
            r"(?:page|adresse|lien|ressource|fichier) (?:\S+ ){0,8}?(?:n'existe|a été (?:déplacé|supprimé)|introuvable|n'est (?:pas|plus)|n'a pas (?:pu|été))|retour (?:à|vers) l'accueil",
        ),
        "de": Wording(
            ("gefunden", "existiert", "404"),
            "(?:fehler 404|(?:die )?(?:seite|datei)(?: wurde)? (?:leider )?nicht gefunden|(?:diese )?seite existiert nicht)",
            r"(?:seite|adresse|datei|ressource|link) (?:\w+ ){0,8}?(?:existiert nicht|nicht gefunden|nicht (?:mehr )?(?:vorhanden|verfügbar|existiert)|verschoben|gelöscht|wurde)|zur startseite",
        ),
        "es": Wording(
            ("encontrad", "existe", "encuentra", "404"),
            "error 404|página no encontrada|(?:la |esta )?página no (?:existe|encontrada|se encuentra)|archivo no encontrado",
            r"(?:página|dirección|enlace|recurso) (?:\w+ ){0,8}?(?:no existe|no se|ha sido|fue|no está)|volver (?:al|a la) inicio",
        ),
        "it": Wording(
            ("trovat", "esiste", "404"),
            "errore 404|pagina non trovata|(?:la |questa )?pagina non (?:esiste|trovata)",
            r"(?:pagina|indirizzo|risorsa|link) (?:\w+ ){0,8}?(?:non (?:esiste|è|è stata)|spostat|rimoss)|torna(?:re)? alla home",
        ),
        "pt": Wording(
            ("encontrad", "existe", "404"),
            "erro 404|página não (?:encontrada|existe)|(?:esta )?página não existe",
            r"(?:página|endereço|link) (?:\w+ ){0,8}?(?:não (?:existe|foi|está)|removid|movid)|voltar (?:para|ao|à)",
        ),
        "nl": Wording(
            ("gevonden", "bestaat", "404"),
            "fout 404|pagina niet gevonden|(?:deze )?pagina bestaat niet",
            r"(?:pagina|adres|link) (?:\w+ ){0,8}?(?:bestaat|niet (?:gevonden|meer|bestaan)|verplaatst|verwijderd)|terug naar (?:de )?(?:home|start)",
        ),
        "ja": Wording(
            ("見つかりません", "存在しません"),
            "(?:お探しの|指定された|ご指定の)?ページ(?:が|は)(?:見つかりません(?:でした)?|存在しません)",
            "(?:削除|移動|変更)され(?:た|て)|url(?:が|を)|トップページ",
        ),
        "zh": Wording(
            ("不存在", "找不到", "未找到"),
            "(?:抱歉[，,! ]*)?(?:您访问的|该|此)?页面(?:不存在|找不到(?:了)?|未找到)|找不到(?:该|此)?(?:网页|页面)|頁面不存在",
            "(?:已被|可能)?(?:删除|移除|移动)|返回首页|网址",
        ),
        "ru": Wording(
            ("найден", "существует", "404"),
            "(?:ошибка 404|страница не (?:найдена|существует))",
            "(?:удален|удалён|перемещен|перемещён|не существует|неправильно набран|устарел)|(?:на|вернуться на) главную",
        ),
    },
)

FORBIDDEN = Phrases(
    "access denied",
    Family.SERVER,
    {
        "en": Wording(
            ("forbidden", "denied"),
            r"(?:http )?(?:403[:,. -]*)?(?:forbidden|access (?:is )?(?:denied|forbidden))",
            r"(?:don't|do not) have (?:the )?permissions? to|not (?:allowed|authori[sz]ed|permitted) to (?:access|view)|access (?:to this \w+ )?is (?:denied|forbidden)|error was encountered",
        ),
        "fr": Wording(
            ("accès",), "accès (?:refusé|interdit)", "n'avez pas (?:la permission|l'autorisation|les droits)|n'êtes pas autorisé"
        ),
        "de": Wording(("zugriff",), "zugriff verweigert", "keine (?:berechtigung|rechte)|nicht berechtigt"),
        "es": Wording(("acceso",), "acceso (?:denegado|prohibido)", "no tiene(?:s)? permiso"),
        "it": Wording(("accesso",), "accesso negato", "non (?:hai|ha|avete) (?:i )?permess"),
        "pt": Wording(("acesso",), "acesso negado", "não tem permissão"),
        "nl": Wording(("toegang",), "toegang geweigerd", "geen toestemming"),
        "ja": Wording(("アクセス",), "アクセスが拒否されました", "権限"),
        "zh": Wording(("禁止",), "禁止访问", "权限"),
        "ru": Wording(("доступ",), "доступ (?:запрещен|запрещён)", "нет прав"),
    },
)

DATABASE = Phrases(
    "database error",
    Family.DATABASE,
    {
        "en": Wording(
            ("database", "mysql", "sql", "db "),
            r"(?:a |the |an? unexpected |unexpected |fatal ){0,8}(?:database|mysql|sql|db) (?:connection |server |system )?(?:error|failure|failed|problem|is (?:down|unavailable|offline)|unavailable|offline|exception)|(?:error|failed|unable|cannot|could not|can't)(?: \w+){0,3} (?:to |with )?(?:the )?database(?: connection| server)?",
            r"(?:connect|connection|connecting|access|reach|contact|query|login|log in|select)(?: \w+){0,5} (?:the |a |your |our )?(?:database|mysql|mariadb|postgres\w*|sql server|db)\b|database (?:server )?(?:is|was|has|could|connection|error|credentials|settings|host|driver|seems)|sqlstate\[|mysql|mariadb|postgres|ora-\d{5}|sql error|too many connections|access denied for user",
        ),
        "fr": Wording(
            ("base de données",),
            r"(?:erreur|problème|échec)(?: \S+){0,4} (?:la )?base de données|connexion à la base de données (?:impossible|échouée|perdue)|base de données (?:indisponible|inaccessible)|impossible de se connecter à la base de données",
            r"base de données|bdd\b",
        ),
        "de": Wording(
            ("datenbank",),
            r"datenbank(?:-?verbindungs?)?(?:-?fehler| nicht (?:erreichbar|verfügbar))|(?:fehler|keine|verbindung)(?: \w+){0,4} datenbank(?:verbindung)?(?: \w+){0,2}",
            "datenbank",
        ),
        "es": Wording(
            ("base de datos",),
            r"error(?: \w+){0,5} (?:la )?base de datos|base de datos no disponible|no se pudo conectar (?:a|con) la base de datos",
            "base de datos",
        ),
        "it": Wording(
            ("database",),
            r"errore(?: \w+){0,4} (?:al |di |nel |del )?database|impossibile (?:connettersi|collegarsi) al database|database non (?:disponibile|raggiungibile)",
            "(?:al|il|nel|del) database",
        ),
        "pt": Wording(
            ("de dados",),
            r"erro(?: \w+){0,4} (?:ao |no |de |do |à |com )?(?:a |o )?(?:banco|base) de dados|(?:banco|base) de dados (?:indisponível|fora do ar)|não foi possível (?:conectar|ligar) (?:ao|à|com) (?:o |a )?(?:banco|base) de dados",
            "(?:banco|base) de dados",
        ),
        "nl": Wording(
            ("database",),
            r"databasefout|(?:fout|geen|kan)(?: \w+){0,5} database(?:verbinding)?|database (?:niet|onbereikbaar)(?: \w+)?",
            "de database",
        ),
        "ja": Wording(
            ("データベース",),
            "データベース(?:の)?(?:接続)?(?:確立)?(?:に)?(?:エラー|接続できません|失敗)(?:しました|が発生しました)?",
            "データベース",
        ),
        "zh": Wording(
            ("数据库", "資料庫"),
            "(?:无法)?(?:连接)?数据库(?:连接|服务器)?(?:错误|失败|出错|异常)|(?:无法|不能)连接(?:到)?数据库|資料庫(?:連線)?錯誤",
            "数据库|資料庫",
        ),
        "ru": Wording(
            ("данных",),
            r"(?:ошибка|не удалось|нет|сбой)(?: \S+){0,4} баз[еыоа]й? данных|база данных недоступна",
            "баз[аеыуо]й? данных",
        ),
    },
)

TROUBLES = (MAINTENANCE, DATABASE, SERVER_ERROR, NOT_FOUND, FORBIDDEN)
