// M' of draft-ietf-lamps-pq-composite-sigs-19, section 2.2: what both halves sign.
#pragma once

#include <array>

#include "core/crypto/hybrid/composite.hpp"
#include "core/crypto/sha2/sha2.hpp"

namespace quoin::core::hybrid {

class SignedPart {
public:
    SignedPart(std::string_view label, const ml_dsa::Context& context, Bytes message) {
        put(bytes_of("CompositeAlgorithmSignatures2025"));
        put(bytes_of(label));
        const std::array<std::uint8_t, 1> size = {
            static_cast<std::uint8_t>(context.bytes().size())};
        put(size);
        put(context.bytes());
        put(sha2::Sha512::of(message));
    }
    Bytes bytes() const { return Bytes(bytes_).first(size_); }

private:
    void put(Bytes part) {
        for (const std::uint8_t byte : part) bytes_[size_++] = byte;
    }

    std::array<std::uint8_t, 32 + 30 + 1 + ml_dsa::Context::max_size + 64> bytes_{};
    std::size_t size_ = 0;
};

}  // namespace quoin::core::hybrid
