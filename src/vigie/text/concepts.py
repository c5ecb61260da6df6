"""What a sentence may be about and what it may say of it, in the words of both languages. Data; `report.statements` reads by it.

Each entry is a list of alternatives separated by commas, each a regular expression over whole words in lower case.
"""

# Phrases that say nothing by themselves although a word of them would; taken out first.
NEUTRAL = (
    r"g[ai]ve[sn]? up,abandonn\w*,s'est arrêtée?(?= après),"
    r"as before,qu'auparavant,qu'avant,comme avant,"
    r"(?:la |the )?(?:\w+ )?(?:cause|raison|reason|explication|explanation)(?: \w+)? (?:est que|is that),"
    r"d['’]après (?:les|la|le|nos|ces|ce) \w+,belong(?:s|ing)? to(?= (?:another|a different) name),adresses différentes,"
    r"different addresses,"
    r"no(?:t)? more than,n['’]a pas (?:pris|demandé|duré|exigé) plus d[eu],pas plus d[eu],non plus,"
    r"(?<!not )(?<!pas )(?:the|le|this|ce) probl(?:em|ème),"
    r"before it expired,avant son expiration,jusqu'au premier octet,"
    r"(?:monitors?|moniteurs?|services?) (?:with|carrying|of|d'|de l'|avec l')\s?(?:the )?(?:tag|étiquette) \w+,"  # words: models write it
    r""  # words: models write it
    r"as well,if not,"
    r"(?:checks?)[^.;]{0,"
    r"40} and end(?:s|ed)? (?:in|with|by)(?= ),"
    r"ended (?=without),"
    r"(?:some|part) of the (?:service's |name's )?addresses,une partie des adresses(?: du (?:service|nom))?,"
    r"(?:(?<!neither )(?<!none )(?<!each )(?<!both )of|among) the (?:\d+|two) addresses,"
    r"(?:sur|parmi) les (?:\d+|deux) adresses,among the addresses(?: of the name)?,parmi les adresses(?: du nom)?,"
    r"before (?:the|this) incident,"
    r"avant (?:l'|cet )incident,(?:service|site|monitor) of the \w+ team,"
    r"(?:service|site|moniteur) de l'équipe \w+,"  # words: models write it
    r"the \w+ team's (?:service|site|monitor),"
    r"(?:affected|concerned|monitored|watched)(?= (?:service|site|monitor)),"
    r"(?<=service )(?:concerné|touché|affecté|surveillé),"
    r"(?<=site )(?:concerné|touché|affecté|surveillé),"
    r"(?:start(?:s|ed)?|began|begun)(?= (?:to \w|failing|refusing|return|reject|answer)),"
    r"commencé à(?= \w),(?:s'est mis|se met)e? à(?= \w),"
    r"(?<=502 )\(?bad gateway\)?,(?<=504 )\(?gateway time-?out\)?,sans doute,"
    r"prior to (?:the|this) incident,avant le début de l'incident,il se peut qu'?e?,il est possible qu'?e?,"
    r"(?:(?<=une )|^)des (?:\d+|deux) adresses,"
    r"(?<=404 )\(?not found\)?,"
    r"time(?:s)? out of,first step to the last,from the first step,"
    r"(?:the )?first(?= (?:one )?at \d),(?:la|le) premi(?:er|ère)(?= à \d),by itself,on its own"
)

