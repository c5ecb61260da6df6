"""What stands where no site is, in ten languages: an account that is suspended, a site not yet published, a domain for sale."""

from vigie.probes.kit.http.page.phrases import Phrases, Wording
from vigie.probes.kit.http.page.signs import Family

SUSPENDED = Phrases(
    "account suspended",
    Family.HOSTING,
    {
        "en": Wording(
            ("suspen", "deactivat", "disabled", "blocked", "terminated", "expired"),
            r"(?:this |your |web ?|hosting |the ){0,8}(?:account|site|website|service|hosting|server|page|shop|store|domain)(?: \S[^\s.]*+\.\S++)? (?:has been |is |was |have been |temporarily |currently ){0,8}(?:suspended|deactivated|disabled|blocked|terminated|expired)|(?:account|site|hosting|service|website) suspen(?:ded|sion)|suspended (?:account|website|site|domain|page)",
            r"(?:contact|please contact|call|write to) (?:\w+ ){0,3}(?:host(?:ing)?|provider|support|billing|administrator|owner|customer)|(?:unpaid|non-?payment|billing|overdue|violation|terms of service|invoice|abuse|resource)|hosting provider|web host|(?:site|account|domain) owner|renew",
        ),
        "fr": Wording(
            ("suspendu", "désactivé", "bloqué", "expiré"),
            r"(?:ce |votre |le )?(?:compte|site|hébergement|service|site web|domaine) (?:\w+ ){0,2}(?:suspendu|désactivé|bloqué|expiré)",
            "(?:contact|hébergeur|facture|impay|propriétaire|titulaire|renouvel)",
        ),
        "de": Wording(
            ("gesperrt", "deaktiviert", "stillgelegt", "abgeschaltet"),
            r"(?:diese[rs]? |ihr |das |der |die )?(?:konto|account|website|webseite|webspace|internetseite|präsenz|domain|seite) (?:\w+ ){0,3}(?:gesperrt|deaktiviert|stillgelegt|abgeschaltet)",
            "(?:kontakt|provider|anbieter|hoster|inhaber|rechnung|kundenservice|support)",
        ),
        "es": Wording(
            ("suspendid", "desactivad", "bloquead"),
            r"(?:esta |su |la |este )?(?:cuenta|página|sitio|web|servicio|alojamiento) (?:\w+ ){0,3}(?:suspendid[oa]|desactivad[oa]|bloquead[oa])",
            "(?:contact|proveedor|factura|pago|propietario|administrador)",
        ),
        "it": Wording(
            ("sospeso", "disattivato", "bloccato"),
            r"(?:questo |il |l'|account|sito|dominio|servizio)(?: ?\w++){0,4} (?:sospeso|disattivato|bloccato)|(?:account|sito|servizio|dominio) (?:sospeso|disattivato)",
            "(?:contatt|provider|fornitore|fattura|pagament|titolare|proprietario)",
        ),
        "pt": Wording(
            ("suspens", "desativad", "bloquead"),
            r"(?:esta |este |a |o |sua )?(?:conta|site|hospedagem|serviço|página) (?:\w+ ){0,3}(?:suspens[oa]|desativad[oa]|bloquead[oa])",
            "(?:contat|provedor|fatura|pagamento|proprietário|titular)",
        ),
        "nl": Wording(
            ("opgeschort", "geblokkeerd", "gedeactiveerd", "uitgeschakeld"),
            r"(?:dit |deze |uw |de |het )?(?:account|website|site|hosting|domein|pakket) (?:\w+ ){0,3}(?:opgeschort|geblokkeerd|gedeactiveerd|uitgeschakeld)",
            "(?:contact|provider|factuur|eigenaar|hosting)",
        ),
        "ja": Wording(
            ("停止", "凍結"),
            "(?:この|本)?(?:アカウント|サイト|ホームページ|サーバー|ページ)(?:は|が)(?:現在)?(?:一時)?(?:停止|凍結)(?:されています|中です|されました)?",
            "(?:お問い合わせ|管理者|サーバー会社|ご契約|料金)",
        ),
        "zh": Wording(
            ("暂停", "停用", "关闭", "过期", "到期", "停止"),
            "(?:该|此|您的|本)?(?:网站|站点|账户|账号|主机|域名|空间)(?:已|已经)?(?:被|经)?(?:暂停|停用|关闭|过期|到期|停止)(?:服务|访问)?",
            "(?:联系|管理员|续费|服务商|备案|客服)",
        ),
        "ru": Wording(
            ("заблокирован", "приостановлен", "отключ", "выключен"),
            r"(?:этот |данный |ваш )?(?:аккаунт|сайт|хостинг|домен|услуга)(?: \S+)? (?:\w+ ){0,3}(?:заблокирован|приостановлен|отключ[её]н|выключен)\w*",
            "(?:обратитесь|хостинг|оплат|владел|поддержк|провайдер|продл)",
        ),
    },
    framed=False,
)

