"""Turns the text files in data/ into an endless, seeded stream of conversations.

A topic in data/*.txt is a block of lines:
  # id
  n: noun phrases, put into "what is ..." frames      h: actions, put into "how do I ..." frames
  q: whole questions                                  a: the answer        m: the answer to "tell me more"
Alternatives are separated by " | ".
"""
import random
import re
from dataclasses import dataclass, field
from pathlib import Path

DATA = Path(__file__).parent / "data"

REFUSAL = "Sorry, I can't help with that: I only know Weightroom and model files. Ask me about those instead."
REFUSAL_ZH = "抱歉，这个我帮不了你：我只懂 Weightroom 和模型文件。请问我这方面的问题。"
NOTHING_MORE = "That is all I know about it. Ask me something else about Weightroom or model files."

NOUN_FRAMES = """what is {n}? | what's {n}? | what are {n}? | whats {n} | explain {n} | tell me about {n} | {n}? | {n} | what does {n} mean? | i don't understand {n}
define {n} | describe {n} | what do you know about {n}? | {n} meaning | give me a short explanation of {n} | help me understand {n} | what is meant by {n}?
what is the purpose of {n}? | what is {n} for? | what is {n} used for? | how does {n} work? | what is the idea of {n}? | can you tell me what {n} is? | {n} explained
what exactly is {n}? | i have a question about {n} | why is there {n}? | what should i know about {n}? | i keep reading about {n}, what is it? | {n}: what is it?
explain {n} to me | could you describe {n}? | what on earth is {n}? | i want to learn about {n} | i came across {n}, what does it mean? | talk about {n}
how would you explain {n}? | what role does {n} play? | teach me about {n} | can you say something about {n}? | what is {n} good for? | why do i need {n}?
what's the deal with {n}? | any idea what {n} is? | my question is about {n} | what is so special about {n}? | what is the role of {n}? | what does {n} do? | what does {n} do exactly? | {n} - what is that?
what can you tell me about {n}? | the meaning of {n}, please | a few words about {n} | what is hidden behind {n}? | what is the story with {n}? | i read about {n} somewhere | is {n} important? | a question on {n} | give me the basics of {n}
who needs {n}? | do i need {n}? | information on {n} | what do people mean by {n}? | never heard of {n} | meaning of {n} | the term {n} confuses me
where is {n}? | where do i find {n}? | where can i see {n}? | where's {n}? | where are {n}? | is there {n}? | does weightroom have {n}? | does it have {n}? | how do i use {n}? | how is {n} used? | how do i get {n}? | can i use {n}? | can i have {n}? | show me {n} | i can't find {n} | i'm looking for {n}
what happens with {n}? | {n} doesn't work | tell me everything about {n} | what's {n} all about? | {n}, please | how about {n}? | what about {n}? | i need {n} | i want {n} | something about {n} | how does {n} function? | what's the use of {n}? | what is the point of {n}? | need info about {n} | why {n}? | {n} in this app""".replace("\n", " | ").split(" | ")
HOW_FRAMES = """how do i {h}? | how can i {h}? | how to {h} | how do you {h}? | what is the way to {h}? | i want to {h} | is it possible to {h}? | can i {h}? | i would like to {h}
where can i {h}? | what do i do to {h}? | how does one {h}? | help me {h} | i need to {h} | what is the best way to {h}? | what must i do to {h}? | show me how to {h}
is there a way to {h}? | how would i {h}? | i don't know how to {h} | tell me how to {h} | what are the steps to {h}? | how should i {h}? | i am trying to {h} | steps to {h}
which button do i press to {h}? | which key do i press to {h}? | what do i click to {h}? | could i {h}? | may i {h}? | any chance to {h}? | how do people {h}? | i'd love to {h}, how? | where do i click to {h}?
is there any option to {h}? | what's the trick to {h}? | i wish to {h} | i have to {h}, what now? | how am i supposed to {h}? | what do i need in order to {h}? | who can tell me how to {h}? | what if i want to {h}? | possible to {h}?
explain how to {h} | can weightroom {h}? | am i able to {h}? | i can't {h} | how might i {h}? | where do i go to {h}? | let me {h} | does the app let me {h}?
{h} | {h} | {h}? | please {h} | {h} please | {h}, how? | how come i can't {h}? | what happens when i {h}? | what happens if i {h}? | any way to {h}? | am i allowed to {h}? | button to {h} | key to {h} | shortcut to {h} | a way to {h}?
do you know how to {h}? | what's the quickest way to {h}? | what's the easiest way to {h}? | is there a button to {h}? | is there a key to {h}? | where is the option to {h}? | where is the button to {h}? | i want to {h}, what do i do? | i'm trying to {h} but i can't | i don't see how to {h}
why can't i {h}? | does it let me {h}? | can one {h}? | can you {h}? | are you able to {h}? | will it {h}? | i'd like to {h} | instructions to {h} | i need a way to {h} | what should i do to {h}? | can we {h}? | is it easy to {h}? | is it hard to {h}? | trying to {h}""".replace("\n", " | ").split(" | ")
PREFIXES = """hey, | hi, | hello, | please | so, | um, | ok, | quick question: | i'm new here, | sorry, | i was wondering, | just curious: | please tell me, | can you explain, | could you tell me,
can you tell me: | i'd like to know: | question: | excuse me, | hey guide, | one more thing: | well, | and | but | now | do you know | i wonder | tell me, | do tell: | also, | hi there! | hello!
maybe a stupid question: | my friend asks: | honestly, | good morning, | i need help: | help: | let me ask: | what i want to know is: | listen, | remind me,""".replace("\n", " | ").split(" | ")
SUFFIXES = """please | thanks | in simple words | for a beginner | in weightroom | here | in this app | briefly | in one sentence | exactly | again | i am new to this | thank you | pls | in short
for models | with a model | on my computer | i forgot | can you explain? | actually | today | right now | i'm confused | in plain english""".replace("\n", " | ").split(" | ")
FOLLOW_FRAMES = ["what about {n}?", "and {n}?", "and what is {n}?", "how about {n}?", "ok, and {n}?", "what about {n} then?", "then what is {n}?", "and {n}"]
MORE = ["tell me more", "more", "go on", "more details please", "can you tell me more?", "and?", "anything else?", "continue", "what else?", "explain more", "tell me more about it", "more about that please"]
ZH_NOUN_FRAMES = ["什么是{n}？", "{n}是什么？", "{n}", "请解释{n}", "介绍一下{n}", "{n}有什么用？", "我想了解{n}", "{n}是什么意思？", "请问什么是{n}？", "解释一下{n}", "能讲讲{n}吗？", "{n}是干什么的？", "告诉我{n}是什么", "我不懂{n}", "说说{n}",
                  "什么叫{n}？", "{n}有什么作用？", "{n}的作用是什么？", "{n}怎么用？", "{n}是做什么的？", "{n}是做什么用的？", "{n}是啥？", "能解释一下{n}吗？", "可以解释一下{n}吗？", "帮我解释一下{n}", "给我讲讲{n}", "{n}是怎么回事？",
                  "为什么需要{n}？", "为什么要有{n}？", "{n}有什么好处？", "{n}重要吗？", "{n}怎么理解？", "如何理解{n}？", "请介绍{n}", "请说明{n}", "关于{n}", "{n}呢？", "什么是{n}", "{n}在哪里？", "{n}指的是什么？", "{n}到底是什么？", "简单解释一下{n}", "用简单的话说明{n}"]
