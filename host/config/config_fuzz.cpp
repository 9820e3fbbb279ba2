// Any text: parsed or refused, never a crash.
#include <cstddef>
#include <cstdint>

#include "core/base/bytes.hpp"
#include "host/config/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto document = quoin::config::Document::parse(quoin::text_of({data, size}), "fuzz");
    if (!document) return 0;
    std::string text;
    int number = 0;
    double real = 0;
    bool flag = false;
    std::vector<std::string> list;
    auto root = document->root();
    root.text("site", text, quoin::config::required);
    root.flag("flag", flag);
    root.texts("names", list);
    auto table = root.table("t");
    table.integer("n", number, {0, 10});
    table.number("x", real, {0.0, 1.0});
    for (auto& entry : root.tables("r")) entry.text("name", text);
    static_cast<void>(document->finish());
    return 0;
}
