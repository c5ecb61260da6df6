"""The words a report may always use: those that say who, when, how much and how it was seen, and claim nothing by themselves.

Any other word has to come from the cited facts or from the chosen hypothesis. A list of what is forbidden never ends; this one does.
Data; `report.vocabulary` compares by it.
"""

EN = """
a an the this that these those it its they them their there here which who whose what when where while whereas and or but so then thus than as at by
for from in into of on onto to with without within after before since until till during between among over under above below about against toward
towards through throughout per via upon not no nor neither either both each every all any some none one other others another same different only
also too still yet already just now again more most less least much very quite rather almost around nearly exactly approximately even if whether
though although because is are was were be been being has have had having do does did done doing can could cannot may might must should would
did not its itself he she we however therefore hence meanwhile together apart alone once twice
report monitor measure observe see seen saw look show shown indicate record note notice find found read detect confirm verify establish
according suggest point speak tell told say said state mean mention describe list register sign evidence fact ground base basis proof data figure
number value result reading observation measurement diagnosis conclusion analysis second first third last latest newest previous earlier later next
recent current present currently recently time moment instant minute hour day week month date period interval start begin began begun end ended
finish remain stay continue keep kept persist last lasted lasts lasting named take took taken come came go goes went gone get got give gave given make made
receive return answer respond response reply send sent produce yield deliver serve issue fail failure failed check test attempt try tried retry
service site page website endpoint url api server host machine address name port connection connect contact request response http https ip ipv tcp tls dns
status code error state message body header size byte total overall whole entire complete completed full part
expected expect expectation unexpected instead outside inside range wanted asked accept refuse reject decline reach reached reachable unreachable open
close closed establish arrive arrival arrived wait negotiate handshake encryption encrypted resolve resolution lookup lead leads hold holds held
carry contain consist use used using run running keep offer belong concern concerned involve involved affect affected see
fast quick quickly slow slowly slower faster short long brief late early slowness speed pace duration length
likely probable probably possible possibly presumably supposed suspected suspect apparent apparently appear seem plausible candidate hypothesis
cause caused causing reason origin source explain explanation question questioned due behind
up down outage incident interruption unavailable unavailability available availability failing degraded degradation problem trouble impaired
row consecutive consecutively successive repeated repeatedly sequence turn series times confirmation
change changed unchanged alter altered differ difference identical similar equal constant still stable
front own vigie link control target rule rules side view point way place situation condition case detail further furthermore additional additionally
both two three four five six seven eight nine ten eleven twelve utc gmt am pm ms
valid validity remaining left until for rest behaviour behavior correct correctly wrong proper properly normally
compared compare comparison against relative while being itself per cent percent
served serves waited waits single data agree agrees supposedly also fine good able managed manage connected connecting back carries carried ever far fault limit longer met move moved never often starting step steps version well
including included includes include remains remained thus hereby overall entirely directly simply namely altogether
seconds minutes hours days weeks milliseconds twenty thirty
side sides cause causes likelihood suspicion appears appeared seems seemed suggests suggested indicates indicated points pointed shows showed showing
establishing completes completing finishes finishing arrives arriving tries trying attempts checks checked checking contacts contacting contacted
answers answering replies replying refusals refusal failures rejection resolves resolving opened opens closing closes accepts accepting accepted
presumed apparent assumed likeliest main underlying
started covered covers formed malformed know known earlier carry carrying share sharing healthy working work ok else rest nothing anything something everything none nobody somewhere
such as like unlike besides apart except despite regardless given owing thereby thereafter onwards onward henceforth up-to
attempt attempted attempting incoming outgoing inbound outbound request requested requests monitoring monitored surveillance log logged logs recorded
confirmed confirms according account accounts per respond responded responds responding reply replied replies came comes coming followed follows following follow
ran running took taking needed need needs required require requires spent elapsed amounts amount equals equal stands stand counted count counts
rose rise risen grew grow grown increase increased increases fell fall fallen dropped drop decrease decreased lower higher low high
resemble resembles resembled match matches matching mismatch correspond corresponds belongs present presented presents presenting presentation offered
trusted untrusted trust valid invalid expired expiry expires expiring expire renew renewed renewal self signed issued issuer chain leaf
exist exists existed existing disappear disappeared vanished gone missing absent lack lacks lacking absence find finding located
stopped stop stops halted ceased began beginning onset lasting ago prior until till still yet since throughout
handled handles handle listens listen listening nothing reset resets resetting refused refuses refusing rejected rejects timed timeout timing out
reads read reading returned returns returning delivered delivers delivering yields
successful successfully succeed succeeds succeeded success passes passed pass passing
unaffected undisturbed incident incidents event events occurrence occurrences occurred occur happening happened happen
announce announced advertise advertised identify notably specifically respectively previously subsequently simultaneously reveal revealed display displayed perform performed conduct conducted execute executed target targeted tell tells based regarding concerning fully
xx web internet online past off prior remote remotely added removed joined
team owner owned owns tag tags tagged network networks zone zones domain record records
"""
FR = """
a à au aux le la les l un une des de du d et ou où mais donc or ni car que qu qui quoi dont ce cet cette ces c ça cela ceci celui celle ceux celles se s
il ils elle elles on y en ne n pas plus moins point non oui si son sa ses leur leurs lui eux même mêmes tel telle tels telles
dans par pour sur sous avec sans vers chez entre parmi depuis dès jusque jusqu pendant durant avant après lors lorsque quand comme ainsi alors aussi
puis ensuite enfin encore déjà toujours ici là voici voilà très trop peu assez tout toute tous toutes chaque chacun chacune aucun aucune autre autres
plusieurs certains certaine quelque quelques seul seule seulement uniquement notamment tandis selon suivant contre outre hors malgré
est sont était étaient soit sera être été étant a ont avait avaient avoir eu ayant fait font faire fut peut peuvent pouvoir pourrait doit doivent devoir
va vont aller reste restent rester demeure demeurer continue continuer dure durer durée prend prendre pris mis met mettre vient viennent venir venu
revenu revenir passe passé passer donne donner rend rendre porte tient tenir trouve trouver
signale signaler indique indiquer montre montrer mesure mesurer mesuré observe observer observation observé constate constater constat relève relever
relevé confirme confirmer confirmation établit établir suggère suggérer désigne désigner pointe parle parler dit dire note noter voit voir vu lu lire
enregistré enregistrer enregistrement registre apparaît apparaître semble sembler paraît paraître visible détecte détecter
appui preuve indice fait faits donnée chiffre nombre valeur résultat relevé mesures analyse diagnostic règle règles
premier première deuxième second seconde troisième dernier dernière précédent suivant ancien récent actuel actuelle actuellement maintenant présent
moment instant temps heure minute seconde jour semaine mois date période début commence commencer fin finir termine terminer
reçoit reçu recevoir renvoie renvoyer renvoi répond répondre réponse retourne retourner sert servir envoie envoyer produit produire arrive arriver
échoue échouer échec contrôle contrôler vérification vérifier essai essayer tentative test examen
service site page url api serveur hôte machine adresse nom port connexion connecter contacte contacter contacté requête http https ip ipv tcp tls dns
statut code erreur état message corps entête taille octet total totalité ensemble entier entière complet complète partie moitié
attendu attendre attente inattendu lieu place hors plage demandé voulu accepte accepter refuse refuser rejette rejeter joint joindre joignable
injoignable ouvre ouvrir ouvert ferme fermer fermé négocie négocier négociation chiffrement chiffré résolution résoudre mène mener contient compte
compter concerne concerner touche rapide rapidement vite lent lente lenteur lentement court courte long longue bref brève retard délai vitesse
probable probablement possible possiblement éventuel supposé supposer supposée suspecté vraisemblable apparent apparemment plausible hypothèse
cause causer raison origine source explique expliquer explication question derrière
panne interruption incident indisponible indisponibilité disponible disponibilité dégradé dégradation problème trouble défaillance
suite suites consécutif consécutive consécutivement successif successive répété série fois tour
change changer changement changé inchangé diffère différent différence identique semblable même constant stable
frontal propre vigie liaison cible cibles côté vue manière situation condition cas détail fonctionne fonctionner
valable validité restant encore comportement correct correctement comparé comparaison écart rapport
deux trois quatre cinq six sept huit neuf dix onze douze utc gmt ms autre surveillé
achevé achevée agit agir cours faite faites fait laisse laisser pu peu remonte remonter reçu reçue reçus reçues tôt version
jamais loin pas étape étapes limite pendant lors duquel laquelle lequel auquel ceci inclus comprend comprendre compris
secondes minutes heures jours semaines millisecondes
semblent paraissent suggèrent indiquent montrent signalent désignent constatent relevés observés observées mesurées établies établis établie
répondu répondue réponses renvoyé renvoyée renvoyés renvoyées envoyé envoyée envoyés acceptée acceptées acceptés refusée refusées refusés
contactée contactés contrôlé contrôlés terminé terminée terminés commencée commencés aboutie aboutit abouti arrivée arrivés arrivées
principal principale présumé présumée supposer
également pareillement auparavant servi servie vu vue donnée données rencontrer rencontre rencontrent obtenu obtenir obtient lieu eu bon bonne effectué effectués aussi probablement vraisemblablement puisque puisqu parce bien soit ait aient aurait serait sait savoir connu connue connaît connaître sujet rien personne jusqu jusque venu venue venus viennent porte portent portant
partage partager partagent partageant possède posséder disposer dispose sain marche service normal
tel que comme hormis excepté sauf outre malgré grâce compte tenu dès lors dorénavant désormais
tentative tenter tente entrant sortant surveillance surveiller journal consigner consigné confirmé confirme selon d'après
suit suivre suivi suivie ensuite précède précéder pris prise prennent demandé demander nécessite nécessité écoulé équivaut vaut valoir
augmente augmenter augmenté hausse croître baisse baisser baissé diminue diminuer diminué inférieur supérieur plus moins bas haut élevé
rappelle rappeler ressemble ressembler correspond correspondre appartient appartenir relève relever présente présenter présentation fournit fournir
reconnu reconnaître non valide invalide valable expiré expirer expiration expire échéance renouvelé renouveler renouvellement signé autosigné émis émetteur chaîne
existe exister inexistant disparu disparaître disparition manque manquer manquant absent absente absence trouve introuvable
arrêté arrêter cessé cesser débuté débuter commencé dure durant il y a
traite traiter écoute écouter réinitialisé réinitialiser réinitialisation refusé refus rejeté rejet expiré dépassé dépasser délai aboutir abouti abouti
lit lire réussi réussir réussite succès effectué effectuer effectue accompli mené
touché toucher intact événement survenu survenir survient produit advenu
équipe propriétaire responsable étiquette réseau zone domaine enregistrement
figurer figurent ajouté ajoutée ajoutés ajoutées retiré retirée retirés doute
annonce annoncé identifie soupçonné soupçonnée soupçon suspecté suspectée accord accordent concordent précisément respectivement précédemment simultanément révèle révéler affiche afficher réalisé réaliser exécuté exécuter tenté visé ciblé interrogé interroger consulté rapporte rapporter
xx web internet bout coupé coupée coupés coupées distant distante antérieur antérieure antérieurs ultérieur
moniteur"""  # words: models write it
