// What ML-DSA signs: μ, a hash of the public key's hash, the context and the message.
//
//   MessageHash<> hash(public_key_hash(public_key), context);
//   hash.absorb(part).absorb(next_part);
//   const Mu mu = hash.finish();       // for sign_mu, verify_mu: a message in pieces
//
// Object: about 220 bytes. Threads: one owner. Time depends on lengths only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/crypto/keccak/keccak.hpp"

namespace quoin::core::ml_dsa {

// tr = H(pk, 64): FIPS 204, Algorithm 6, line 9. Also at bytes 64..127 of a private key.
struct PublicKeyHash {
    std::array<std::uint8_t, 64> bytes;
};

// μ = H(tr || M', 64): FIPS 204, Algorithm 7, line 6.
struct Mu {
    std::array<std::uint8_t, 64> bytes;
};

// A context string of at most 255 bytes; empty unless said otherwise. A view.
class Context {
public:
    static constexpr std::size_t max_size = 255;

    Context() = default;
    // input_invalid above 255 bytes: FIPS 204, Algorithm 2, line 1.
    static Result<Context> of(Bytes bytes) {
        if (bytes.size() > max_size) return std::unexpected(Code::input_invalid);
        Context context;
        context.bytes_ = bytes;
        return context;
    }
    Bytes bytes() const { return bytes_; }

private:
    Bytes bytes_;
};

template <class Backend = Portable>
PublicKeyHash public_key_hash(Bytes public_key) {
    PublicKeyHash hash{};
    keccak::Shake256<Backend>::digest(hash.bytes, public_key);
    return hash;
}

template <class Backend = Portable>
class MessageHash {
public:
    // M' = IntegerToBytes(0, 1) || IntegerToBytes(|ctx|, 1) || ctx || M: Algorithm 2, line 10.
    MessageHash(const PublicKeyHash& public_key_hash, const Context& context) {
        const std::array<std::uint8_t, 2> head{0,
                                               static_cast<std::uint8_t>(context.bytes().size())};
        hash_.absorb(public_key_hash.bytes).absorb(head).absorb(context.bytes());
    }
    MessageHash& absorb(Bytes part) {
        hash_.absorb(part);
        return *this;
    }
    // Once; the object is spent then.
    Mu finish() {
        Mu mu{};
        hash_.squeeze(mu.bytes);
        return mu;
    }

private:
    keccak::Shake256<Backend> hash_;
};

}  // namespace quoin::core::ml_dsa
