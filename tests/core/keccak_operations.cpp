#include "core/crypto/keccak/keccak.hpp"

#include "tests/core/messages.hpp"
#include "tests/core/vectors/hashes.hpp"

namespace quoin::tests {
namespace {

using namespace core::keccak;

template <class Hash, const auto& expected>
bool hash(unsigned) {
    std::array<std::uint8_t, Hash::size> digest{};
    Hash::digest(digest, kilobyte);
    return same(digest, expected);
}

template <class Xof, const auto& expected>
bool xof(unsigned) {
    std::array<std::uint8_t, 64> output{};
    Xof::digest(output, kilobyte);
    return same(output, expected);
}

constexpr std::array operations = {
    Operation{"SHA3-256 1 KiB", hash<Sha3_256<>, hashes_vectors::sha3_256>},
    Operation{"SHA3-512 1 KiB", hash<Sha3_512<>, hashes_vectors::sha3_512>},
    Operation{"SHAKE128 1 KiB", xof<Shake128<>, hashes_vectors::shake128>},
    Operation{"SHAKE256 1 KiB", xof<Shake256<>, hashes_vectors::shake256>},
};

}  // namespace

Operations keccak_operations() { return operations; }

}  // namespace quoin::tests
