#include "core/crypto/keccak/keccak.hpp"

#include "core/crypto/known_answers/messages.hpp"
#include "core/crypto/known_answers/vectors/hashes.hpp"

namespace quoin::core::known_answers {
namespace {

template <class Hash, const auto& expected>
bool hash(const Memory&, unsigned) {
    std::array<std::uint8_t, Hash::size> digest{};
    Hash::digest(digest, kilobyte);
    return same(digest, expected);
}

template <class Xof, const auto& expected>
bool xof(const Memory&, unsigned) {
    std::array<std::uint8_t, 64> output{};
    Xof::digest(output, kilobyte);
    return same(output, expected);
}

// Four at once; one of them of another message.
template <class Backend>
bool four(const Memory&, unsigned) {
    std::array<std::uint8_t, 1024> other = kilobyte;
    other[1023] ^= 1U;
    keccak::Shake128x4<Backend> xofs;
    xofs.absorb({kilobyte, kilobyte, other, kilobyte});
    std::array<std::array<std::uint8_t, 64>, 4> outputs{};
    xofs.squeeze({outputs[0], outputs[1], outputs[2], outputs[3]});
    return same(outputs[0], hashes_vectors::shake128) &&
           same(outputs[1], hashes_vectors::shake128) &&
           !same(outputs[2], hashes_vectors::shake128) &&
           same(outputs[3], hashes_vectors::shake128);
}

template <class Backend>
constexpr std::array operations = {
    Operation{"SHA3-256 1 KiB", hash<keccak::Sha3_256<Backend>, hashes_vectors::sha3_256>},
    Operation{"SHA3-512 1 KiB", hash<keccak::Sha3_512<Backend>, hashes_vectors::sha3_512>},
    Operation{"SHAKE128 1 KiB", xof<keccak::Shake128<Backend>, hashes_vectors::shake128>},
    Operation{"SHAKE256 1 KiB", xof<keccak::Shake256<Backend>, hashes_vectors::shake256>},
    Operation{"SHAKE128 4 x 1 KiB", four<Backend>},
};

}  // namespace

template <>
Operations keccak<Portable>() {
    return operations<Portable>;
}

#if defined(__x86_64__)
template <>
Operations keccak<Avx2>() {
    return operations<Avx2>;
}
#endif

}  // namespace quoin::core::known_answers
