// HMAC over any hash of core: hmac::Key<sha2::Sha256>, ... Source: RFC 2104, FIPS 198-1.
//
//                key        | tag | Key (bytes)         | Mac
//   SHA-256      any length |  32 | two hash objects    | two hash objects
//   SHA-384/512  any length | 48/64 | the same          | the same
//   SHA3-256/512 any length | 32/64 | the same          | the same
//
//     const hmac::Key<sha2::Sha256> key(key_bytes);  // hashes the padded key once
//     hmac::Mac mac(key);
//     mac.update(message);
//     if (!mac.verify(tag)) ...
//
// Stack beside the objects, in bytes, painted, x86-64, release: SHA-256 448 (ShaNi 416), SHA-384
// and SHA-512 640; SHA-3: sha3.hpp. Cortex-M4, with a Key and a Mac: SHA-256 872, SHA-512 1,424.
// Nothing can fail but verify(). Constant time in key, message and tag; lengths are public. Both
// objects wipe themselves. Threads: a const Key may be shared.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/bytes.hpp"
#include "core/base/constant_time.hpp"

namespace quoin::core::hmac {

// The states after the inner and the outer padded key: all that HMAC needs of a key.
template <class Hash>
class Key {
public:
    explicit Key(Bytes key) {
        std::array<std::uint8_t, Hash::block_size> block{};
        if (key.size() > block.size()) {
            inner_.update(key);
            inner_.finish(std::span(block).template first<Hash::digest_size>());
        } else {
            for (std::size_t i = 0; i < key.size(); ++i) block[i] = key[i];
        }
        for (std::uint8_t& byte : block) byte ^= 0x36;  // ipad
        inner_.update(block);
        for (std::uint8_t& byte : block) byte ^= 0x36 ^ 0x5c;  // opad
        outer_.update(block);
        ct::wipe(block);
    }
    Key(const Key&) = delete;
    Key& operator=(const Key&) = delete;
    ~Key() {
        inner_.wipe();
        outer_.wipe();
    }

    const Hash& inner() const { return inner_; }
    const Hash& outer() const { return outer_; }

private:
    Hash inner_, outer_;
};

template <class Hash>
class Mac {
public:
    static constexpr std::size_t tag_size = Hash::digest_size;

    explicit Mac(const Key<Hash>& key) : inner_(key.inner()), outer_(key.outer()) {}
    Mac(const Mac&) = delete;
    Mac& operator=(const Mac&) = delete;
    ~Mac() {
        inner_.wipe();
        outer_.wipe();
    }

    void update(Bytes message) { inner_.update(message); }

    // Once: the object is spent afterwards.
    void finish(std::span<std::uint8_t, tag_size> tag) {
        inner_.finish(tag);
        outer_.update(tag);
        outer_.finish(tag);
    }

    // Whether this is the whole, right tag. The object is spent afterwards.
    [[nodiscard]] bool verify(Bytes tag) {
        std::array<std::uint8_t, tag_size> right{};
        finish(right);
        const bool same = ct::equal(right, tag);
        ct::wipe(right);
        return same;
    }

private:
    Hash inner_, outer_;
};

template <class Hash>
Mac(const Key<Hash>&) -> Mac<Hash>;

}  // namespace quoin::core::hmac
