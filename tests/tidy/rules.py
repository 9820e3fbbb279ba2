"""The rules. Each yields (path, line, what to do); its name is the function's, with dashes."""
import re

LOW = {"core": {"core"}, "host": {"core", "host"}, "boot": {"core", "boot"}, "mcu": {"core", "mcu"}}
BOXES = ("provider", "secure_element", "broker", "server", "agent", "hub", "qkd")
TOP = ("cli", "sim")
LAYERS = LOW | {box: {"core", "host", box} for box in BOXES}
LAYERS |= {box: {"core", "host", *BOXES, box} for box in TOP}
LAYERS["tests"] = set(LAYERS) | {"tests"}
SERVER_SHARED = ("bus", "config", "schema")

NOT_IN_CORE = set("any chrono deque filesystem format fstream functional future iostream list map memory mutex ostream "
                  "print random regex set sstream stdexcept string thread unordered_map vector".split())

TEST_FILE = re.compile(r"_(test|fuzz|bench|check)\.cpp$|(^|_|/)fixture\.(c|h)pp$|(^|/)test_\w+\.(c|h)pp$|^tests/")
PROGRAM_FILE = re.compile(r"^(cli|sim|tests)/|(^|/)main\.cpp$|_(test|fuzz|bench|check)\.cpp$")


def box_of(path):
    return path.split("/", 1)[0]


def server_part(path):
    """server/pki/ca.cpp -> pki, server/schema.cpp -> schema, server/main.cpp -> main."""
    return re.split(r"[/._]", path.split("/", 1)[1])[0]


def includes(source_text):
    for number, line in enumerate(source_text.split("\n"), 1):
        match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if match:
            yield number, match.group(1), match.group(2)


def layers(tree):
    for path in tree.cpp():
        for line, quote, target in includes(tree.text(path)):
            if quote != '"':
                continue
            if target not in tree.files:
                yield path, line, f'"{target}" is not a path from the repository root: write it so'
            elif box_of(path) in LAYERS and box_of(target) not in LAYERS[box_of(path)]:
                allowed = ", ".join(sorted(LAYERS[box_of(path)]))
                yield path, line, f"{box_of(path)}/ must not include {target}: it may use {allowed}"


def server_folders(tree):
    for path in tree.cpp():
        if box_of(path) != "server" or (path.count("/") == 1 and server_part(path) not in SERVER_SHARED):
            continue
        allowed = {*SERVER_SHARED} | ({server_part(path)} if path.count("/") > 1 else set())
        if TEST_FILE.search(path):
            allowed.add("fixture")
        for line, quote, target in includes(tree.text(path)):
            if quote == '"' and box_of(target) == "server" and server_part(target) not in allowed:
                yield path, line, (f"{target}: folders of server/ never include each other; "
                                   "meet in server/bus, server/schema or server/config")


def freestanding(tree):
    for path in tree.cpp("core/"):
        if TEST_FILE.search(path):
            continue
        for line, quote, target in includes(tree.text(path)):
            if quote == "<" and (target in NOT_IN_CORE or target.endswith(".h")):
                yield path, line, f"<{target}> needs an operating system or a heap: core/ has neither"
        for line, code in tree.code(path):
            if re.search(r"\b(new|delete|malloc|calloc|realloc|free|dynamic_cast|typeid|try|catch)\b", code) \
                    and not re.search(r"=\s*delete\b", code):
                yield path, line, "no heap, no exceptions, no RTTI in core/: use the caller's memory and Result"


def boost_header(tree):
    for path in tree.cpp():
        for line, _, target in includes(tree.text(path)):
            if path.endswith(".hpp") and target.startswith("boost/"):
                yield path, line, "Boost costs 10-20 s for each file that includes it: include it in a .cpp only"


RUNTIME = re.compile(r"^core/runtime/")  # defines them