# What a sentence is about, where it is not simply the service or its check. The longer phrases first.
TOPICS: dict[str, str] = {
    "since_good": (
        r"(?:since|as at|than at|from|of) the (?:last|latest|most recent) successful check,"
        r"(?:depuis|qu'au|que lors du) (?:le )?dernier contrôle réussi"
    ),
    "link": (
        r"vigie's (?:own )?(?:network |internet )?(?:link|connection|network|line),(?:its|our) own (?:network )?(?:link|connection),"
        r"sa (?:propre )?(?:connexion|liaison) réseau,sa propre (?:connexion|liaison),"
        r"own (?:network )?link,"
        r"(?:connexion|liaison)(?: réseau)? (?:de vigie|propre)(?: elle-même)?,réseau de vigie,vigie's own machine,machine de vigie,"
        r"control targets?,cibles? de contrôle,"
        r"vigie(?: itself| elle-même)?(?! +(?:\w+ed|a|has no (?:successful|record)|ne connaît|knows|measur\w*|mesur\w*))"
    ),
    "tie:tag": r"(?:same|its|this|that|that same|shared) tag,même étiquette,cette étiquette",
    "tie:address": r"(?:this|that|(?:the )?same|its) address(?=[ .;,]|$),(?:cette|la même|même) adresse",
    "tie:host": r"(?:this|that|(?:the )?same) host,(?:cet|le même|même) hôte",
    "tie:network": r"(?:this|that|(?:the )?same) network,(?:ce|le même|même) réseau",
    "siblings": (
        r"other (?:\d+ )?(?:monitor|service|site)s?(?: surveillés?)?,(?:monitors|services|sites)(?: surveillés)?,"
        r"autres? (?:\d+ )?(?:service|site|moniteur)s?"  # words: models write it
        r"(?: surveillés?)?,moniteurs,(?:the )?others,les autres,neighbou?rs?,voisins?"  # words: models write it
    ),
    "first_byte": r"first byte,premier octet,byte,octet",
    "connection": r"connections?,connexions?,connect(?:s|ed|ing)?,connect(?:e|er|ée?s?),tcp",
    "handshake": r"(?<!certificat )(?<!certificate )tls(?= (?:is|was|works?|worked|fonctionne|est)\b),handshakes?,"
    r"négociations?,encryption,chiffrement",
    "certificate": r"certificates?,certificats?",
    "resolver": r"resolvers?,résolveurs?",
    "zone": r"zones?",
    "resolution": r"resol\w+,résol\w+,lookups?,dns(?!\.\w)",
    "response": r"responses?,réponses?,(?:the|an|its|no|any) (?:answer|reply)",
    "body": r"body,corps,size,taille",
    "server": (r"nginx,apache,caddy,openresty,cloudflare,iis,envoy,varnish,litespeed,haproxy,gunicorn,uvicorn,traefik"),
    "maintenance": r"maintenances?(?: windows?)?",
    "history": (
        r"(?:similar|past|earlier|previous) (?:incident|outage)s?,(?:incidents?|pannes?) (?:semblables?|passée?s?|précédente?s?),"
        r"semblables?,similar"
    ),
    "team": r"teams?,équipes?",
    "tag": r"tags?,étiquettes?",
    "addresses": r"addresses,adresses",
    "duration": (
        r"check(?:'s)? duration,duration of the check,durée(?: totale)? du contrôle,in total,en tout,au total,total(?: time)?,"
        r"(?:whole|entire|complete) check,"
        r"contrôle (?:entier|complet)"
    ),
    "application": r"applicati\w+",
    # What is before the application fails in its own right: what is said of the service is not said of it.
    "proxy": (
        r"(?<!behind the )(?<!behind the reverse )(?<!behind a )(?<!behind a reverse )(?<!derrière le )(?<!derrière un )"
        r"(?:prox(?:y|ies)|gateway|load balancer|répartiteur)(?! time)"
    ),
    "firewall": r"pare-feux?,firewalls?",
}

