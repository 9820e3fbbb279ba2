#include "core/crypto/falcon/keygen.hpp"
#include "core/crypto/falcon/signing.hpp"
#include "core/crypto/known_answers/falcon.hpp"

namespace quoin::core::known_answers {
namespace {

using namespace falcon_vectors;
using falcon::Set512, falcon::Integer;

struct Kept {
    std::array<std::uint8_t, Set512::public_key_size> public_key;
    std::array<std::uint8_t, Set512::private_key_size> private_key;
    std::array<std::uint8_t, Set512::padded_signature_size> signature;
    std::size_t size;
};

// With the key of the vector, whose signature it is that anybody can check.
bool sign(const Memory& memory, unsigned round) {
    auto& kept = memory.kept_as<Kept>();
    std::array<std::uint8_t, falcon::randomness_size> randomness{};
    randomness[0] = static_cast<std::uint8_t>(round);
    const auto size = falcon::sign<Set512, Integer>(
        private_key_512, message_512, randomness, falcon::Format::compressed, kept.signature,
        memory.scratch_as<falcon::SignWorkspace<Set512, Integer>>());
    kept.size = size ? *size : 0;
    return size.has_value();
}

bool signature_verifies(const Memory& memory, unsigned) {
    const auto& kept = memory.kept_as<Kept>();
    return falcon::verify<Set512>(public_key_512, message_512,
                                  Bytes(kept.signature).first(kept.size),
                                  memory.scratch_as<falcon::VerifyWorkspace<Set512>>())
        .has_value();
}

bool keygen(const Memory& memory, unsigned round) {
    auto& kept = memory.kept_as<Kept>();
    std::array<std::uint8_t, 48> bytes{};
    bytes[0] = static_cast<std::uint8_t>(round);
    const falcon::Seed seed{std::span(bytes)};
    return falcon::keygen<Set512, Integer>(
               seed, kept.public_key, kept.private_key,
               memory.scratch_as<falcon::KeygenWorkspace<Set512, Integer>>())
        .has_value();
}

// The public key follows from the private one, whose parts fit only if they solve the equation.
bool keys_belong_together(const Memory& memory, unsigned) {
    const auto& kept = memory.kept_as<Kept>();
    std::array<std::uint8_t, Set512::public_key_size> again{};
    return falcon::public_key_of<Set512, Integer>(
               kept.private_key, again,
               memory.scratch_as<falcon::SignWorkspace<Set512, Integer>>()) &&
           same(again, kept.public_key);
}

constexpr std::array sign_operations = {
    Operation{"Falcon-512 sign", sign, signature_verifies, 4},
};
constexpr std::array keygen_operations = {
    Operation{"Falcon-512 keygen", keygen, keys_belong_together, 4},
};

}  // namespace

Operations falcon_sign() { return sign_operations; }
Operations falcon_keygen() { return keygen_operations; }

}  // namespace quoin::core::known_answers