CALLS = [  # (what, where not, what instead)
    (r"\.value\(\)", re.compile(r"^(?!core/)"), "it ends the program: test first, then *x, or QUOIN_TRY"),
    (r"\b(strcpy|strcat|strncpy|strncat|sprintf|vsprintf|gets)\s*\(", None, "use fmt::format or std::string"),
    (r"(?:^|[=(,;{!&|]|\breturn)\s*(?:std::|::)?(rand|srand|random|drand48)\s*\(", None,
     "use crypto::random (host/crypto), or a seeded std::mt19937_64 in a simulation"),
    (r"(?<![\w.>:])(?:std::|::)?(system|popen)\s*\(", TEST_FILE, "a shell parses it: start the program with posix_spawn"),
    (r"\bmemcmp\s*\(", RUNTIME, "use ct::equal for secrets, std::ranges::equal for the rest"),
    (r"\b(memset|bzero)\s*\(", RUNTIME, "use ct::wipe for secrets, {} or std::ranges::fill for the rest"),
    (r"\b(atoi|atol|atoll|atof|strtok|stoi|stol|stoll|stoul|stoull|stod|stof)\s*\(", TEST_FILE,
     "use std::from_chars, which reports what is wrong"),
    (r"\b(localtime|gmtime|ctime|asctime)\s*\(", None, "not thread-safe: use <chrono> or the _r function"),
    (r"\b(sleep_for|sleep_until|usleep|nanosleep)\b|(?<![\w.>:])(?:::)?sleep\s*\(", None,
     "wait for what should happen (a timer, a condition, poll)"),
    (r"\.detach\(\)", None, "keep the thread and join it: nobody may outlive what it uses"),
    (r"\bthrow\b", TEST_FILE, "return an Error (host/error.hpp)"),
    (r"^(?!.*(?:_ptr<[^;]*>\s*\w*\(|reset\()new\b).*?(?<![\w:])(new)\s+(\(std::nothrow\)\s*)?[A-Za-z_]", TEST_FILE, "use std::make_unique or a value"),
    (r"(?<!=)(?<!= )\bdelete\b(?!\s*;?\s*$)", TEST_FILE, "let an owner (std::unique_ptr) do it"),
    (r"\b(malloc|calloc|realloc)\s*\(", None, "use a container or std::unique_ptr with a deleter"),
    (r"\bstd::(cout|cerr|clog|print|println)\b|(?<![\w:])(?:std::)?(printf|puts|fputs|fprintf)\s*\(|\bfmt::print",
     PROGRAM_FILE, "a library does not print: return it, or log it (spdlog)"),
]


def banned_call(tree):
    for path in tree.cpp():
        before = ""
        for line, code in tree.code(path):
            if re.search(r"(_ptr<[^;]*>\s*\w*|reset)\($", before.rstrip()):
                code = before.strip() + code.lstrip()  # std::unique_ptr<A>(\n    new A(...))
            before = code
            for pattern, exempt, instead in CALLS:
                found = re.search(pattern, code)
                if found and not (exempt and exempt.search(path)):
                    yield path, line, f"{(found.group(1) if found.groups() else None) or found.group().strip()}: {instead}"


def wait_not_sleep(tree):
    for path in tree.files:
        if path.endswith(".py"):
            for number, line in enumerate(tree.text(path).split("\n"), 1):
                if re.search(r"^[^#\"']*\btime\.sleep\(", line):
                    yield path, number, "wait for what should happen, with a deadline, in one helper"


def catch_all(tree):
    for path in tree.cpp():
        source = tree.source(path)
        for line, code in tree.code(path):
            if re.search(r"catch\s*\(\s*\.\.\.\s*\)", code):
                near = "".join(source.comments[max(0, line - 2):line + 1])
                if len(near.strip()) < 10:
                    yield path, line, "say in a comment why everything is caught here, or catch what the library throws"


def empty_catch(tree):
    for path in tree.cpp():
        source = tree.source(path)
        code, comments = "\n".join(source.code), "\n".join(source.comments)
        for match in re.finditer(r"catch\s*\([^)]*\)\s*\{\s*\}", code):
            if len(comments[match.start():match.end()].split()) < 4:
                line = code.count("\n", 0, match.start()) + 1
                yield path, line, "an error is swallowed: return it, log it, or say in there why it does not matter"


def leftover(tree):
    for path in tree.files:
        if path.startswith("tests/tidy/") or not tree.is_text(path) or path.endswith(".csv"):
            continue
        lines = tree.source(path).comments if path in tree.cpp() else tree.text(path).split("\n")
        for number, line in enumerate(lines, 1):
            found = re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line)
            if found:
                yield path, number, f"{found.group()}: do it now, or write an issue"


def nolint_reason(tree):
    for path in tree.cpp():
        for number, comment in enumerate(tree.source(path).comments, 1):
            if re.search(r"NOLINT(NEXTLINE|BEGIN)?\b(?!END)", comment) \
                    and not re.search(r"NOLINT(NEXTLINE|BEGIN)?\([\w., *-]+\)\W+\w+\W+\w+", comment):
                yield path, number, "name the check and the reason: // NOLINT(check-name): why it is right here"


def header(tree):
    for path in tree.cpp():
        if not path.endswith(".hpp"):
            continue
        if "#pragma once" not in tree.text(path):
            yield path, 1, "a header begins with #pragma once"
        for line, code in tree.code(path):
            if re.match(r"using\s+namespace\b", code):
                yield path, line, "no `using namespace` in a header"


def extern_c_noexcept(tree):
    for path in tree.cpp():
        if path.endswith("_fuzz.cpp"):
            continue
        text = tree.text(path)
        for match in re.finditer(r'^extern "C"\s+(?!\{)[^;{]*\([^;{]*[;{]', text, re.MULTILINE):
            if "noexcept" not in match.group():
                yield path, text.count("\n", 0, match.start()) + 1, 'an extern "C" entry is noexcept'