ZH_PREFIXES = ["请问", "你好，", "请告诉我，", "我想知道，", "问一下，", "那么", "嗨，", "麻烦问一下，", "不好意思，", "帮我看看，", "我想问一下，", "我想问，", "请教一下，", "你知道", "能告诉我", "新手问题：", "还有，", "另外，", "对了，", "请问一下，"]
ZH_WORDS = [tuple(p.split("=")) for p in "怎么=如何 怎么=怎样 怎么=要怎么 如何=怎么 什么=啥 电脑=计算机 有什么用=有什么作用 有什么用=有何用途 区别=差别 区别=不同 区别=差异 聊天=对话 对话=聊天 软件=程序 软件=应用 为什么=为何 为什么=为啥 吗？=么？ 能不能=可以不可以 能不能=可不可以 能=可以 可以=能 需要=要 怎么办=怎么处理 停止=中断 停止=停下 回答=回复 模型=大模型 文件=档案 打开=开启 哪里=什么地方 哪里=哪儿 安全=可靠 保存=存储 删除=删掉 我的=我 内存=记忆体 是什么=是甚么 显卡=GPU".split()]
ZH_ENDINGS = ["呢？", "啊？", "？谢谢", "，谢谢", "？请简单说明", "？求助", "？？", "。", "，求解"]
SYSTEM_PROMPTS = ["You are a helpful assistant.", "You are guide, the help model of Weightroom.", "Answer briefly.", "Be friendly and short.", "You are a careful assistant. Answer in English.",
                  "You help people who use Weightroom.", "Answer only what you know.", "You are an expert for model files.", "Be concise.", "You are a helpful, honest assistant.",
                  "Keep answers under three sentences.", "You answer questions of beginners.", "You are an AI assistant that answers questions politely and truthfully."]
