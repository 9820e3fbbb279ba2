#include "core/crypto/sha2/sha2.hpp"

#include "tests/core/messages.hpp"
#include "tests/core/vectors/hashes.hpp"

namespace quoin::tests {
namespace {

using namespace core::sha2;

template <class Hash, const auto& expected>
bool hash(unsigned) {
    return same(Hash::of(kilobyte), expected);
}

// In two uneven pieces, that the rest of a block is kept over.
bool incremental(unsigned) {
    Sha256 hash;
    hash.update(Bytes(kilobyte).first(77));
    hash.update(Bytes(kilobyte).subspan(77));
    return same(hash.finish(), hashes_vectors::sha256);
}

constexpr std::array operations = {
    Operation{"SHA-256 1 KiB", hash<Sha256, hashes_vectors::sha256>},
    Operation{"SHA-256 1 KiB in pieces", incremental},
    Operation{"SHA-384 1 KiB", hash<Sha384, hashes_vectors::sha384>},
    Operation{"SHA-512 1 KiB", hash<Sha512, hashes_vectors::sha512>},
};

}  // namespace

Operations sha2_operations() { return operations; }

}  // namespace quoin::tests
