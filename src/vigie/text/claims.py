"""Words that a report may use only when its facts do: causes, certainty, actions, calm or alarm beyond what was measured.

Lists of alternatives in both languages, separated by commas, each a regular expression over whole words.
Data; `report.lexicon` compiles them.
"""

# Claims that nothing measured can bear; licensed only when a cited fact says the very word.
RULES: dict[str, str] = {
    "certainty": (
        r"certainement,assurément,sans (?:aucun |nul )doute,évidemment,garanti\w*,définitivement,forcément,à coup sûr,manifestement,clairement,"
        r"certainly,definitely,undoubtedly,obviously,surely,guarantee\w*,without (?:a )?doubt,clearly,inevitably,proven,prouv\w+"
    ),
    "first_person": (
        r"j'ai,j’ai,je,nous,notre,nos,mon,ma,mes,i,i'm,i've,i’m,we,we've,we're,we’re,we’ve,we'll,our,my,us,let's,votre équipe,your team"
    ),
    "action": (
        r"investig\w+,enquêt\w*,en cours d'(?:analyse|investigation|examen|résolution),"
        r"en cours de (?:résolution|correction|rétablissement),"
        r"(?:a|ont|est|sont|été|has been|have been|was|were|being|been) (?:already |déjà )?(?:redémarr\w+|relanc\w+|corrig\w+|"
        r"répar\w+|prévenu\w*|inform\w+|alert\w+|avert\w+|escalad\w+|notifi\w+|restarted|fixed|repaired|notified|informed|alerted|escalated|"
        r"paged|mobilis\w+|mitigated|rolled back),(?:been|being|été) contact\w+,"
        r"sera,seront,sera-t-il,va être,vont être,will,shall,is going to,are going to,under way,underway,shortly,prochainement,"
        r"dès que possible,as soon as possible,veuillez,please,merci de,sorry,désolés?,excus\w+,apolog\w+,regrett\w+,désagrément"
    ),
    "false_claim": (
        r"tout (?:fonctionne|va bien),fausse alerte,faux positif,everything (?:works|is fine),"
        r"false alarm,false positive,has recovered,have recovered,is back,est rétabli\w*,"
        r"utilisateurs?,users?,clients?,customers?,visiteurs?,visitors?,impact\w*,perte\w*,revenue,ventes?,sales,data loss,"
        r"always,première fois,first time,récurrent\w*,recurring,fréquent\w*,frequent\w*,habituel\w*,d'habitude,usual\w*,"
        r"inhabituel\w*,unusual\w*,hier,yesterday,demain,tomorrow,aujourd'hui,today,tonight,cette nuit,ce matin,this morning,ce soir,"
        r"lundi,mardi,mercredi,jeudi,vendredi,samedi,dimanche,monday,tuesday,wednesday,thursday,friday,saturday,sunday,"
        r"mondial\w*,global\w*,worldwide,partout,everywhere,tous les services,all services,critique\w*,critical\w*,catastroph\w*,urgen\w+,"
        r"grave\w*,severe\w*,sérieu\w+,serious\w*,massi\w+,totalement,entièrement,completely,entirely"
    ),
    "number_word": (
        r"dizaines?,douzaines?,centaines?,milliers?,mille,millions?,hundreds?,thousands?,dozens?,couple,moitié,half,doubl\w+,tripl\w+,twice,"
        r"thrice,(?<!\d )(?:week|day|hour|month|year|minute)s? ago,il y a (?:des|quelques),quart,quarter,plusieurs,several,many,nombreux,nombreuses,beaucoup,la plupart,most of,majorit\w+"
    ),
}

# A cause may be named only when a cited fact or the chosen hypothesis names it, in either language.
CAUSES: dict[str, str] = {
    "database": r"bases? de données,base,database\w*,sql,postgres\w*,mysql,mongo\w*,redis",
    "firewall": r"pare-feux?,firewalls?,waf",
    "memory": r"mémoire,memory,oom,ram",
    "disk": r"disques?,disks?,stockage,storage",
    "load": r"surcharg\w+,charge,satur\w+,overload\w*,load,pic de \w+,spike\w*,trafic,traffic,congestion\w*",
    "deployment": r"déploiement\w*,déploy\w+,deploy\w*,mise à jour,mises à jour,update\w*,upgrade\w*,release\w*,version récente",
    "configuration": r"configur\w+,misconfigur\w+,réglages?,paramétr\w+,setup,settings?",
    "dns": r"dns,résolveurs?,resolvers?,zones?,nom de domaine,domain name",
    "certificate": r"certificats?,certificates?,autorités?,authorit\w+,renouvel\w+,renew\w*",
    "proxy": r"mandataires?,"  # words: models write it
    r"proxy,proxies,répartiteurs?,load balancer\w*,passerelles?,gateways?,cdn,amont,upstream",
    "network": r"réseaux?,networks?,route,routes,routage,routing,liaison,link,connectivity,connectivité,câble\w*,cables?",
    "host": r"hébergeurs?,hoster\w*,hosting,fournisseurs?,providers?,datacenter\w*,data center\w*,centre de données",
    "hardware": r"matériel\w*,hardware,électri\w+,power",
    "application": r"applicati\w+,backend\w*,dorsal\w*,code applicatif,bugs?,bogues?,exception\w*,crash\w*,plant\w+",
    "attack": r"attaqu\w*,attack\w*,pirat\w+,hack\w*,ddos,breach\w*,intrusion\w*,malveill\w+,malicious\w*,compromis\w*",
    "maintenance": r"maintenance\w*",
    "expiry": r"expir\w+",
    "stopped": r"(?<!s'est )arrêté\w*,stopped,éteint\w*,shut down,redémarr\w+,restart\w*,reboot\w*",
    "third_party": r"tiers,third.part\w+,dépendance\w*,dependenc\w+",
    "rate_limit": r"limite de débit,rate limit\w*,quota\w*,throttl\w+",
}

# A sentence with one of these gives a reason, and a reason must be known word by word.
EXPLAINS = (
    r"cause\w*,causée?s?,parce qu\w*,car,puisque,raison\w*,origine,expliqu\w+,à la suite,suite à,en raison,grâce,provoqu\w+,dûe?s?,due,"
    r"because,caused?,causes,causing,reason\w*,origins?,explain\w*,owing,result\w* (?:of|from|in),leads? to,led to,triggered,after,après"
)