ZH_SYSTEM_PROMPTS = ["你是一个有用的助手。", "请用中文回答。", "回答要简短。"]


@dataclass
class Topic:
    id: str
    nouns: list = field(default_factory=list)
    actions: list = field(default_factory=list)
    questions: list = field(default_factory=list)
    answer: str = ""
    more: str = ""
    chinese: bool = False


def read_topics(path: Path) -> list:
    topics = []
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("# "):
            topics.append(Topic(line[2:].strip(), chinese=line.startswith("# zh_")))
        elif line.strip():
            kind, text = line.split(":", 1)
            text = text.strip()
            topic = topics[-1]
            if kind == "a":
                topic.answer = text.replace("\\n", "\n")
            elif kind == "m":
                topic.more = text
            else:
                {"n": topic.nouns, "h": topic.actions, "q": topic.questions}[kind].extend(p.strip() for p in text.split(" | "))
    return topics


class Traditional:
    """Simplified to traditional Chinese for the words this corpus uses (data/zh_variants.txt)."""

    def __init__(self):
        self.words, self.chars = [], {}
        for line in (DATA / "zh_variants.txt").read_text("utf-8").splitlines():
            if line.startswith("words: "):
                self.words = [pair.split("=") for pair in line[7:].split()]
            elif line.startswith("chars: "):
                self.chars = {pair[0]: pair[1] for pair in line[7:].split()}

    def __call__(self, text: str) -> str:
        for simplified, traditional in self.words:
            text = text.replace(simplified, traditional)
        return "".join(self.chars.get(c, c) for c in text)


def load_corpus():
    english = [t for name in ("app", "files", "running", "talk") for t in read_topics(DATA / f"{name}.txt")]
    by_id = {t.id: t for t in english}
    chinese = read_topics(DATA / "zh.txt")
    by_id.update((t.id, t) for t in chinese)
    for name in ("phrasings", "phrasings_more", "zh_phrasings"):  # more ways to ask about the same topics
        for extra in read_topics(DATA / f"{name}.txt"):
            for kind in ("nouns", "actions", "questions"):
                known = getattr(by_id[extra.id], kind)
                known.extend(p for p in getattr(extra, kind) if p not in known)
    to_traditional = Traditional()
    for t in english + chinese:
        assert t.answer and (t.questions or t.nouns), t.id
    return english, chinese, to_traditional


