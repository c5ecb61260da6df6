"""What a server says in the languages of the world when a page is not found or an error happened, as titles and headings say it.

Collected from the message catalogues of Django's administration, of WordPress and of Docusaurus; folded, without marks at the ends.
A phrase proves nothing by occurring: it counts where title and heading both are nothing else (reasons.py).
"""

from collections.abc import Mapping

# By language: "page not found", then "server error"; spellings are set apart by a bar.
_TABLE = """
af: bladsy nie gevind nie // bedienerfout
am: ድህረ-ገጹ የለም // የሰርቨር ችግር
ar: الصفحة غير موجودة | تعذر العثور على الصفحة // خطأ في المزود
ast: nun s'alcontró la páxina //
az: səhifə tapılmadı // server xətası
be: бачыну не знайшлі // паслужнік даў хібу
bg: страницата не е открита | страница не е намерена | страницата не е намерена // сървърна грешка
bn: পৃষ্ঠা পাওয়া যায়নি | পেজটি খুঁজে পাওয়া যায়নি // সার্ভার সমস্যা
br: n'eo ket bet kavet ar bajenn // fazi servijer
bs: stranica nije pronađena // greška na serveru
ca: pàgina no trobada | no s'ha pogut trobar la pàgina // error del servidor
ckb: پەڕە نەدۆزرایەوە // هەڵەی ڕاژەکار
cs: stránka nebyla nalezena | stránka nenalezena // chyba serveru
cy: heb ganfod tudalen | ni ddarganfyddwyd y dudalen // gwall gweinydd
da: side ikke fundet | siden blev ikke fundet // serverfejl
de: seite nicht gefunden // serverfehler
dsb: bok njejo se namakał // serwerowa zmólka
el: η σελίδα δεν υπάρχει | η σελίδα δεν βρέθηκε // σφάλμα στο server
eo: ne eblis trovi la paĝon | paĝo ne trovita // servila eraro
es: página no encontrada | no se encontró la página // error del servidor
et: lehte ei leitud // serveri viga
eu: orrialdea ez da aurkitu | ez da orririk aurkitu // zerbitzariaren errorea
fa: برگه پیدا نشد | صفحه یافت نشد | صفحه ای که دنبال آن بودید پیدا نشد // خطای سرور
fi: sivua ei löydy // palvelinvirhe
fil: hindi nahanap ang pahina //
fr: page non trouvée | page introuvable // erreur du serveur
ga: ní bhfuarthas an leathanach // botún freastalaí
gd: cha deach an duilleag a lorg // mearachd an fhrithealaiche
gl: non se atopou a páxina | páxina non atopada // erro no servidor
he: העמוד לא נמצא | דף לא קיים | דף לא נמצא // שגיאת שרת
hi: पृष्ठ लापता | पेज नहीं मिला // सर्वर त्रुटि
hr: stranica nije pronađena // greška na serveru
hsb: strona njeje so namakała // serwerowy zmylk
hu: oldal nem található | nincs ilyen oldal | az oldal nem található // szerverhiba
hy: էջը գտնված չէ // սերվերի սխալ
ia: pagina non trovate // error del servitor
id: halaman tidak ditemukan | laman tidak ditemukan | halaman tak ditemukan // galat server
io: la pagino ne renkontresis // eroro del servilo
is: síða fannst ekki // kerfisvilla
it: pagina non trovata // errore del server
ja: ページが見つかりませんでした | ページが見つかりません // サーバーエラー
jv: kaca ora ketemu //
ka: გვერდი არ არის ნაპოვნი | გვერდი ვერ მოიძებნა // სერვერის შეცდომა
kab: asebtar ulac-it // tuccḍa n uqeddac
kk: бет табылмады // сервердің қатесі
km: //
kn: ಪುಟ ಸಿಗಲಿಲ್ಲ // ಸರ್ವರ್ ದೋಷ
ko: 페이지가 없습니다 | 페이지를 찾을 수 없습니다 // 서버 오류
ky: барак табылган жок // сервер катасы
lt: puslapis nerastas // serverio klaida
lv: lapa netika atrasta | lapa nav atrasta // servera kļūda
mk: страницата не е пронајдена | страницата не е најдена // грешка со серверот
ml: പേജ് കണ്ടെത്താനായില്ല // സെര്‍വറിൽ എന്തോ പ്രശ്നം
mn: хуудас олдсонгүй // серверийн алдаа
mr: पान मिळाले नाही // वाढप्यात त्रुटी
ms: laman tidak dijumpai // masalah pelayan
my: စာမျက်နှာ မေတွ့ပါ // ဆာဗာအမှားပြ
nb: fant ikke siden | siden ble ikke funnet // tjenerfeil
ne: पृष्ठ भेटिएन // सर्भर त्रुटि
nl: pagina niet gevonden // serverfout
nn: fann ikkje sida // tenarfeil
os: фарс нӕ зыны // серверы рӕдыд
pa: ਸਫ਼ਾ ਨਹੀਂ ਲੱਭਿਆ // ਸਰਵਰ ਗਲਤੀ
pl: strona nie została znaleziona // błąd serwera
pt: página não encontrada // erro do servidor | erro no servidor
ro: pagina nu a fost găsită | pagină inexistentă // eroare de server
ru: страница не найдена // ошибка сервера
si: පිටුව සොයා ගත නොහැක //
sk: stránka nenájdená // chyba servera
sl: ne najdem strani | strani ni mogoče najti | strani ni bilo možno najti // napaka na strežniku
sq: faqja nuk u gjet | s'u gjet faqe // gabim shërbyesi
sr: страница није пронађена | stranica nije pronađena // грешка на серверу | greška na serveru
su: kaca teu kapaluruh //
sv: sidan kunde inte hittas | sidan hittades inte // serverfel
sw: nakala hainekani | ukurasa haujapatikana // hitilafu ya seva
ta: பக்கம் காணப்படவில்லை | பக்கத்தைக் காணவில்லை // சேவகன் பிழை
te: పుట దొరకలేదు // సర్వర్ పొరబాటు
tg: саҳифа ёфт нашуд // мушкилӣ дар сервер
th: ไม่พบหน้า | ไม่พบหน้านี้ // เซิร์ฟเวอร์ขัดข้อง
tk: sahypa tapylmady //
tr: sayfa bulunamadı // sunucu hatası
tt: сәхифә табылмаган // сервер хатасы
ug: بەت تېپىلمىدى // مۇلازىمېتىر خاتالىقى
uk: сторінку не знайдено | сторінка не знайдена // помилка сервера
ur: صفحہ نھیں ملا | صفحہ نہیں ملا // سرور کی خرابی
uz: // server xatoligi
vi: không tìm thấy trang này | không tìm thấy trang nào | không tìm thấy trang // lỗi máy chủ
zh: 未找到页面 | 沒有符合條件的頁面。 | 页面没有找到 | 找不到頁面 | 找不到页面 // 服务器错误 | 伺服器錯誤
"""


def _read(table: str) -> Mapping[str, int]:
    codes = {}
    for line in table.strip().splitlines():
        missing, _, broken = line.partition(": ")[2].partition("//")
        for phrases, code in ((missing, 404), (broken, 500)):
            codes.update({phrase.strip(): code for phrase in phrases.split("|") if phrase.strip()})
    return codes


TRANSLATED = _read(_TABLE)