# What is said of it. A statement is one of these with its sign.
CONCEPTS: dict[str, str] = {
    "accept": r"accept\w*",
    "refuse": r"refus\w*,declin\w*",
    "reject": r"reject\w*,rejet\w*",
    "answer": (
        r"answers(?! of),answered,answering,(?<!the )(?<!its )(?<!an )(?<!of )(?<!as )(?<!no )(?<!any )answer,"
        r"respon(?:d|ds|ded|ding|sive|sif|sifs),repl(?:y|ies|ied|ying),répon(?:d|dent|du|dre|dait|dant)"
    ),
    "receive": r"receiv\w*,reçoi\w*,reçu\w*,recevoir,obtain\w*,obtien\w*,obten\w*,gets?,got,gotten",
    "send": (
        r"return(?:s|ed|ing)?,send(?:s|ing)?,sent,serve[sd]?,deliver\w*,yield\w*,give[sn]?,gave,produce[sd]?,renv(?:oie\w*|oy\w*),"
        r"envo(?:ie\w*|y\w*),donn\w+,"
        r"retourn\w*,rend,sert,servie?s?,produi\w*,fourni\w*,provide[sd]?"
    ),
    "arrive": (
        r"arriv(?!\w* à (?:échéance|expiration))\w*,(?:has |have )?c[ao]me[s]?(?: in)?(?= (?:after|in|within)),never came,vien(?:t|nent),"
        r"ven(?:u|ue|us|ues)"
    ),
    "work": (
        r"available,accessible\w*,disponible\w*,availability,disponibilité,"
        r"works?,worked,working,function(?:s|ing|al)?,(?<!set )up,healthy,fine,doing well,operational,ok,running,"
        r"runs(?! out),in order,in service,"
        r"sound,all right,normal\w*,correct\w*,"
        r"proper\w*,stable,fonctionn\w*,sain\w*,se porte(?:nt)? bien,en état de marche,opérationnel\w*,en service,en ordre,"
        r"tourn(?:e|ent),va bien,vont bien,alive,unaffected,épargnée?s?,intact\w*"
    ),
    "reachable": (r"reachable,reach(?:es|ed)?,joignable\w*,joint,contactable"),
    "down": (
        r"down,outage,panne,hors service,unavailable,indisponible\w*,injoignable\w*,inaccessible\w*,unreachable,broken,at fault,"
        r"en défaut,offline,dead,"
        r"interrupt\w*,interromp\w*,degraded,dégradée?s?,défaillan\w*,unhealthy,trouble\w*,impaired,faulty,wrong,problem\w*,"
        r"problème\w*,issues?,unavailability,"
        r"indisponibilité,tombée?s?"
    ),
    "fail": r"fail(?:s|ed|ing|ure|ures)?,échou\w*,échecs?,unsuccessful\w*",
    "error": r"errors?,erreurs?",
    "succeed": (
        r"good,bon(?:s|ne|nes)?,passed(?! (?:through|via|by)),(?:sont|ont) passée?s?(?! (?:de|par|à)),succe(?:ed\w*|ss(?:ful\w*|es)?),"
        r"succès,réuss\w*,abouti\w*,pass(?:es|ed|ing)?(?= (?:a |the |all |every |its )?(?:checks?|tests?))"
    ),
    "change": (
        r"accélér\w*,accelerat\w*,ralenti\w*,chang(?:e|es|ed|ing|é|ée|és|ées|ent|ement|ements),replac\w*,remplac\w*,modif\w*,"
        r"differ(?!ent (?:host ?|domain )?name)\w*,(?<!nom )différ\w*,altere?d?,moved?,"
        r"removed?,added,ajout\w*,retir\w*,"
        r"(?:went|go(?:es|ne)?|going) (?:from|to),pass(?:é|ée|és|ées|e|ent) (?:de|à)(?= \d),increas\w*,rose,ris(?:es|en|ing),"
        r"gr[eo]wn?,augment\w*,fell,fall(?:s|en)?,drop\w*,"
        r"decreas\w*,baiss\w*,dimin\w*,chut\w*,new,nouve(?:au|aux|l|lle|lles)"
    ),
    "same": r"same,mêmes?,unchanged,inchangée?s?,identi(?:cal|que)\w*,equal,constant\w*,stay(?:s|ed)? as",
    "expired": (
        r"expired,expirée?s?,arrivée?s? à (?:expiration|échéance),a pris fin(?= pour le certificat),out of date,"
        r"périmée?s?,(?:ran|run) out"
    ),
    "expires": r"expires?,expiring,expirent,expirera,runs out,ends on,(?<!à )échéance,se termine le",
    "valid": r"valid,validity,valable\w*,valides?,validité",
    "trust": r"trust\w*,fiables?,de confiance,reconnu\w*,reconnaî\w*,recogni[sz]\w*",
    "untrusted": r"untrusted,distrust\w*",
    "self_signed": r"self-signed,autosigné\w*,auto-signé\w*",
    "match": r"(?:valid|valable|valide) (?:for|pour)(?! (?:another |encore )?\d),(?<=not )for,(?<=not )that of,"
    r"(?<=pas )celui,cover(?:s|ed)?,couv(?:re|ert|erts),match\w*,correspond\w*",
    "other_name": r"(?:another|(?:a |some )?different|other) (?:host ?|domain )?name,(?:un autre|d'un autre|autre) nom,nom différent",
    "exist": r"exist\w*",
    "gone": r"gone(?! from \d),disappear\w*,dispar\w*,missing,vanish\w*",
    "resolve": r"resolv(?:e|es|ed|able),résol(?:u|ue|us|ues|vable),résoudre",
    "found": r"find(?:s)?,found,trouv(?:e|ent|ée?s?)",
    "establish": r"(?<!attempts to )(?<!attempt to )(?<!trying to )connects? to,connected,se connect\w+,establish\w*,"
    r"établ\w*,made,set up,faite,se faire,achieved",
    "reset": r"reset\w*,réinitialis\w*",
    "cut": r"cut(?:s|ting)?,coup(?:e|ent|ée?s?|ait),lost,lose[s]?,perdue?s?,perd,clos(?:e|es|ed|ing),ferm(?:e|ent|é|ée|és|ées)",
    "open": r"held(?! \d),open\w*,ouver\w*,ouvr\w*",
    "timeout": r"timed out,time-out,timeout,times out,délai (?:dépassé|expiré),dépass\w+ (?:le|de|du) délai,délai [^.,;]{0,40}dépassé",
    "listen": r"listen\w*,écout\w*",
    "malformed": r"malformed,mal formée?s?,ill-formed,invalid\w*",
    "wellformed": r"well-formed,well formed,bien formée?s?",
    "renew": r"renew\w*,renouvel\w*",
    "begin": r"beg[aiu]n\w*,start(?:s|ed|ing)?,commenc\w*,débu\w*,démarr\w*",
    "end": (
        r"end(?:s|ed|ing)?(?! on),termin\w*,pri(?:t|s) fin,prend fin,prennent fin,fin,finish\w*,finie?s?,over(?! \d),"
        r"compl[eè]t\w*,ach(?:evée?s?|ève\w*),done"
    ),
    "stopped": r"stopped,stops?,arrêt\w*",
    "fast": r"fast\w*,quick\w*,rapid\w*,vite,prompt\w*,faster,quicker",
    "slow": r"slow\w*,lent\w*,too long,trop long\w*,ralenti\w*,late,tard(?:ive|if)?,en retard,delay\w*,(?<!no )longer",
    "recover": r"recover\w*,rétabli\w*,restored?,resumed?,repris\w*",
    "again": r"again,de nouveau,à nouveau,(?<!came )(?<!come )back,revenue?s?,revien\w*",
    "able": r"manag(?:es|ed) to,(?:is|was|were|are|been) able,could,parvenue?s?,parvien\w*,pu,peut,peuvent,succeeds in",
    "belong": r"belong\w*,own(?:s|ed),owner,appart\w*,relève,responsable\w*,responsible",
    "affect": r"affect\w*,touch\w*,concern\w*,involve[sd]?",
    "overload": r"overload\w*,surcharg\w*,satur\w*",
    "empty": r"empty,vides?,blank",
    "use": r"uses?,used(?! to ),using,utilis\w*",
    "lasting": r"last(?:ed|ing),lasts,dur(?:e|ée?s?|ait|ent|er)",
    "listed": r"on record,recorded,enregistrée?s?,known,connue?s?,connaît",
}
# Things that a sentence may say are not there: what counts after "no", "without" or "aucun".
THINGS: dict[str, str] = {
    "connection": r"connections?,connexions?",
    "response": r"responses?,answers?,repl(?:y|ies),réponses?",
    "byte": r"bytes?,octets?",
    "address": r"address(?:es)?,adresses?",
    "anything": r"nothing,anything,rien",
    "fault": r"failures?,outages?,pannes?,problems?,problèmes?,issues?,trouble,anomal\w+,échecs?,faults?",
    "expected": r"expected,attendue?s?",
    "name": r"name,nom",
    "first": r"first,premi(?:er|ère)",
    "change": r"changes?,changements?",
}
# A word or phrase that denies what comes after it in its clause, or (ANYWHERE) all of its clause.
DENIES_AFTER = (
    r"not,\w+n't,\w+n’t,no longer,no,never,none,neither,nor,cannot,without,nothing,nobody,fail(?:s|ed|ing)? to,unable,"
    r"stop(?:s|ped)?(?= \w+ing),ceas\w+,pas,aucune?s?,jamais,rien,ni,sans,non,cess\w+ de,incapables?,hardly,barely,scarcely,guère,nulle?,"
    r"arrête(?:nt)? de,refrain\w* from,sp(?:ea|o)ks? against,parle\w* contre,avoid\w*,évit\w*,free of,exempte?s? de,deni(?:es|ed),"
    r"denying,nie(?:nt)?,dément\w*,refut\w*,réfut\w*,contradict\w*,contredi\w*"
)
DENIES_ANYWHERE = (
    r"unlikely,improbab\w+,peu (?:probable|vraisemblable|plausible)\w*,lack\w*,absen\w+,exclu\w*,rul(?:es|ed|ing) out,rule out,"
    r"écart\w+,false\w*,fausse\w*,faux,"
    r"impossible\w*,unlike,contrairement,fait défaut,manqu\w+,miss(?:es|ed|ing)?,doubt\w*,dout\w+,unexpect\w+,inattendu\w*,untrue,"
    r"inexact\w*,"
    r"no evidence,instead of being,far from,loin d\w+,anything but,too \w+ to"
)
# Reasons: what joins an effect to the cause that follows, the verbs that make a subject the cause, and nouns that ask for one.
REASON_FOLLOWS = (
    r"because(?: of)?,since(?! +\d| then| the last| the most| the latest| before),due to,owing to,as a result of,"
    r"parce qu\w*,parce qu'\w*,"
    r"car,puisque?,puisqu'\w*,en raison d\w*,à cause d\w*,suite à,grâce à,as(?= (?:no|the|it|its|there|nothing)\b),following"
)
REASON_PRECEDES = (
    r"caus(?:es|ed|ing),caus(?:ent|é|ée|és|ées),led to,leads? to(?! (?:the |its )?(?:same |two |\d )?address),trigger\w*,provoqu\w*,"
    r"entraîn\w*,men(?:é|ée|és|ent) à,result(?:s|ed|ing)? in,brought,made it,"
    r"hence,d'où,therefore,thus,à l'origine,responsible for,account(?:s|ed)? for,blame\w*"
)
REASON_NOUNS = (
    r"cause,reason,raison,origine?,expla\w+,expliqu\w*,explication,in question,en cause,to blame,fault(?= is| lies| does),"
    r"vien(?:t|nent)(?= pas)(?= pas d),on (?:the monitoring|vigie's(?: own)?) (?:side|end),"
    r"du côté de (?:vigie|la surveillance),(?<=not )the (?:problem|culprit),(?<=pas )le problème,"
    r"de la surveillance,due,derrière ce,behind (?:it|this)"
)

