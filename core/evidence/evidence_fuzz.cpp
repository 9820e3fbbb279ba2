// Whatever decodes must encode to the same bytes: the encoding is deterministic.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "core/evidence/evidence.hpp"

using namespace quoin;

namespace {

void check_claims(Bytes payload) {
    static evidence::MeasurementStorage storage;
    const auto claims = evidence::decode_claims(payload, storage);
    if (!claims) return;
    std::vector<std::uint8_t> buffer(evidence::max_payload_size);
    const auto again = evidence::encode_claims(*claims, buffer);
    if (!again || !std::ranges::equal(*again, payload)) std::abort();
    std::vector<std::uint8_t> signed_part(evidence::max_signed_part_size);
    if (!evidence::encode_signed_part(payload, claims->device, signed_part)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input(data, size);
    check_claims(input);
    const auto message = evidence::decode_message(input);
    if (!message) return 0;
    std::vector<std::uint8_t> buffer(evidence::max_message_size);
    const auto again = evidence::encode_message(*message, buffer);
    if (!again || !std::ranges::equal(*again, input)) std::abort();
    check_claims(message->payload);
    return 0;
}
