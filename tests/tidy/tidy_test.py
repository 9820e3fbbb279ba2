"""Canaries: for every rule bad trees in which it must find something, and good ones in which it must not."""
import unittest

import cpp
import rules
import tidy

LONG_FUNCTION = "void f() {\n" + "    g();\n" * 70 + "}\n"
FITTING_FUNCTION = "void f() {\n" + "    g();\n" * 68 + "}\n"
KEY = "-----BEGIN PRIVATE " + "KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n"


def cpp_file(code, path="host/x/x.cpp"):
    return {path: code}


BAD = {
    "layers": [
        {"core/x.cpp": '#include "host/y.hpp"\n', "host/y.hpp": ""},
        {"host/x.cpp": '#include "server/y.hpp"\n', "server/y.hpp": ""},
        {"broker/x.cpp": '#include "server/y.hpp"\n', "server/y.hpp": ""},
        {"agent/x.cpp": '#include "broker/y.hpp"\n', "broker/y.hpp": ""},
        {"cli/x.cpp": '#include "sim/y.hpp"\n', "sim/y.hpp": ""},
        {"server/x.cpp": '#include "tests/y.hpp"\n', "tests/y.hpp": ""},
        {"host/x/a.cpp": '#include "b.hpp"\n', "host/x/b.hpp": ""},
        {"host/x/a.cpp": '  #  include "../y/b.hpp"\n', "host/y/b.hpp": ""},
    ],
    "server-folders": [
        {"server/pki/a.cpp": '#include "server/fleet/b.hpp"\n', "server/fleet/b.hpp": ""},
        {"server/bus/a.cpp": '#include "server/pki/b.hpp"\n', "server/pki/b.hpp": ""},
        {"server/schema.cpp": '#include "server/pki/b.hpp"\n', "server/pki/b.hpp": ""},
    ],
    "freestanding": [
        cpp_file("#include <vector>\n", "core/x.hpp"), cpp_file("#include <string.h>\n", "core/x.cpp"),
        cpp_file("int* f() { return new int; }", "core/x.cpp"), cpp_file("void f() { try {} catch (int) {} }", "core/x.cpp"),
    ],
    "boost-header": [cpp_file("#include <boost/asio.hpp>\n", "host/x.hpp")],
    "banned-call": [
        cpp_file("int f() { return x.value(); }", "core/x.cpp"), cpp_file("strcpy(a, b);"), cpp_file("sprintf(a, b);"),
        cpp_file("int x = rand();"), cpp_file("int x = std::rand();"), cpp_file("f(random());"),
        cpp_file('std::system("ls");'), cpp_file('::popen("ls", "r");'), cpp_file("if (memcmp(a, b, 3) == 0) {}"),
        cpp_file("std::memset(a, 0, 3);"), cpp_file("int x = std::stoi(text);"), cpp_file("auto t = gmtime(&now);"),
        cpp_file("std::this_thread::sleep_for(1s);"), cpp_file("usleep(3);"), cpp_file("::sleep(3);"),
        cpp_file("thread.detach();"), cpp_file("throw 1;"), cpp_file("auto* x = new Thing();"),
        cpp_file("delete x;"), cpp_file("void* p = malloc(3);"), cpp_file("std::cout << 1;"),
        cpp_file('fmt::print("x");'), cpp_file('printf("x");'),
        cpp_file("std::this_thread::sleep_for(1s);", "host/x/x_test.cpp"),
    ],
    "wait-not-sleep": [{"tests/e2e/test_x.py": "import time\ntime.sleep(3)\n"}],
    "seam": [cpp_file("bool is_broken(std::string_view test) { return true; }"),
             cpp_file("bool read_samples(MutableBytes out) {\n}\n"),
             {"host/CMakeLists.txt": "quoin_program(quoin SOURCES a.cpp fault_fixture.cpp)\n"},
             {"host/CMakeLists.txt": "add_library(quoin_provider MODULE fault_fixture.cpp)\n"}],
    "catch-all": [cpp_file("try { f(); } catch (...) { g(); }")],
    "empty-catch": [cpp_file("try { f(); } catch (const E& error) {\n}")],
    "leftover": [cpp_file("// TO" + "DO: later\n"), {"dev": "# FIX" + "ME\n"}],
    "nolint-reason": [cpp_file("f();  // NOLINT\n"), cpp_file("f();  // NOLINT(bugprone-x)\n"),
                      cpp_file("// NOLINTNEXTLINE(bugprone-x)\nf();\n")],
    "header": [cpp_file("int f();\n", "host/x.hpp"), cpp_file("#pragma once\nusing namespace std;\n", "host/x.hpp")],
    "extern-c-noexcept": [cpp_file('extern "C" int f(int x) {\n}\n')],
    "file-size": [cpp_file("\n" * 801), {"dev.sh": "\n" * 900}],
    "function-size": [
        cpp_file(LONG_FUNCTION), cpp_file(f"namespace a {{\nclass B {{\n{LONG_FUNCTION}}};\n}}\n"),
        cpp_file("TEST(A, b__c__d) {\n" + "    g();\n" * 70 + "}\n"),
        cpp_file("A::A(int x)\n    : x_{x}, y_(1) {\n" + "    if (x) { g(); }\n" * 75 + "}\n"),
        cpp_file("template <class T>\nauto f(T x = {}) -> int {\n" + '    g("}");  // }\n' * 70 + "}\n"),
        cpp_file("const auto f = [](int x) {\n" + "    g(x);\n" * 70 + "};\n"),
    ],
    "line-length": [cpp_file("int x;" + " " * 100 + "// far\n")],
    "conditional-in-function": [cpp_file("void f() {\n#ifdef A\n    g();\n#endif\n}\n"),
                                cpp_file("void f() {\n    g();\n#if A\n    g();\n#else\n#endif\n}\n")],
    "readme": [{"host/x/x.cpp": ""}, {"host/x/README.md": "line\n" * 31}],
    "private-key": [{"tests/key.pem": KEY}, {"host/x.cpp": KEY}],
    "large-file": [{"x.bin": "x" * (513 * 1024)}],
    "test-name": [cpp_file("TEST(A, works) {}\n", "host/a_test.cpp"), cpp_file("RC_GTEST_PROP(A, works, (int x)) {}\n"),
                  {"tests/e2e/test_a.py": "def test_it_works(plant):\n"}],
    "skip-reason": [cpp_file("GTEST_SKIP();"), cpp_file("TEST(A, DISABLED_a__b__c) {}"),
                    {"tests/e2e/test_a.py": "@pytest.mark.skip\ndef test_a__b__c():\n"}],
}