EXCEPTS = r"except\w*,sauf,hormis,à part,apart from,other than,excepté\w*,all but,save for"
# Who does what: a server receives nothing of what was measured, and a check does not refuse or reset.
TURNED = (
    r"reject\w* by the (?:server|service|host),rejet\w* par (?:le serveur|le service|l'hôte),"
    r"(?:service|server|serveur|host|hôte|site|nginx)(?: web)? (?:has |have |a |ont )?(?:receives?|received|reçoi\w*|reçu\w*|gets?|got),"
    r"(?:check|checks|contrôle|contrôles|vigie) (?:has |have |a |ont )?(?:reset|resets|refuse[sd]?|refusé|"
    r"refusent|réinitialis\w+|close[sd]?|cuts?|coup\w+|ferm\w+)"
    r"(?= (?:the|a|la|les|une|connections?|connexions?)),(?:by|par) (?:the check|le contrôle|vigie|vigie's)"
)
ONLY = r"only,solely,just,merely,(?<!pas un )(?<!pas une )seule?s?,seulement,uniquement,alone,exclusively,exclusivement"
ALL = r"all,every,each,both,tou(?:s|te|tes|t),chaque,chacune?s?,les deux,everything,entirely"
SOME = (
    r"some,certain\w*,une partie,part of,(?<!every )one of,un des,une des,l'une?(?= des),most,la plupart,dont une?,few,quelques,"
    r"either(?! *$),any,"
    r"(?<!every )ones?(?= of)"
)
COMPARES = (
    r"third,fourth,fifth,deuxième,troisième,quatrième,second (?:time|check|failure),seconde? (?:fois|contrôle),"
    r"(?:more|less|fewer|longer|shorter|greater|larger|smaller|bigger|earlier|later|higher|lower|sooner|slower|faster|quicker) than,"
    r"at (?:least|most),up to,"
    r"over(?= \d),under(?= \d),above,below,beyond,exceed\w*,plus d[e'](?= ?\d| un),moins d[e'](?= ?\d| un),au moins,au plus,au-delà,"
    r"dépass\w+(?! le délai),nearly,almost,"
    r"about(?= \d),around(?= \d),approximately,environ,presque,près de,plus (?:long|court|grand|petit|rapide|lent|tard|tôt)\w*,"
    r"moins (?:long|court|rapide|lent)\w*,"
    r"jusqu'à(?= \d+ (?:ms|s|o|contr)),minimum,maximum,plus que,moins que"
)
OLD = r"used to,previously,formerly,auparavant,jusque-là,until then,(?:dur|pren)ait"
ADDED = r"added,ajoutée?s?,new,nouvelles?,joined,appeared,apparue?s?"
REMOVED = r"removed?,retirée?s?,dropped,supprimée?s?,disappeared,disparue?s?"
UNTIL = r"until,till,before,prior to,jusqu'à,jusqu'au,jusqu’à,jusqu’au,avant,up to,by(?= \d{1,2}(?:[:h]|\s?[ap]m))"
AFTER = r"after,après"
CONTRASTS = r"instead of,rather than,au lieu d[eu]s?,au lieu d['’]une?,plutôt que,et non(?: pas)?,and not,as opposed to,à la place de"
EXPECTS = r"(?:is |was |are |were )?expect(?:s|ed|ation)?,attend(?:ue?s?|ait|ent),wanted,voulue?s?,demandée?s?(?! \d)"
OUTSIDE = r"outside(?: of)?(?: the)?,hors d[eu]s?(?: la)?,en dehors d[eu]s?(?: la)?,not in,beyond"
INSIDE = (
    r"inside(?: the)?,within the(?: expected)? range,dans la plage,as expected,comme (?:attendu|prévu),as wanted,as it should,"
    r"in the expected range,dans les limites"
)
INCREASES = r"increas\w*,rose,ris(?:es|en|ing),gr[eo]wn?,augment\w*,up from,slower,plus lent\w*,longer,plus long\w*"
DECREASES = (
    r"accélér\w*,accelerat\w*,"
    r"decreas\w*,fell,fall(?:s|en)?,drop\w*,baiss\w*,dimin\w*,chut\w*,down from,faster,quicker,plus rapide\w*,plus vite,shorter,"
    r"plus court\w*"
)
FIRST = r"first(?! byte),premi(?:er|ère)s?(?! octet),earliest,oldest"
LAST = r"last,latest,newest,most recent,derni(?:er|ère)s?,(?:le )?plus récente?s?"
NOW = r"now,currently,today,at present,maintenant,actuellement,désormais,à présent"
# Where one clause ends and the next begins.
CONJUNCTIONS = (
    r"but,while,whereas,although,though,yet(?= the| it| its),and,(?<!is )(?<!are )(?<!was )(?<!were )(?<!been )then,"
    r"which,who,where,so(?= the| it| its),mais,tandis qu\w*,"
    r"tandis qu'\w*,alors qu\w*,"
    r"alors qu'\w*,bien qu\w*,bien qu'\w*,et,puis,dont,où,donc,or,as well as,ainsi que,however,cependant,toutefois,même si,even though"
)