UNPUBLISHED = Phrases(
    "site not published",
    Family.HOSTING,
    {
        "en": Wording(
            ("construction", "coming soon", "not ", "isn't", "no site", "no web", "unknown", "default", "placeholder", "welcome to your"),
            "(?:(?:this |our |new |your |the ){0,8}(?:web ?)?(?:site|page)? ?(?:is |currently ){0,8})?(?:under construction|coming soon)|(?:site|website|domain|store|app|project) (?:is )?(?:not (?:yet )?(?:published|configured|connected|found|available|active|set up|ready)|isn't (?:published|configured|connected|available))|(?:no (?:web ?)?site (?:is )?(?:configured|found|here|at this (?:address|domain))(?: (?:at|for) this (?:address|domain))?)|unknown (?:domain|host|site)|default (?:web )?(?:page|site)|(?:website|domain) placeholder(?: page)?|placeholder page|welcome to your (?:new )?(?:web ?site|domain|hosting)",
            r"(?:if|are) you(?:'re)? (?:are )?(?:the )?(?:\w+ )?(?:owner|administrator|admin|webmaster)|(?:site|domain|website) owner|upload (?:your|the|a) |(?:hosting|host|control panel|cpanel|plesk|ftp|registrar|web server|webserver|dns)|(?:has|have) (?:not|no|n't) (?:yet )?(?:been )?(?:published|uploaded|put up|set up|any content|configured)|your (?:own )?(?:website|web site|files|domain)|not (?:been )?(?:configured|published|linked|connected|set up)|replace this (?:page|file)|working (?:hard )?(?:on|to)|stay tuned|launch(?:ing|ed)? |check back|come back (?:soon|later)|new (?:web ?)?site",
        ),
        "fr": Wording(
            ("construction", "création", "bientôt", "non publié", "non configuré", "par défaut"),
            "(?:site |page )?(?:web |internet )?(?:est )?(?:actuellement )?en (?:cours de )?(?:construction|création)|(?:site )?bientôt (?:en ligne|disponible)|(?:site )?non (?:publié|configuré)|page par défaut",
            "propriétaire|titulaire|hébergement|hébergeur|espace client|vos fichiers|nom de domaine|mise en ligne",
        ),
        "de": Wording(
            ("entsteht", "aufbau", "baustelle", "nicht", "freigeschaltet", "reserviert", "platzhalter"),
            r"(?:hier entsteht (?:\w+ ){0,4}(?:website|webseite|internetpräsenz|homepage|seite|webpräsenz)?|(?:seite|website|webseite|homepage) (?:\w+ ){0,2}im aufbau|im aufbau|baustelle|(?:diese )?(?:website|domain|seite) (?:\w+ ){0,4}(?:nicht (?:veröffentlicht|konfiguriert|verbunden|eingerichtet)|freigeschaltet|reserviert)|platzhalter(?:seite)?)",
            "inhaber|kunden-?login|kundenbereich|kundenmenü|webspace|hosting|provider|domain|inhalte",
        ),
        "es": Wording(
            ("construcción", "próximamente", "no publicado", "no configurado", "por defecto"),
            "(?:sitio |página |web ){0,8}en construcción|próximamente|sitio no (?:publicado|configurado)|página por defecto",
            "propietario|titular|alojamiento|hosting|dominio|panel",
        ),
        "it": Wording(
            ("costruzione", "allestimento", "non pubblicato", "non configurato", "prossimamente", "predefinita"),
            "(?:sito |pagina ){0,8}in (?:costruzione|allestimento)|sito non (?:pubblicato|configurato)|prossimamente online|pagina predefinita",
            "proprietario|titolare|hosting|dominio|pannello",
        ),
        "pt": Wording(
            ("construção", "desenvolvimento", "não", "em breve", "padrão"),
            "(?:site |página ){0,8}em (?:construção|desenvolvimento)|site não (?:publicado|configurado)|em breve|página padrão",
            "proprietário|titular|hospedagem|domínio|painel",
        ),
        "nl": Wording(
            ("aanbouw", "constructie", "ontwikkeling", "niet", "standaardpagina"),
            "(?:website |site |pagina ){0,8}(?:in aanbouw|onder constructie|in ontwikkeling)|website (?:nog )?niet (?:gepubliceerd|beschikbaar)|standaardpagina",
            "eigenaar|hosting|domein|klantenpaneel|inloggen",
        ),
        "ja": Wording(
            ("準備中", "工事中", "初期ページ"),
            "(?:サイト|ページ|ホームページ|ウェブサイト)?(?:は)?(?:現在)?(?:準備中|工事中|公開準備中)(?:です)?|初期ページ",
            "サーバー|ドメイン|アップロード|レンタル",
        ),
        "zh": Wording(
            ("建设中", "建設中", "尚未", "未", "默认"),
            "(?:网站|站点|页面|本站)?(?:正在)?(?:建设|建設)中|网站(?:尚未|未)(?:开通|发布|绑定|备案)|域名未(?:绑定|备案)|默认页面",
            "域名|主机|服务器|空间|绑定|备案|管理员",
        ),
        "ru": Wording(
            ("разработк", "реконструкци", "строительств", "сайт"),
            r"(?:сайт )?(?:находится )?(?:в|на) (?:стадии )?(?:разработк[еи]|реконструкци[ию]|строительств[еа])|сайт (?:скоро|ещ[её] не|не) (?:откроется|опубликован|настроен|создан)\w*",
            "владел|хостинг|домен|панел",
        ),
    },
    framed=False,
)