GOOD = {
    "seam": [cpp_file("bool is_broken(std::string_view) { return false; }", "host/crypto/selftest/no_fault.cpp"),
             cpp_file("bool read_samples(MutableBytes out) {\n}\n", "host/x/x_test.cpp"),
             cpp_file("bool read_samples(MutableBytes out);\n"),
             {"host/CMakeLists.txt": "add_library(quoin_faulty_provider MODULE fault_fixture.cpp)\n"}],
    "layers": [
        {"host/x.cpp": '#include "core/y.hpp"\n#include "host/z.hpp"\n#include <vector>\n', "core/y.hpp": "", "host/z.hpp": ""},
        {"cli/x.cpp": '#include "server/y.hpp"\n', "server/y.hpp": ""},
        {"tests/x.cpp": '#include "cli/y.hpp"\n', "cli/y.hpp": ""},
    ],
    "server-folders": [
        {"server/pki/a.cpp": '#include "server/bus/b.hpp"\n#include "server/schema.hpp"\n#include "server/pki/c.hpp"\n'},
        {"server/pki/a_test.cpp": '#include "server/fixture.hpp"\n'},
        {"server/main.cpp": '#include "server/pki/b.hpp"\n'},
    ],
    "freestanding": [cpp_file("#include <span>\nclass A { A(const A&) = delete; };\n", "core/x.hpp"),
                     cpp_file("#include <vector>\n", "core/x_test.cpp")],
    "boost-header": [cpp_file("#include <boost/asio.hpp>\n")],
    "banned-call": [
        cpp_file("int code = error.value();"), cpp_file("// sleep_for is wrong, new Thing too\n"),
        cpp_file('const char* text = "throw new delete printf(1)";'), cpp_file('auto t = R"(delete x; system("ls"))";'),
        cpp_file("A(const A&) = delete;"), cpp_file("std::vector<int> random(3);"),
        cpp_file("return std::unique_ptr<A>(new A(1));"), cpp_file("std::unique_ptr<A> a(\n    new A(1));"), cpp_file("std::cout << 1;", "cli/x.cpp"),
        cpp_file("clock.sleep(3);"), cpp_file("int threw = x.system();"),
        cpp_file("// tidy: allow(banned-call) the interface of the library gives nothing else\nfree_ = new Thing;"),
    ],
    "wait-not-sleep": [{"tests/e2e/x.py": "# time.sleep(3)\nwait_until(ready)\n"}],
    "catch-all": [cpp_file("try { f(); } catch (...) {  // a library may throw anything here\n}")],
    "empty-catch": [cpp_file("try {} catch (const E&) {\n    // it was reported already by what failed before\n}"),
                    cpp_file("try { f(); } catch (const E& e) { return fail(e); }")],
    "leftover": [cpp_file('mkstemp("/tmp/XXXXXX"); f("TO' + 'DO");\n')],
    "nolint-reason": [cpp_file("f();  // NOLINT(bugprone-x): the callback's type is fixed\n")],
    "header": [cpp_file("#pragma once\nusing std::size_t;\n", "host/x.hpp"), cpp_file("using namespace std::literals;\n")],
    "extern-c-noexcept": [cpp_file('extern "C" int f(int x) noexcept {\n}\n')],
    "file-size": [cpp_file("\n" * 800), cpp_file("// tidy: allow(file-size) one table of the standard\n" + "\n" * 900)],
    "function-size": [
        cpp_file(FITTING_FUNCTION), cpp_file("namespace a {\n" + FITTING_FUNCTION * 3 + "}\n"),
        cpp_file("constexpr std::array rows{\n" + '    Row{f(1), "{"},\n' * 100 + "};\n"),
        cpp_file("enum class A : int {\n" + "    a,\n" * 100 + "};\n"),
        cpp_file("class A {\npublic:\n" + "    int f() const { return 1'000; }\n" * 100 + "};\n"),
        cpp_file("struct A {\n    explicit A(int x) : x_{x} {}\n" + "    int a = f(1);\n" * 100 + "};\n"),
        cpp_file("#define M(a) \\\n    do {     \\\n    } while (a)\n" + FITTING_FUNCTION),
    ],
    "line-length": [cpp_file("// https://" + "x" * 100 + "\n"), cpp_file('f("' + "x" * 100 + '");\n')],
    "conditional-in-function": [cpp_file("#ifdef A\nvoid f() {\n}\n#else\nvoid f() {}\n#endif\n")],
    "readme": [{"host/x/x.cpp": "", "host/x/README.md": "line\n" * 30}, {"host/x/corpus/y/z": "a"} | {"host/README.md": ""}],
    "private-key": [{"docs/x.md": "a file that begins with -----BEGIN PRIVATE " + "KEY----- is one\n"}],
    "large-file": [{"x.bin": "x" * (511 * 1024)}],
    "test-name": [cpp_file("TEST(A, unit__condition__expected) {}\n"),
                  {"tests/e2e/test_a.py": "def test_a__b__c(plant):\ndef helper():\n"}],
    "skip-reason": [cpp_file('GTEST_SKIP() << "no PostgreSQL here";'),
                    {"tests/e2e/test_a.py": '@pytest.mark.skip(reason="why")\n'}],
}


