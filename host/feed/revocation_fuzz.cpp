// Any bytes: refused with a sentence, or a statement (a head) of which these bytes are the one
// form.
#include <algorithm>
#include <cstdlib>

#include "host/feed/revocation.hpp"

namespace {

template <class Decoded, class Encode>
void check(quoin::Bytes bytes, const Decoded& decoded, Encode encode) {
    if (!decoded) {
        if (decoded.error().message.empty()) std::abort();
        return;
    }
    const auto again = encode(*decoded);
    if (!again || !std::ranges::equal(*again, bytes)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const quoin::Bytes bytes(data, size);
    check(bytes, quoin::feed::decode_statement(bytes), quoin::feed::encode_statement);
    check(bytes, quoin::feed::decode_head(bytes), quoin::feed::encode_head);
    return 0;
}
