"""Just enough of C++: code without comments and strings, and where functions begin and end."""
import re
from dataclasses import dataclass, field

TOKEN = re.compile(
    r'(?P<comment>//(?:[^\n\\]|\\.|\\\n)*|/\*.*?\*/)'
    r'|(?P<raw>R"(?P<delimiter>[^()\\\s]{0,16})\(.*?\)(?P=delimiter)")'
    r'|(?P<string>"(?:[^"\\\n]|\\.)*")'
    r"|(?P<digits>(?<=[0-9a-fA-F])'(?=[0-9a-fA-F]))"
    r"|(?P<char>'(?:[^'\\\n]|\\.)+')",
    re.DOTALL)


def blank(text):
    return re.sub(r"[^\n]", " ", text)


@dataclass
class Function:
    name: str
    first: int  # line numbers, from 1
    last: int


@dataclass
class Source:
    """A C++ file: `code` and `comments` have the line numbers of the file, blanks elsewhere."""
    code: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    conditionals: list[int] = field(default_factory=list)  # lines of #if... inside functions


def split(text):
    """Returns (code, comments): two texts of the same shape. Strings become "" with blanks inside."""
    code, comments, position = [], [], 0
    for match in TOKEN.finditer(text):
        code.append(text[position:match.start()])
        comments.append(blank(text[position:match.start()]))
        token = match.group()
        if match.group("comment"):
            code.append(blank(token))
            comments.append(token)
        elif match.group("digits"):
            code.append(token)
            comments.append(" ")
        else:
            code.append(token[0] + blank(token[1:-1]) + token[-1])
            comments.append(blank(token))
        position = match.end()
    code.append(text[position:])
    comments.append(blank(text[position:]))
    return "".join(code), "".join(comments)


DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.MULTILINE | re.DOTALL)
NOT_FUNCTIONS = re.compile(r"^\s*(?:inline\s+)?(?:namespace|class|struct|union|enum|extern)\b")
CALLABLE = re.compile(r"([\w:~]+|operator\s*\S{1,3}|\])\s*\(")


class Braces:
    """Walks the braces of one file and measures what they enclose."""

    def __init__(self, code):
        self.code = code
        self.functions = []
        self.spans = []        # (first offset, last offset) of function bodies
        self.stack = []        # (kind, name, offset of the head)
        self.head = 0          # where the text that leads to the next brace begins
        self.parentheses = 0

    def line_of(self, offset):
        return self.code.count("\n", 0, offset) + 1

    def kind_of(self, head):
        if self.parentheses > 0 or any(kind == "initialiser" for kind, _, _ in self.stack):
            return "initialiser"
        if NOT_FUNCTIONS.match(re.sub(r"template\s*<[^{}]*?>\s*(?=class|struct|union)", "", head)):
            return "scope"
        if CALLABLE.search(head):
            return "function"
        return "initialiser" if head.strip() else "scope"

    def open(self, offset):
        if any(kind == "function" for kind, _, _ in self.stack):
            self.stack.append(("inner", "", offset))
            return
        head = self.code[self.head:offset]
        start = self.head + len(head) - len(head.lstrip())
        name = CALLABLE.search(head)
        self.stack.append((self.kind_of(head), name.group(1) if name else "", start))
        self.head = offset + 1

    def close(self, offset):
        if not self.stack:
            return
        kind, name, start = self.stack.pop()
        if kind == "function":
            self.functions.append(Function("a lambda" if name == "]" else name, self.line_of(start), self.line_of(offset)))
            self.spans.append((start, offset))
        if kind != "inner":
            # `f(T x = {}) {`: what leads to a function goes on behind an initialiser.
            self.head = start if kind == "initialiser" else offset + 1

    def walk(self):
        inside = lambda: any(kind in ("function", "initialiser") for kind, _, _ in self.stack)
        for match in re.finditer(r"[{}();]|^[ \t]*(?:public|private|protected):", self.code, re.MULTILINE):
            token, offset = match.group(), match.start()
            if token == "{":
                self.open(offset)
            elif token == "}":
                self.close(offset)
            elif not inside():
                if token == "(":
                    self.parentheses += 1
                elif token == ")":
                    self.parentheses = max(0, self.parentheses - 1)
                elif token != ";" or self.parentheses == 0:
                    self.head = match.end()
        return self


def parse(text):
    code, comments = split(text)
    directives = [(match.start(), match.group().lstrip()) for match in DIRECTIVE.finditer(code)]
    braces = Braces(DIRECTIVE.sub(lambda match: blank(match.group()), code)).walk()
    conditionals = [
        braces.line_of(offset) for offset, directive in directives
        if re.match(r"#\s*(?:if|ifdef|ifndef|elif|else)\b", directive)
        and any(first <= offset <= last for first, last in braces.spans)]
    return Source(code.split("\n"), comments.split("\n"), braces.functions, conditionals)
