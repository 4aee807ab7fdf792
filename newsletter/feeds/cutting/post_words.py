"""Words in titles, headings and source lines that tell a digest of articles from an ordinary post."""

import re

#: A title of news: its headings are headlines, however they are written.
_NEWS = (
    r"\bnews\w*|\bheadlines?\b|\bstor(?:y|ies)\b|\bpress (?:review|digest|clippings)|\bbriefs?\b|\blinks\b"
    r"|\barticles\b|\breports?\b"
    r"|nachrichten|presseschau|meldungen|schlagzeilen|revue de presse|actualités|\bbrèves\b|noticias|titulares"
    r"|resumen de prensa"
    r"|notícias|manchetes|notizie|rassegna stampa|nieuws|haberler|wiadomości|przegląd prasy|новост"
    r"|дайджест прессы|обзор прессы"
    r"|新闻|新聞|消息|简讯|簡訊|要闻|要聞|ニュース|뉴스|أخبار"
)
NEWS = re.compile(_NEWS, re.IGNORECASE)
#: A title of something compiled, weaker than news.
COMPILED = re.compile(
    rf"{_NEWS}|\bdigest|\bround-?up|\bnewsletter|\bweekly\b|\b(?:this|last|past) (?:week|month)\b"
    r"|\bof the (?:week|month|day)\b"
    r"|\bweek in\b|\bweek(?:'s|’s)|\bmonitor\b|\bread(?:s|ing|ings)\b|\blong-?reads?\b|\b(?:issue|no\.?"
    r"|nr\.?|vol\.?|edition) ?#?\d|#\d"
    r"|\bitems\b|wochenschau|der woche|lesenswert|la semaine|de la semana|da semana|della settimana|van de week"
    r"|haftanın|tygodnia"
    r"|за неделю|недели|сводка|дайджест|摘要|周报|週報|日报|日報|每周|每週|一周|本周|本週|第\s?\d+\s?期|今週|まとめ|주간|الأسبوع",
    re.IGNORECASE,
)
#: A title of a list of things, of what is new in a product, of a year: one post, though its headings link to pages.
THINGS = re.compile(
    r"\b(?:books?|novels?|films?|movies?|albums?|songs?|playlists?|games?|tools?|apps?|plug-?ins?|extensions?"
    r"|packages|gadgets?|cameras?|products?|gifts?|presents|deals|hotels?|hostels?|restaurants?|cafes?"
    r"|places|destinations|beaches|museums|recipes?|dishes|courses?|tutorials?|assignments?|syllabus|resources|guides?|how-?to|ideas"
    r"|tips|tricks|things"
    r"|podcasts?|episodes?|show notes|videos?|newsletters to|blogs|websites|fonts|themes|templates|jobs?|vacanc(?:y|ies)"
    r"|hiring|careers|openings|events?|what(?:'|’)s on|exhibitions|concerts|conferences|grants|fellowships|scholarships"
    r"|portfolio|faq|frequently asked|questions|glossary|bibliography|references|works cited|further reading"
    r"|quot(?:es|ations)"
    r"|releases?|release notes|released|changelog|change log|what(?:'|’)s new|new features|features|roadmap"
    r"|migration|upgrad\w+"
    r"|best|top|favou?rites?|essential|recommended|recommendations|must-\w+|where to)\b"
    r"|\bversion \d|\bv?\d+\.\d+(?:\.\d+)?\b|\byear(?:'s|’s)? (?:in|end)|\bin review\b|\blook(?:ing)? back\b"
    r"|\bretrospective|\bwrapped\b|\bof the year\b"
    r"|\b(?:bücher|filme|werkzeuge|programme|rezepte|geschenke|unterkünfte|ausflüge|orte|spiele"
    r"|stellen(?:angebote)?|termine|tipps"
    r"|veranstaltungen|empfehlungen|rückblick|jahresrückblick|versionshinweise|fragen)\b"
    r"|\b(?:livres|outils|applis?|hôtels|recettes|cadeaux|lieux|jeux|emplois|événements|conseils|bilan"
    r"|rétrospective|meilleure?s)\b"
    r"|\b(?:libros|películas|herramientas|hoteles|recetas|regalos|lugares|juegos|empleos|eventos|consejos"
    r"|resumen del año|mejores)\b"
    r"|\b(?:livros|filmes|ferramentas|hotéis|receitas|presentes|lugares|empregos|dicas|retrospectiva|melhores)\b"
    r"|\b(?:libri|strumenti|alberghi|ricette|regali|luoghi|giochi|lavoro|eventi|consigli|migliori|boeken"
    r"|recepten|cadeaus|vacatures)\b"
    r"|книг|фильм|инструмент|приложени|отел|гостиниц|рецепт|подарк|вакансии|итоги года|лучши|события|советы"
    r"|推荐|推薦|书单|書單|工具|应用|酒店|餐厅|食谱|礼物|招聘|活动|年度|盘点|更新日志|版本|おすすめ|ツール|アプリ|本棚|まとめ買い|求人"
    r"|추천|도구|채용|행사",
    re.IGNORECASE,
)
#: A year that is no part of a date: "Our 2026".
YEAR_ALONE = re.compile(r"(?<![\d/.-])(?:19|20)\d\d(?![\d/.-])")
#: A heading of a liveblog, or of a recording: it begins with a time.
TIME = re.compile(
    r"^\W*(?:\d\d?[:.：]\d\d(?:[:.]\d\d)?|\d\d?\s?h\s?\d\d|\d\d?(?:[:.]\d\d)?\s?[ap]\.?m\b\.?|[上下]午\d|\d\d?[時时点])",
    re.IGNORECASE,
)
QUESTION = re.compile(r"[?？؟;;՞]\W*$|^\W*(?:q|f|вопрос|問|问)\s?\d*\s?[:：.]", re.IGNORECASE)
#: A heading that counts the parts of one text.
PART = re.compile(
    r"^\W*(?:step|part|chapter|lesson|day|section|exercise|quarter|claim|myth|fact|rule|tip|reason|exhibit|figure|table"
    r"|appendix|case|round"
    r"|schritt|teil|kapitel|tag|regel|grund|behauptung|étape|partie|chapitre|jour|règle|paso|parte|capítulo|día"
    r"|regla|passo|dia|stap|deel"
    r"|шаг|часть|глава|день|правило|krok|część|adım|bölüm)\b\s*(?:\d|[ivx]+\b|one|two|three|[:：#])"
    r"|^\W*(?:(?:first|second|third|fourth|last) (?:quarter|half|day|week|month|part)|q[1-4]|h[12])\b"
    r"|^\W*第\s?[\d一二三四五六七八九十]+\s?[步章节節部回日]",
    re.IGNORECASE,
)
#: A heading that only a paper, a report or a recipe has.
SECTION = re.compile(
    r"^\W*(?:\d+\W*)?(?:methods?|methodology|materials and methods|results|discussion|limitations|abstract"
    r"|acknowledge?ments|appendix"
    r"|conclusions?|(?:key )?takeaways|ingredients|instructions|directions|preparation|faqs?|methoden?|methodik"
    r"|ergebnisse|fazit|zutaten"
    r"|zubereitung|méthodes?|résultats|conclusions?|ingrédients|métodos?|resultados|conclusi(?:ón|ones)"
    r"|ingredientes|conclusão|conclusioni"
    r"|conclusie|методы|результаты|выводы|заключение|ингредиенты|结论|結論|方法|结果|材料|まとめ|결론)\W*$",
    re.IGNORECASE,
)
#: A title of a post whose sections each cite a source.
ONE_TEXT = re.compile(
    r"\blive(?:blog|[- ]blog|[- ]updates?)?\s*[:：]|[,:–-]\s*live\b|\bas it happened\b|\bq ?& ?a\b|\bfaq\b"
    r"|frequently asked|\bfact.?check"
    r"|\bbibliograph|\bworks cited\b|\bquot(?:es|ations)\b|\btimeline\b|\bchronology\b|\brecipes?\b"
    r"|\bin (?:\w+ )?(?:charts|graphs|graphics|pictures|maps|figures|numbers)\b"
    r"|\byear in review\b|\blook(?:ing)? back\b|\bliveticker\b|\bvs?\b\.?|\bversus\b"
    r"|faktencheck|zeitleiste|chronik|in grafiken|en direct\s*:|en graphiques|en vivo\s*:|cronología"
    r"|прямая трансляция|хроника|直播|年表",
    re.IGNORECASE,
)
#: Who publishes figures rather than articles, and what a chart or a claim is taken from.
DATA = re.compile(
    r"\bworld bank\b|\bimf\b|monetary fund|\boecd\b|\bocde\b|\beurostat\b|\bstatist|\bstatistik|\bstatistisch"
    r"|\bestadística|\bestatística"
    r"|\bcensus\b|\bdestatis\b|\binsee\b|\bistat\b|\bun data\b|\bcomtrade\b|\bfao(?:stat)?\b|\bilo(?:stat)?\b|\bunctad\b|\bwto\b"
    r"|\bfred\b|federal reserve|\bbank(?: of)?\b|\bbls\b|labor statistics|\bbloomberg terminal\b|\brefinitiv\b"
    r"|\bpew research|\bgallup\b"
    r"|\bcalculations?\b|\bestimates?\b|\bdata(?:base|set)?\b|\bsurvey\b|\bpoll\b"
    r"|\bauthors?\b|\bown work|\bcodes?\b|\w+code\b|\bact of\b|\bregulations?\b|\bstatutes?\b|§"
    r"|berechnung|\bumfrage\b|\bdaten\b|banque mondiale|banco mundial|banca mondiale|weltbank|calculs|cálculos"
    r"|enquête|encuesta"
    r"|всемирный банк|росстат|статистик|расч[её]т|данные|世界银行|世界銀行|统计局|統計局|统计|統計|통계|البنك الدولي|إحصاء",
    re.IGNORECASE,
)
#: What an author of charts adds to a source, though it has a page of its own.
OWN_WORK = re.compile(
    r"\bcalculations?\b|\bauthors?\b|\bestimates?\b|berechnung|calculs|cálculos|расч[её]т|测算|計算", re.IGNORECASE
)
