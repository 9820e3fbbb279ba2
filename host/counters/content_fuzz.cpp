// The file of a store comes from a disk: no crash, and one content has one encoding. The fuzzer
// does not find checksums: what it gives is decoded as it is, and again with the right one.
#include <cstdlib>

#include "core/crypto/sha2/sha2.hpp"
#include "host/counters/content.hpp"

using namespace quoin;

namespace {

void check(std::string_view text) {
    const auto content = counters::decode(text);
    if (content && counters::encode(*content) != text) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string text(text_of({data, size}));
    check(text);
    const std::size_t end = text.rfind("sha256 ");
    if (end == std::string::npos) return 0;
    text.resize(end);
    const auto digest = core::sha2::Sha256::of(bytes_of(text));
    text += "sha256 ";
    for (const std::uint8_t byte : digest) text += fmt::format("{:02x}", byte);
    check(text + '\n');
    return 0;
}
