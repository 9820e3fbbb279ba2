// HKDF: a key derivation from HMAC, in two steps. Source: RFC 5869.
//
//   extract: salt and input key material of any length -> PRK of one digest
//   expand:  PRK, info of any length -> 0 to 255 digests of output; more does not compile
//
// Nothing can fail. Constant time in all contents; lengths are public. What was derived on the way
// is wiped. Stack: under 1 KiB (SHA-256), 1.5 KiB (SHA-512), 1.75 KiB (SHA-3). Threads: pure
// functions.
#pragma once

#include "core/crypto/hmac/hmac.hpp"

namespace quoin::core::hkdf {

// RFC 5869, 2.2. An empty salt stands for one digest of zeros (HMAC pads both to the same key).
template <class Hash>
void extract(Bytes salt, Bytes input, std::span<std::uint8_t, Hash::digest_size> prk) {
    const hmac::Key<Hash> key(salt);
    hmac::Mac mac(key);
    mac.update(input);
    mac.finish(prk);
}

// RFC 5869, 2.3: T(i) = HMAC(PRK, T(i-1) | info | i).
template <class Hash, std::size_t Size>
    requires(Size <= 255 * Hash::digest_size)
void expand(std::span<const std::uint8_t, Hash::digest_size> prk, Bytes info,
            std::span<std::uint8_t, Size> output) {
    const hmac::Key<Hash> key(prk);
    std::array<std::uint8_t, Hash::digest_size> t{};
    std::uint8_t i = 0;
    for (std::size_t done = 0; done < Size; ++done) {
        if (done % t.size() == 0) {
            hmac::Mac mac(key);
            if (i != 0) mac.update(t);
            mac.update(info);
            ++i;
            mac.update({&i, 1});
            mac.finish(t);
        }
        output[done] = t[done % t.size()];
    }
    ct::wipe(t);
}

}  // namespace quoin::core::hkdf