def file_size(tree):
    for path in tree.files:
        if re.search(r"\.(cpp|hpp|py|sh|cmake|ts|tsx)$", path) and tree.text(path).count("\n") > 800:
            yield path, 1, "more than 800 lines: split it along its concepts"


def function_size(tree):
    for path in tree.cpp():
        for function in tree.source(path).functions:
            lines = function.last - function.first + 1
            if lines > 70:
                yield path, function.first, f"{function.name} has {lines} lines, 70 are allowed: split it"


def line_length(tree):
    for path in tree.cpp():
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            # clang-format breaks code; a string that is one piece may stay so.
            if len(re.sub(r'R"\(.*?\)"|"(?:[^"\\]|\\.)*"', '""', line)) > 100 and "http" not in line:
                yield path, number, f"{len(line)} columns, 100 are allowed"


def conditional_in_function(tree):
    for path in tree.cpp():
        for line in tree.source(path).conditionals:
            yield path, line, "choose a file in CMake, or a constexpr policy"


def readme(tree):
    folders = {path.rsplit("/", 1)[0] for path in tree.files if "/" in path}
    for folder in sorted(folders):
        if re.search(r"(^|/)(corpus|testdata|\.[^/]+)(/|$)", folder):
            continue
        path = f"{folder}/README.md"
        if path not in tree.files:
            yield path, 1, "missing: at most 30 lines on what the folder is for, what it may use, what it must not"
        elif tree.text(path).count("\n") > 30:
            yield path, 30, "at most 30 lines: details belong in docs/ or in the headers"


def private_key(tree):
    pattern = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s*\n\s*[A-Za-z0-9+/=]{16,}")
    for path in tree.files:
        match = pattern.search(tree.text(path))
        if match:
            yield path, tree.text(path).count("\n", 0, match.start()) + 1, "a private key: make it when the test runs"


def large_file(tree):
    for path in tree.files:
        if tree.size(path) > 512 * 1024:
            yield path, 1, f"{tree.size(path) // 1024} KiB, 512 are allowed: make it when it is needed"


def test_name(tree):
    for path in tree.cpp():
        for line, code in tree.code(path):
            match = re.match(r"\s*(?:TYPED_)?(?:TEST(?:_F|_P)?|RC_GTEST_(?:FIXTURE_)?PROP)\(\s*\w+\s*,\s*(\w+)", code)
            # The suite may name the unit.
            if match and not re.fullmatch(r"\w+?__\w+", match.group(1)):
                yield path, line, f"{match.group(1)}: name it unit__condition__expected"
    for path in tree.files:
        if re.search(r"(^|/)test_\w+\.py$|_test\.py$", path):
            for number, line in enumerate(tree.text(path).split("\n"), 1):
                match = re.match(r"\s*(?:async )?def test_(\w+)\(", line)
                if match and not re.fullmatch(r"\w+?__\w+", match.group(1)):
                    yield path, number, f"test_{match.group(1)}: name it test_unit__condition__expected"


def skip_reason(tree):
    for path in tree.files:
        if not path.endswith((".cpp", ".py")) or path.startswith("tests/tidy/"):
            continue
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            if re.search(r"GTEST_SKIP\(\)\s*;|\bDISABLED_\w|pytest\.skip\(\s*\)|pytest\.mark\.skip\s*(\(\s*\))?\s*$", line):
                yield path, number, "a skipped test says why: GTEST_SKIP() << reason, skip(reason=...)"


SEAMS = {r"\bbool is_broken\(std::string_view[^;]*\{": "host/crypto/selftest/no_fault.cpp",
         r"\bbool read_samples\(MutableBytes[^;]*\{": "host/crypto/entropy/samples.cpp"}


def seam(tree):
    """What breaks a self-test or makes samples up is in test programs alone: no product links it."""
    for path in tree.cpp():
        for line, code in tree.code(path):
            for pattern, product in SEAMS.items():
                if re.search(pattern, code) and path != product and not TEST_FILE.search(path):
                    yield path, line, f"{product} is the product's; others are tests' (*_test.cpp, *_fixture.cpp)"
    for path in tree.files:
        if path.endswith("CMakeLists.txt"):
            for match in re.finditer(r"(?:quoin_library|quoin_program|add_library|add_executable)\(([^)]*)\)", tree.text(path)):
                words = match.group(1).split()
                made_for_tests = re.search(r"faulty|fixture|test|conformance|\$\{helper\}", words[0])
                if "fault_fixture.cpp" in words and not made_for_tests:
                    yield path, tree.text(path).count("\n", 0, match.start()) + 1, f"{words[0]} links a fault"


RULES = [layers, server_folders, freestanding, boost_header, banned_call, wait_not_sleep, catch_all, empty_catch,
         leftover, nolint_reason, header, extern_c_noexcept, file_size, function_size, line_length,
         conditional_in_function, readme, private_key, large_file, test_name, skip_reason, seam]
