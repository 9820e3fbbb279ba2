#include "core/crypto/sha2/sha2.hpp"

#include "core/crypto/known_answers/messages.hpp"
#include "core/crypto/known_answers/vectors/hashes.hpp"

namespace quoin::core::known_answers {
namespace {

template <class Set, class Backend, const auto& expected>
bool hash(const Memory&, unsigned) {
    return same(sha2::Hash<Set, Backend>::of(kilobyte), expected);
}

// In two uneven pieces, that the rest of a block is kept over.
template <class Backend>
bool incremental(const Memory&, unsigned) {
    sha2::Hash<sha2::Set256, Backend> hash;
    hash.update(Bytes(kilobyte).first(77));
    hash.update(Bytes(kilobyte).subspan(77));
    return same(hash.finish(), hashes_vectors::sha256);
}

template <class Backend>
constexpr std::array sha256_operations = {
    Operation{"SHA-256 1 KiB", hash<sha2::Set256, Backend, hashes_vectors::sha256>},
    Operation{"SHA-256 1 KiB in pieces", incremental<Backend>},
};

constexpr std::array all_operations = {
    sha256_operations<Portable>[0],
    sha256_operations<Portable>[1],
    Operation{"SHA-384 1 KiB", hash<sha2::Set384, Portable, hashes_vectors::sha384>},
    Operation{"SHA-512 1 KiB", hash<sha2::Set512, Portable, hashes_vectors::sha512>},
};

}  // namespace

template <>
Operations sha2<Portable>() {
    return all_operations;
}

#if defined(__x86_64__)
template <>
Operations sha2<ShaNi>() {
    return sha256_operations<ShaNi>;
}
#endif

}  // namespace quoin::core::known_answers
