// Everything that either side reads: requests, replies, statements. What is read is written again
// to the same bytes: there is one encoding.
#include <cstdlib>

#include "host/keys/se/attestation.hpp"

namespace {

using namespace quoin;
using namespace quoin::keys::se;

template <class Message>
void there_and_back(Bytes input) {
    const auto message = codec::read_whole<Message>(input);
    if (!message) return;
    ByteVector again(codec::Field<Message>::size(*message));
    core::Writer writer(again);
    if (!codec::put(writer, *message) || !std::ranges::equal(again, input)) std::abort();
}

template <class... Messages>
void every_reply(Bytes input, std::type_identity<std::variant<Messages...>>) {
    (there_and_back<typename Messages::Reply>(input), ...);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input(data, size);
    const Incoming incoming = read_request(input);
    if (incoming.request) {
        std::visit(
            [&](const auto& message) {
                const auto again = write_request(incoming.id, message);
                if (!again || !std::ranges::equal(*again, input)) std::abort();
            },
            *incoming.request);
    }
    if (const auto head = read_reply_head(input)) {
        every_reply(head->body, std::type_identity<Request>());
        there_and_back<Refusal>(head->body);
    }
    there_and_back<Statement>(input);
    return 0;
}