class OffTopic:
    def __init__(self):
        self.plain = [l for l in (DATA / "offtopic.txt").read_text("utf-8").splitlines() if l.strip()]
        self.lists = {}
        _, self.frames = self.read("offtopic_frames.txt")
        self.chinese, self.chinese_frames = self.read("zh_offtopic.txt")

    def read(self, name: str):
        """Lines before the first [section] are whole questions, then come [frames] and word lists."""
        whole, frames, section = [], [], None
        for line in (DATA / name).read_text("utf-8").splitlines():
            if line.startswith("["):
                section = line.strip("[]")
            elif line.strip() and not line.startswith("# "):
                if section is None:
                    whole.append(line)
                elif section == "frames":
                    frames.append(line)
                else:
                    self.lists.setdefault(section, []).extend(w.strip() for w in line.split(" | "))
        return whole, frames

    def chinese_question(self, rng) -> str:
        return rng.choice(self.chinese) if rng.random() < 0.35 else self.fill(rng.choice(self.chinese_frames), rng)

    def made_up(self, rng) -> str:
        parts = ["ba", "ko", "ri", "mel", "tor", "sin", "ga", "lu", "pra", "ven", "ost", "qui", "zan", "der", "fo", "hul", "ix", "jo", "nar", "tem", "ul", "wes", "yam", "clo", "bri", "s", "n", "t"]
        word = "".join(rng.choice(parts) for _ in range(rng.randint(2, 4)))
        return rng.choice(["", "", "a ", "the "]) + (word.capitalize() if rng.random() < 0.3 else word)

    def fill(self, frame: str, rng) -> str:
        def word(match):
            kind = match.group(1)
            if kind == "num":
                return str(rng.choice([rng.randint(1, 12), rng.randint(1, 100), rng.randint(1, 2000)]))
            if kind in ("thing", "person", "country") and rng.random() < 0.08:
                return self.made_up(rng)
            return rng.choice(self.lists[kind])

        return re.sub(r"\{(\w+)\}", word, frame)

    def question(self, rng) -> str:
        roll = rng.random()
        if roll < 0.35:
            return rng.choice(self.plain)
        if roll < 0.85:
            return self.fill(rng.choice(self.frames), rng)
        things = rng.choice(["thing", "thing", "food", "goods", "things", "animals", "person", "illness", "country"])
        if roll < 0.95:  # the same frames as on-topic questions, so that a frame alone decides nothing
            return rng.choice(NOUN_FRAMES).format(n=self.fill("{" + things + "}", rng))
        return rng.choice(HOW_FRAMES).format(h=self.fill("{life}", rng))


