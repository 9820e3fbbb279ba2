#include "core/crypto/hmac/hmac.hpp"

#include "core/crypto/hmac/hkdf.hpp"
#include "core/crypto/known_answers/messages.hpp"
#include "core/crypto/known_answers/vectors/hashes.hpp"
#include "core/crypto/sha2/sha2.hpp"

namespace quoin::core::known_answers {
namespace {

template <class Hash, const auto& expected>
bool authenticate(const Memory&, unsigned) {
    const core::hmac::Key<Hash> key(Bytes(kilobyte).first(32));
    core::hmac::Mac mac(key);
    mac.update(kilobyte);
    return mac.verify(expected);
}

bool refuse(const Memory&, unsigned) {
    const core::hmac::Key<sha2::Sha256> key(Bytes(kilobyte).first(32));
    core::hmac::Mac mac(key);
    mac.update(Bytes(kilobyte).first(1023));
    return !mac.verify(hashes_vectors::hmac_sha256);
}

bool derive(const Memory&, unsigned) {
    std::array<std::uint8_t, 32> prk{};
    std::array<std::uint8_t, 64> output{};
    hkdf::extract<sha2::Sha256>({}, Bytes(kilobyte).first(32), prk);
    hkdf::expand<sha2::Sha256>(prk, Bytes(kilobyte).first(16), std::span(output));
    return same(output, hashes_vectors::hkdf_sha256);
}

constexpr std::array operations = {
    Operation{"HMAC-SHA-256 1 KiB", authenticate<sha2::Sha256, hashes_vectors::hmac_sha256>},
    Operation{"HMAC-SHA-256 of another message", refuse},
    Operation{"HMAC-SHA-512 1 KiB", authenticate<sha2::Sha512, hashes_vectors::hmac_sha512>},
    Operation{"HKDF-SHA-256", derive},
};

}  // namespace

Operations hmac() { return operations; }

}  // namespace quoin::core::known_answers
