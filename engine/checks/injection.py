"""Texts that give orders: headlines written for a model, outputs that obeyed them.

A flag is a warning that costs a human look (a flagged item never goes out unapproved); it is
never the only lock: the policy, format and fact checks judge the output whatever came in
(facts: reliability-and-security §5.1). Rule ids are ``injection.<kind>``.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

from engine.checks import links, policy, wallets
from engine.checks.emoji import SEQUENCE
from engine.checks.language import word_set
from engine.checks.length import MAX_JUDGED, compose
from engine.checks.normalise import views
from engine.records import Finding

_EARLIER = r"(?:previous|prior|above|earlier|preceding|former|past|existing|all|any|your|the|these|those|system|other|original|initial|safety)"
_ORDERS = r"(?:instructions?|prompts?|rules?|directions?|guidelines?|orders?|commands?|context|messages?|constraints?|polic(?:y|ies)|training|filters?|restrictions?|programming|text|system)"

_OUT = r"(?:tweet|post|write|output|print|reply|respond|answer|type|repeat|echo|generate|publish)"
_ORDER = (
    r"(?:^|[.!?;,:\n\"'(\[-]\s*|\b(?:now|then|and|please|just|must|should|to|only|instead|you) )"
)

_PATTERNS: tuple[tuple[str, str, str], ...] = (
    (
        "override",
        rf"\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget|overrid(?:e|ing)|bypass(?:ing)?|stop following|"
        rf"(?:do not|don't) follow|pay no attention to)\b\W+(?:\w+\W+){{0,4}}?{_ORDERS}\b|"
        rf"\b(?:skip|cancel|drop|delete|erase|discard|neglect|violate|break)\W+(?:\w+\W+)?{_EARLIER}\W+(?:\w+\W+)?{_ORDERS}\b|"
        r"\b(?:ignore|disregard|forget)\W+(?:everything|all (?:of )?(?:that|this|the above)|what|the above|all (?:above|before))\b|"
        r"\b(?:new|updated|real|actual|revised|secret|hidden|important|urgent) (?:system )?(?:instructions?|prompts?|directives?)\b|"
        r"\b(?:new|real|actual|your) (?:task|orders?|rules?|goal|job)\s*[:=]|"
        r"\b(?:from now on|starting now|for the rest of)\b[^.\n]{0,40}\b(?:you|respond|reply|write|answer|act|tweet)\b|"
        r"\bend of (?:prompt|instructions?|context|headline|data|input|system|document|article)\b|"
        r"\b(?:begin|start) (?:of )?(?:new )?(?:prompt|instructions?|output|admin|system)\b",
        "Tells the model to drop its instructions.",
    ),
    (
        "role",
        r"\b(?:you are|you're|u r|you will be|you shall be) (?:now|no longer|free from|in|dan|(?:a|an)\W+(?:\w+\W+){0,2}?(?:bot|ai|assistant|model|pirate|trader|scammer|spammer|expert|hacker|guru|influencer|character)|going to (?:be|act|pretend|write|tweet)|the (?:admin|owner|new)|hereby)\b|"
        r"(?:^|[.!?;,:\n\"(\[-]\s*|\b(?:now|then|and|please|just|must|should) )(?:act|behave|reply|respond|answer|speak|pose|write|tweet|talk) (?:as|like) (?:a|an|the|if|though|you|elon|satoshi|dan|my)\b|"
        r"\bpretend (?:to be|you|that|this)\b|\brole-?play\b|\bsimulate (?:a|an|being)\b|\bimagine (?:you are|you're|that you|being)\b|"
        r"\b(?:developer|debug|admin|god|dan|sudo|root|maintenance|jailbreak|unrestricted|unfiltered) mode\b|\bjail-?br(?:eak|oken)\w*|\bdo anything now\b|"
        r"\byour (?:new )?(?:name|role|persona|task|job|goal|mission|purpose|owner|creator|developer|master) (?:is|was|will)\b|"
        r"\b(?:as|i am|i'm) (?:the|your) (?:developer|admin\w*|owner|creator|operator|boss|engineer)\b",
        "Gives the model a role.",
    ),
    (
        "leak",
        r"\b(?:system|developer|hidden|secret|initial) (?:prompt|instructions?)\b|\bsystem message\b|"
        r"\b(?:reveal|show|print|repeat|output|display|leak|dump|expose|share|reproduce|recite|disclose|echo|tell me|give me|what (?:is|are|was|were)|summari[sz]e|translate|list|include|append|paste|post|tweet|quote)\b(?:\W+\w+){0,4}?\W+"
        r"(?:(?:your|my)\W+(?:\w+\W+){0,2}?(?:prompt|instructions?|rules|secrets?|environment|env|tokens?|credentials?|config\w*|passwords?|guidelines|training data|context|keys?)|"
        r"(?:the|all|its)\W+(?:\w+\W+){0,2}?(?:prompt|instructions|api[_ -]?keys?|environment variables?|credentials|passwords?|private keys?))\b|"
        r"\bx_(?:api|access)_\w+|\b(?:api|access|secret)[_ -](?:key|token|secret)s?\b|\benviron(?:ment variables?)?\b|\b(?:text|words|everything|content) (?:above|before this)\b",
        "Asks for the prompt or for secrets.",
    ),
    (
        "dictation",
        rf"\b{_OUT}\b(?:\W+(?:\w+\W+){{0,3}}?)(?:exactly|only(?=\s+(?:with|the|this|one|in|a)\b|\s*:)|verbatim|the following|word for word|literally|nothing (?:else|but)|instead)\b|"
        rf"\b(?:{_OUT}|say|return|state|announce|claim|insist)\b(?:\W+(?:\w+\W+){{0,3}}?)(?:exactly\b|verbatim|word for word|the following|this(?: (?:text|link|message|sentence|word|tweet|post|exactly|now))?\s*[:\"'“]|"
        r"in (?:all )?(?:caps|capitals|uppercase|spanish|german|french|chinese|russian|base ?64|rot ?13|json|markdown|html|python|reverse)\b|your followers)|"
        r"\b(?:include|append|add|insert|end|begin|start|finish|close|sign off|mention|recommend|promote|advertise|endorse|praise|tag|paste|copy)\b(?:\W+(?:\w+\W+){0,6}?)(?:verbatim|the following|"
        r"(?:this|the) (?:link|address|hashtag|text|phrase|sentence|url|message|handle)|with the (?:words?|link|hashtag|text|phrase|sentence|address|url)|(?:your|every|each|the) (?:tweet|post|reply|answer|response|output|message)s?)\b|"
        rf"{_ORDER}{_OUT}\s*(?:exactly|this|only|now|back|after me|instead|with)?\s*[:=]\s*\S|"
        rf"\binstead of [^.\n]{{0,30}}\b{_OUT}\b|\b{_OUT}\b[^.\n]{{0,30}}\b\d+ times\b|"
        r"\b(?:repeat|say) after me\b|\b(?:your|the) (?:entire |whole |only |next |final )?(?:output|response|answer|reply|tweet|post) (?:must|should|shall|has to|needs to)\b|"
        r"\byou (?:must|should|shall|have to|need to|will) (?:\w+ )?(?:include|contain|mention|say|state|write|tweet|post|answer|reply|output|end|begin|praise|call|add|always|obey)\b|"
        r"\b(?:in|to|of) your (?:next )?(?:tweet|post|reply|answer|response|output|summary)\b|"
        r"\b(?:when|if|while|before|after) (?:you )?(?:are )?(?:summari[sz](?:e|ing)|processing|generat(?:e|ing)|tweeting|reading this|writ(?:e|ing) (?:the|a|your|this) (?:tweet|post))\b|"
        r"\b(?:note|message|attention|reminder|memo|instructions?|hint|hey|dear|hello|hi)\W+(?:to |for )?(?:the |all |any |this )?(?:ai|llms?|language models?|bots?|assistants?|models?|chatbots?|chatgpt|gpt|claude|llama|gemini|copilot|agents?|summari[sz]ers?|automated (?:systems?|accounts?))\b|"
        r"\b(?:ai|llm|bot|assistant|model|gpt|chatgpt|agent)s?\s*[:,]\s*(?:please|you|ignore|write|say|tweet|post|do|must|print|output|reply)\b",
        "Dictates what to write.",
    ),
    (
        "markup",
        r"<\|[^\n]{0,40}\|>|<\|(?:im|end|eot|start|system|user|assistant)|\[/?(?:inst|sys|system|user|assistant)\]|<</?sys>>|</?(?:s|system|user|assistant|human|instructions?|prompt|script|img|iframe|a|svg|tool\w*|function\w*|headline|data|context|document|think|style|div|p|br|b)\b[^<>\n]{0,200}>?|(?:^|\n|\s)#{2,}\s*(?:system|user|assistant|instructions?|response|input|human|new|task|end|output)\b|(?:^|\n|[.!?\"']\s*)(?:system|user|assistant|human|admin|developer)\s*:|```|~~~|!?\[[^\]\n]{0,80}\]\s*\([^)\n]{0,200}\)|\{\{[^\n]{0,80}|\$\{|\{%|<%|<!--|-->|\]\]>|/\*|\*/|-{3,}\s*\w|={3,}",
        "Carries the markup of a chat or of a web page.",
    ),
    (
        "call",
        r"\b(?:tool|function)_?calls?\b|\b(?:exec|eval|system|subprocess|function|import|post_tweet|send_tweet|publish|approve|create_tweet|transfer|send_btc|send_funds|update_status|os\.\w+)\s?\(|"
        r"\b(?:curl|wget|sudo|rm)\s+-?-?[\w/:]+|\"\w{2,20}\"\s*:|'(?:role|content|tweet|text|name|verdict)'\s*:|[\[{]\s*\"|\"\s*[\]}]|\b(?:drop table|select \*|union select|delete from|xp_cmdshell|/etc/passwd|__import__)|"
        r"\bupdate \w+ set\b|\binsert into \w+|;\s*--|'\s*or\s+'?1|\bverdict\b\W+pass\b|\bstate\b\W+(?:approved|validated)\b|\bapproved\s*=\s*\w+",
        "Carries a tool call, JSON or code.",
    ),
    (
        "language",
        r"ignor(?:a|e|ar|ate|en) (?:todas? |tutte )?(?:las |los |tus |as |os |suas |le )?(?:instru\w+|istruzioni|reglas|ordenes|regras)|(?:ignore[rz]?|oublie[rz]?|neglige[rz]?) (?:toutes? )?(?:les |tes |vos )?(?:instructions|consignes|regles)|(?:ignoriere?|vergiss|missachte) (?:alle |die |deine |samtliche )*(?:\w+ )?(?:anweisungen|instruktionen|regeln|befehle)|(?:negeer|vergeet) (?:alle |de |je )*(?:\w+ )?(?:instructies|opdrachten|regels)|(?:zignoruj|zapomnij|pomin) (?:\w+ )*(?:instrukcj\w+|polece\w+)|(?:onceki|tum) (?:\w+ )?talimatlari|abaikan (?:semua )?(?:instruksi|perintah)|olvida (?:todo|las|tus)|esqueca (?:tudo|as|todas)|dimentica (?:tutto|le)|(?:ignorera|glom) (?:alla |tidigare )*instruktioner|(?:bo qua|quen) (?:\w+ )*(?:huong dan|chi dan|lenh)|escribe (?:exactamente|solo)|schreibe? (?:genau|nur|folgendes)|ecri[st]?(?:vez)? (?:exactement|seulement)|eres ahora|du bist (?:jetzt|nun)|tu es maintenant|agora voce e",
        "Gives orders in another language.",
    ),
)
_RULES = tuple((kind, re.compile(pattern), message) for kind, pattern, message in _PATTERNS)

# Orders in scripts that folding would take apart; matched on the composed, lower-case text.
_OTHER_SCRIPTS = re.compile(
    r"(?:игнорируй\w*|забудь\w*|проигнорируй\w*|не следуй\w*)[^.\n]{0,40}(?:инструкц|указан|правил|команд)|ігноруй\w*[^.\n]{0,30}інструкц"
    r"|(?:忽略|无视|無視|忘记|忘記|不要理会)[^。\n]{0,12}(?:指令|指示|提示|规则|規則|说明|内容)|(?:指示|命令|ルール|プロンプト)[^。\n]{0,6}(?:無視|忘れ)"
    r"|(?:이전|모든|위의)[^.\n]{0,10}(?:지시|명령|지침)[^.\n]{0,6}(?:무시|잊)|تجاهل[^.\n]{0,20}(?:تعليمات|التعليمات|الأوامر|السابقة)|התעלם[^.\n]{0,20}(?:הוראות|מההוראות)"
    r"|(?:निर्देश|आदेश)\S*[^।\n]{0,20}(?:अनदेखा|नज़रअंदाज़|भूल)|(?:αγνόησε|αγνοησε|ξέχασε)[^.\n]{0,20}οδηγ|(?:เพิกเฉย|ละเว้น|ลืม)[^\n]{0,20}(?:คำสั่ง|คำแนะนำ)|(?:نادیده|فراموش)[^\n]{0,20}دستور|دستور[^\n]{0,20}(?:نادیده|فراموش)"
)
# Rules of the policy that a headline may trip only by trying to sell something.
_BAIT = word_set(
    "promise trade advice legal giveaway contact impersonation slur sexual profanity hate tragedy"
)
_BLOB = re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}")
_HEX = re.compile(
    r"(?:[0-9a-fA-F]{2}[\s:]?){12,}|(?:\\x[0-9a-fA-F]{2}){4,}|(?:\\u[0-9a-fA-F]{4}){3,}|(?:&#x?[0-9a-fA-F]{2,5};){3,}"
)
_BINARY = re.compile(r"(?:[01]{7,8}\s?){6,}")
_MORSE = re.compile(r"(?:[.\-]{1,5}[ /]+){8,}")
_MENTION = re.compile(r"(?<![\w.])@\s?[a-z]\w{1,29}")
_HIDDEN = ("Cf", "Cc", "Co", "Cs")
_WORDS_OF_ORDERS = re.compile(
    r"\b(?:ignore|instructions?|previous|tweet|system prompt|disregard|giveaway|send|bitcoin|pretend|reveal)\b"
)


def flags(text: str) -> list[Finding]:
    """Warnings about a headline or an output; one a kind, severity ``warn``. Never raises."""
    if len(text) > MAX_JUDGED:
        message = f"It has more than {MAX_JUDGED:,} characters; no headline is that long."
        return [Finding("injection.long", "warn", 0, len(text), message)]
    found: dict[str, Finding] = {}
    for kind, start, end, message in _all(text):
        found.setdefault(kind, Finding(f"injection.{kind}", "warn", start, end, message))
    return sorted(found.values(), key=lambda finding: (finding.start, finding.rule))


def _all(text: str) -> Iterator[tuple[str, int, int, str]]:
    readings = views(text)
    for kind, pattern, message in _RULES:
        for view in readings:
            if match := pattern.search(view.text):
                yield (kind, *view.span(*match.span()), message)
                break
    if match := _OTHER_SCRIPTS.search(compose(text).lower()):
        yield "language", 0, len(text), f"It gives orders in another language ({match[0][:20]})."
    yield from _hidden(text)
    yield from _encoded(text)
    if match := _MENTION.search(readings[0].text):
        yield ("mention", *readings[0].span(*match.span()), "Names an account.")
    for start, end, _ in links.denied(text, readings, frozenset(), frozenset()):
        yield "link", start, end, "Carries a link."
    for kind, start, end, message in wallets.find(text):
        yield kind, start, end, message
    for rule in policy.rules():
        if rule.name in _BAIT:
            for view in readings:
                for match in rule.matches(view.text):
                    yield ("bait", *view.span(*match.span()), rule.message)


def _hidden(text: str) -> Iterator[tuple[str, int, int, str]]:
    """Invisible and direction-changing characters, mixed scripts within a word."""
    rest = SEQUENCE.sub(lambda match: "x" * len(match[0]), text)
    for place, character in enumerate(rest):
        if unicodedata.category(character) in _HIDDEN and character not in "\n\t\r\xad":
            message = f"Hidden character U+{ord(character):04X}."
            yield "hidden", place, place + 1, message
            break
    for word in re.finditer(r"[^\W\d_]{3,}", text):
        scripts = {unicodedata.name(letter, "?").split()[0] for letter in word[0]}
        if "LATIN" in scripts and scripts & {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "LISU"}:
            yield "scripts", word.start(), word.end(), "Letters of several scripts in one word."
            break
    odd = re.search(
        r"[\U0001d400-\U0001d7ff\uff21-\uff5a\u24b6-\u24e9\U0001f130-\U0001f189]{3,}", text
    )
    if odd:
        yield "scripts", odd.start(), odd.end(), "Words in look-alike letters."


def _encoded(text: str) -> Iterator[tuple[str, int, int, str]]:
    """Base64, hex, percent, binary, rot13, reversed text that hides words."""
    message = "Encoded text."
    for blob in _BLOB.finditer(text):
        if _decodes(blob[0]):
            yield "encoded", blob.start(), blob.end(), message
            return
    for pattern in (_HEX, _BINARY, _MORSE):
        if match := pattern.search(text):
            yield "encoded", match.start(), match.end(), message
            return
    if text.count("%") >= 3 and (plain := unquote(text)) != text and not plain.isdigit():
        yield "encoded", 0, len(text), message
        return
    lowered = text.lower()
    for turned in (codecs.encode(lowered, "rot13"), lowered[::-1]):
        if len(set(_WORDS_OF_ORDERS.findall(turned)) - set(_WORDS_OF_ORDERS.findall(lowered))) >= 2:
            yield "encoded", 0, len(text), message
            return


def _decodes(blob: str) -> bool:
    """Whether this is base64 of readable text."""
    blob = blob.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        raw = base64.b64decode(blob[: len(blob) - (len(blob) % 4 == 1)] + "=" * (-len(blob) % 4))
    except (binascii.Error, ValueError):
        return False
    readable = sum(32 <= byte < 127 for byte in raw)
    return len(raw) >= 12 and readable >= 0.95 * len(raw) and b" " in raw