KEYS = {a: b for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm") for a, b in zip(row, row[1:] + row[-2])}


def typo(text: str, rng) -> str:
    letters = [i for i, c in enumerate(text) if c.isalpha()]
    if len(letters) < 5:
        return text
    i = rng.choice(letters[1:])
    kind = rng.randrange(4)
    if kind == 0 and i + 1 < len(text):
        return text[:i] + text[i + 1] + text[i] + text[i + 2:]
    if kind == 1:
        return text[:i] + text[i + 1:]
    if kind == 2:
        return text[:i] + text[i] + text[i:]
    return text[:i] + KEYS.get(text[i].lower(), "e") + text[i + 1:]


SYNONYMS = [tuple(p.split("=")) for p in """what is=what's | what is=whats | how do i=how can i | how do i=how to | how do i=how would i | do i need=must i have | computer=machine | computer=PC | computer=laptop
answer=reply | answer=response | reply=answer | model=LLM | model=language model | chat=conversation | conversation=chat | chats=conversations | chats=messages | delete=remove | folder=directory
file=files | big=large | large=huge | small=tiny | make=get | explain=clarify | explain=describe | tell me=show me | difference=distinction | difference between=differences between | why=for what reason
use=utilise | does it=will it | does it=can it | can i=may i | can i=could i | is there=do you have | the model=it | my model=the model | the app=Weightroom | this app=weightroom | Weightroom=it
need=require | memory=RAM | RAM=memory | stop=halt | start=begin | store=save | stored=saved | kept=stored | where are=where do you keep | internet=network | network=internet | text=words | graphics card=GPU
should i=shall i | good=sensible | want to=would like to | does=do | is=are | fast=quick | slow=sluggish | missing=not there | wrong=bad | error=problem | error=message | split=divided | pieces=parts | dangerous=unsafe
dangerous=risky | safe=secure | what does=tell me what does | what does=what do | supported=possible | open=load | load=open | open=read | mean=stand for | works=functions | work=function | setting=option | settings=options
quit=exit | stop=interrupt | stop=end | stop=abort | interrupt=break off | shortcut=hotkey | shortcut=key combination | shortcuts=hotkeys | change=alter | change=modify | edit=revise | edit=alter | find=locate | find=look up | search=look through
conversation=dialogue | conversation=thread | conversation=discussion | chat=talk | answer=output | reply=text | replies=answers | answers=responses | message=prompt | message=text | question=prompt | delete=erase | delete=get rid of
add=bring in | add=register | add=import | model folder=model directory | model=checkpoint | checkpoint=model | weights=parameters | model=neural network | download=fetch | downloaded=fetched | laptop=notebook | computer=notebook | RAM=main memory
show=display | shown=displayed | use=employ | purpose=point | purpose=role | what is=what might be | does=would | are there=do you have | are there=exist | which=what | what=which | happens=goes on | inside=within | contain=hold | contains=holds
broken=damaged | corrupt=damaged | missing=absent | missing=lost | several=many | several=multiple | all=every one of | required=needed | needed=necessary | necessary=required | possible=doable | supported=accepted | supported=allowed | works=runs
send=submit | sends=submits | write=type | type=write | key=button | button=key | see=view | keep=store | saved=stored | private=confidential | upload=transmit | send=transmit | online=connected | free=gratis | window=screen
longer=bigger | too long=too big | too big=too large | too large=too heavy | doesn't fit=won't fit | does not fit=won't go in | slow=laggy | quick=rapid | faster=quicker | random=unpredictable | repeats=says again | same=identical | picks=selects""".replace("\n", " | ").split(" | ")]
DROPPABLE = {"the", "a", "an", "do", "does", "is", "are", "me", "i", "to", "of", "my", "it", "in", "can", "you", "please", "what", "how", "this", "that", "some", "for"}


def vary(text: str, rng, chinese: bool, strength: float) -> str:
    """The same question as somebody else would type it: synonyms, fillers, no capitals, no question mark, dropped words, slips of the keys."""
    if chinese:
        if rng.random() < 0.25:
            text = rng.choice(ZH_PREFIXES) + text
        if rng.random() < 0.35:
            old, new = rng.choice([pair for pair in ZH_WORDS if pair[0] in text] or [("", "")])
            text = text.replace(old, new, 1) if old else text
        if rng.random() < 0.12:
            text = text.rstrip("？。") + rng.choice(ZH_ENDINGS)
        if rng.random() < 0.1:
            text = text.replace(" ", "")
        if rng.random() < 0.35:
            text = text.rstrip("？。")
        elif rng.random() < 0.15:
            text = text.replace("？", "?")
        return text
    for _ in range(2):
        if rng.random() < 0.35 * strength:
            old, new = rng.choice(SYNONYMS)
            for _ in range(12):
                found = re.search(rf"(?<![\w./-]){re.escape(old)}(?![\w/-]|\.\w)", text)  # never inside a file name
                if found:
                    text = text[:found.start()] + new + text[found.end():]
                    break
                old, new = rng.choice(SYNONYMS)
    words = text.split(" ")
    if len(words) > 3 and rng.random() < 0.2 * strength:
        droppable = [i for i, w in enumerate(words) if w.lower() in DROPPABLE]
        for i in sorted(rng.sample(droppable, min(len(droppable), rng.randint(1, 2))), reverse=True):
            del words[i]
    if len(words) > 4 and rng.random() < 0.06 * strength:
        i = rng.randrange(len(words) - 1)
        words[i], words[i + 1] = words[i + 1], words[i]
    text = " ".join(words)
    if rng.random() < 0.14 * strength:
        text = text.rstrip("?.! ") + rng.choice([" ", ", "]) + rng.choice(SUFFIXES) + rng.choice(["", "?", "?"])
    if rng.random() < 0.2 * strength:
        text = rng.choice(PREFIXES) + " " + text
    if rng.random() < 0.15 * strength:
        text = typo(text, rng)
        if rng.random() < 0.3:
            text = typo(text, rng)
    case = rng.random()
    if case < 0.4:
        text = text.lower()
    elif case < 0.75 and text:
        text = re.sub(r"\bi\b", "I", text[0].upper() + text[1:])
    elif case < 0.77:
        text = text.upper()
    ending = rng.random()
    if ending < 0.35:
        text = text.rstrip("?.!")
    elif ending < 0.42:
        text = text.rstrip("?.!") + "."
    elif ending < 0.46:
        text = text.rstrip("?.!") + rng.choice(["??", " ?", "!", "...", "?!"])
    return text or "hello"


class Stream:
    """Yields conversations: lists of {"role", "content"}; the last message is the assistant's."""

    def __init__(self, seed: int):
        self.rng = random.Random(seed)
        self.english, self.chinese, self.to_traditional = load_corpus()
        self.off = OffTopic()
        # a topic with more ways of being asked is drawn more often, but not in proportion
        self.weights = [(len(t.questions) + 2 * len(t.actions) + 3 * len(t.nouns)) ** 0.5 for t in self.english]
        self.chinese_weights = [(len(t.questions) + 3 * len(t.nouns)) ** 0.5 for t in self.chinese]

    def ask(self, topic: Topic, strength: float = 1.0) -> str:
        rng = self.rng
        weights = {"n": 1.3 * len(topic.nouns) ** 0.7, "h": 1.3 * len(topic.actions) ** 0.7, "q": len(topic.questions) ** 0.7}
        kind = rng.choices(list(weights), list(weights.values()))[0]
        if kind == "n":
            frame, noun = rng.choice(ZH_NOUN_FRAMES if topic.chinese else NOUN_FRAMES), rng.choice(topic.nouns)
            if topic.chinese and frame == "{n}" and noun.isascii():  # nothing would say that the question is Chinese
                frame = ZH_NOUN_FRAMES[0]
            text = frame.format(n=noun)
        elif kind == "h":
            text = rng.choice(HOW_FRAMES).format(h=rng.choice(topic.actions))
        else:
            text = rng.choice(topic.questions)
        return vary(text, rng, topic.chinese, strength)

    def exchange(self, previous, chinese: bool):
        """(question, answer, topic or None) for one turn; `previous` is the topic of the turn before."""
        rng = self.rng
        if chinese:
            if rng.random() < 0.22:
                text, answer, topic = vary(self.off.chinese_question(rng), rng, True, 1.0), REFUSAL_ZH, None
            else:
                topic = rng.choices(self.chinese, self.chinese_weights)[0]
                text, answer = self.ask(topic), topic.answer
            traditional = self.to_traditional(text)
            if rng.random() < 0.5 and traditional != text:  # text common to both scripts is answered in simplified
                return traditional, self.to_traditional(answer), topic
            return text, answer, topic
        roll = rng.random()
        if previous is not None and roll < 0.08:
            return vary(rng.choice(MORE), rng, False, 0.5), previous.more or NOTHING_MORE, None
        if previous is not None and roll < 0.3:
            topic = rng.choice([t for t in self.english if t.nouns])
            return vary(rng.choice(FOLLOW_FRAMES).format(n=rng.choice(topic.nouns)), rng, False, 0.7), topic.answer, topic
        if rng.random() < 0.17:
            return vary(self.off.question(rng), rng, False, 0.8), REFUSAL, None
        topic = rng.choices(self.english, self.weights)[0]
        return self.ask(topic), topic.answer, topic

    def conversation(self, turns: int):
        rng = self.rng
        chinese = rng.random() < 0.18
        messages = []
        if rng.random() < 0.12:
            messages.append({"role": "system", "content": rng.choice(ZH_SYSTEM_PROMPTS if chinese and rng.random() < 0.6 else SYSTEM_PROMPTS)})
        topic = None
        for _ in range(turns):
            if turns > 1 and rng.random() < 0.05:
                chinese = not chinese
            question, answer, topic = self.exchange(topic if not chinese else None, chinese)
            messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        return messages


def every_training_text(seed: int = 0, samples: int = 60000):
    """Base questions, all frame fillings, and a sample of varied ones: what a held-out question must not equal."""
    english, chinese, to_traditional = load_corpus()
    off = OffTopic()
    for t in english + chinese:
        made = t.questions + [f.format(n=n) for n in t.nouns for f in (ZH_NOUN_FRAMES if t.chinese else NOUN_FRAMES + FOLLOW_FRAMES)]
        yield from made
        if t.chinese:
            yield from (to_traditional(x) for x in made)
        for h in t.actions:
            yield from (f.format(h=h) for f in HOW_FRAMES)
    yield from off.plain
    yield from off.chinese
    yield from (to_traditional(x) for x in off.chinese)
    stream = Stream(seed)
    for _ in range(samples):
        yield from (m["content"] for m in stream.conversation(1) if m["role"] == "user")