def found_by(rule, texts):
    return [violation for violation in tidy.check(tidy.Tree(texts=texts)) if violation[2] == rule]


class Canaries(unittest.TestCase):
    def test_rules__every_one__has_bad_and_good_examples(self):
        names = {rule.__name__.replace("_", "-") for rule in rules.RULES}
        self.assertEqual(names, set(BAD))
        self.assertEqual(names, set(GOOD))

    def test_rules__bad_trees__are_found(self):
        for rule, trees in BAD.items():
            for texts in trees:
                with self.subTest(rule=rule, texts=str(texts)[:200]):
                    self.assertTrue(found_by(rule, texts))

    def test_rules__good_trees__are_left_alone(self):
        for rule, trees in GOOD.items():
            for texts in trees:
                with self.subTest(rule=rule, texts=str(texts)[:200]):
                    self.assertEqual(found_by(rule, texts), [])

    def test_allow__without_a_reason__does_not_count(self):
        self.assertTrue(found_by("banned-call", cpp_file("usleep(1);  // tidy: allow(banned-call)\n")))

    def test_allow__of_another_rule__does_not_count(self):
        texts = cpp_file("usleep(1);  // tidy: allow(file-size) it is the table of a standard\n")
        self.assertTrue(found_by("banned-call", texts))

    def test_violation__in_a_file__names_its_line(self):
        self.assertEqual(found_by("banned-call", cpp_file("int a;\n/* \n */\nusleep(1);\n"))[0][:2], ("host/x/x.cpp", 4))


class Functions(unittest.TestCase):
    def test_parse__functions_of_all_shapes__are_measured(self):
        code = ("namespace a {\n"
                "int one() {\n    return 1;\n}\n"
                "struct S {\n    S(int x)\n        : x_(x) {\n        if (x) {\n        }\n    }\n    int x_ = f({1});\n};\n"
                "constexpr int table[] = {\n    1,\n};\n"
                "auto operator==(A, A) -> bool {\n}\n"
                "}\n")
        self.assertEqual([(f.name, f.first, f.last) for f in cpp.parse(code).functions],
                         [("one", 2, 4), ("S", 6, 10), ("operator==", 16, 17)])

    def test_split__strings_and_comments__do_not_confuse(self):
        code, comments = cpp.split("a(\"//\"); // b\nint c = 1'000; /* \" */ d('\"');\n")
        self.assertEqual(code, 'a("  ");     \nint c = 1\'000;         d(\' \');\n')
        self.assertIn("// b", comments)
        self.assertNotIn("a(", comments)


if __name__ == "__main__":
    unittest.main()