PARKED = Phrases(
    "parked domain",
    Family.PARKED,
    {
        "en": Wording(
            ("for sale", "parked", "domain", "expired", "registered"),
            r"(?:this |the |premium )?(?:domain|web address|website)(?: name)?(?: \S[^\s.]*+\.\S++)? (?:is |may be |has been |was |has |could be ){0,8}(?:for sale|parked|available(?: for (?:sale|purchase))?|registered|reserved|expired|yours)|(?<!\S)\S{1,250}\.[a-z]{2,20} (?:is |may be |has |has been |was |domain ){0,8}(?:for sale|parked|expired|registered|available)|(?:buy|get|purchase) (?:this domain|\S{1,250}\.[a-z]{2,20})|parked (?:domain|page|site)|domain (?:parking|for sale|expired|registered|default page)|(?:expired|reserved|premium) domain",
            "(?:buy|purchase|inquire|enquire|make (?:an )?offer|best offer|price|owner|registrar|registered|renew|whois|related (?:searches|links)|sponsored|parked|get this|interested|for sale|manage)",
        ),
        "fr": Wording(
            ("domaine", "à vendre", "en vente"),
            r"(?:ce |le )?(?:nom de )?domaine(?: \S[^\s.]*+\.\S++)? (?:est )?(?:actuellement )?(?:à vendre|en vente|réservé|enregistré|parqué|expiré|a expiré)|(?<!\S)\S{1,250}\.[a-z]{2,20} est (?:à vendre|en vente)|domaine (?:à vendre|expiré|réservé|parqué)",
            "(?:acheter|offre|prix|propriétaire|registrar|bureau d'enregistrement|titulaire|renouvel|contact)",
        ),
        "de": Wording(
            ("domain", "verkauf"),
            r"(?:diese |die )?domain(?: \S[^\s.]*+\.\S++)? (?:steht zum verkauf|ist (?:zu verkaufen|geparkt|reserviert|registriert|abgelaufen)|zu verkaufen|geparkt|wurde (?:\w+ )?(?:registriert|reserviert))|(?<!\S)\S{1,250}\.[a-z]{2,20} (?:steht zum verkauf|ist zu verkaufen|zu verkaufen)",
            "(?:kaufen|erwerben|angebot|preis|inhaber|registr|anbieter|kunden)",
        ),
        "es": Wording(
            ("dominio", "venta"),
            r"(?:este |el )?dominio(?: \S[^\s.]*+\.\S++)? (?:está |se )?(?:en venta|a la venta|estacionado|aparcado|reservado|registrado|caducado|ha expirado|vende)|(?<!\S)\S{1,250}\.[a-z]{2,20} está (?:en venta|a la venta)|dominio en venta",
            "(?:comprar|oferta|precio|propietario|titular|registr)",
        ),
        "it": Wording(
            ("dominio", "vendita"),
            r"(?:questo |il )?dominio(?: \S[^\s.]*+\.\S++)? (?:è )?(?:in vendita|parcheggiato|registrato|riservato|scaduto)|(?<!\S)\S{1,250}\.[a-z]{2,20} è in vendita|dominio in vendita",
            "(?:acquist|offerta|prezzo|proprietario|titolare|registr)",
        ),
        "pt": Wording(
            ("domínio", "venda"),
            r"(?:este |o )?domínio(?: \S[^\s.]*+\.\S++)? (?:está |foi )?(?:à venda|estacionado|registrado|registado|reservado|expirado|expirou)|(?<!\S)\S{1,250}\.[a-z]{2,20} está à venda|domínio (?:à venda|estacionado)",
            "(?:comprar|oferta|preço|proprietário|titular|regist)",
        ),
        "nl": Wording(
            ("domein", "te koop", "gereserveerd"),
            r"(?:deze |dit )?(?:domeinnaam|domein)(?: \S[^\s.]*+\.\S++)? (?:is |staat )?(?:te koop|geparkeerd|gereserveerd|geregistreerd|verlopen)|(?<!\S)\S{1,250}\.[a-z]{2,20} is te koop|gereserveerd voor een klant",
            "(?:kopen|bod|prijs|eigenaar|registr|inloggen|log dan in|geregistreerd)",
        ),
        "ja": Wording(
            ("ドメイン",),
            "(?:この|本)?ドメイン(?:は|を)?.{0,20}(?:販売|売り出し|取得|登録|お売り|譲渡)(?:中|されています|します|済み){0,8}",
            "(?:購入|価格|お問い合わせ|登録|取得)",
        ),
        "zh": Wording(
            ("域名",),
            r"(?:您正在访问的|您访问的|该|此|本)?域名(?:正在|可以|可|已)?(?:出售|转让|被注册|注册|停放|过期)(?:中)?|(?<!\S)\S{1,250}\.[a-z]{2,20} ?域名(?:正在)?(?:出售|转让)",
            "(?:报价|购买|价格|联系|注册|出售|转让)",
        ),
        "ru": Wording(
            ("домен", "прода"),
            r"(?:этот )?домен(?: \S[^\s.]*+\.\S++)? (?:\w+ )?(?:прода[её]тся|припаркован|зарегистрирован|свободен|выставлен на продажу)|прода[её]тся домен|(?<!\S)\S{1,250}\.[a-zрф]{2,20} прода[её]тся",
            "(?:купить|цен|владел|регистратор|предложени|панел|продл)",
        ),
    },
    framed=False,
)

VACANT = (SUSPENDED, PARKED, UNPUBLISHED)
