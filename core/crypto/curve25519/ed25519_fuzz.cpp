// Public key, signature and message from anywhere: both fields decide alike, and what decodes as a
// point encodes to the same bytes. Also with the parts that make a signature go further than its
// checks: S below the order.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/crypto/curve25519/ed25519.hpp"
#include "core/crypto/curve25519/edwards.hpp"

using namespace quoin;
using namespace quoin::core;

namespace {

template <class Field>
bool decodes(ed25519::PublicKey key) {
    curve25519::Point<Field> point;
    if (!curve25519::decode<Field>(key, point)) return false;
    std::array<std::uint8_t, 32> again{};
    curve25519::encode<Field>(point, again);
    if (!std::ranges::equal(again, key)) std::abort();
    return true;
}

void check(ed25519::PublicKey key, ed25519::Signature signature, Bytes message) {
    using curve25519::Field25, curve25519::Field51;
    const auto a = ed25519::verify<Field25>(key, message, signature);
    const auto b = ed25519::verify<Field51>(key, message, signature);
    if (a.has_value() != b.has_value()) std::abort();
    if (!a && a.error() != b.error()) std::abort();
    if (decodes<Field25>(key) != decodes<Field51>(key)) std::abort();
    if (a && !decodes<Field51>(signature.first<32>())) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 96) return 0;
    std::array<std::uint8_t, 64> signature{};
    std::copy_n(data + 32, 64, signature.begin());
    const ed25519::PublicKey key(data, 32);
    const Bytes message(data + 96, size - 96);
    check(key, signature, message);
    signature[63] &= 0x0f;
    check(key, signature, message);
    // A good signature by a key that the input names, then damaged as the input says.
    const ed25519::PrivateKey<> signer(std::span<const std::uint8_t, 32>(data, 32));
    signer.sign(message, signature);
    if (!ed25519::verify(signer.public_key(), message, signature)) std::abort();
    const std::uint8_t damage = data[32];
    signature[data[33] % 64] ^= damage;
    check(signer.public_key(), signature, message);
    if (damage != 0 && ed25519::verify(signer.public_key(), message, signature)) std::abort();
    return 0;
}
