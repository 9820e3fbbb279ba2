// Verification of HSS signatures (LMS is HSS with one level). Source: RFC 8554, sections 4.6, 5.4.2
// and 6.3.
//
//   lms::Verifier<lms::Sha256M32> verifier;
//   QUOIN_CHECK(verifier.start(public_key, signature));
//   verifier.update(image);  // as often as there are pieces
//   QUOIN_CHECK(verifier.finish());
//
// Errors: a public key that is not one of `Family` is peer_malformed; everything else that is wrong
// (types, lengths, bytes behind the end, hashes, a finish() without a good start()) is
// integrity_signature.
//
// Stack of start(), which needs most, in bytes, painted, n = 32, two levels (with one level
// finish() needs most, 800 to 1,100 less); a Verifier: under 350:
//   x86-64, release: SHA-256 Portable 2,368, ShaNi 3,232, Avx2 7,808
//                    SHAKE256 Portable 3,008, Avx2 5,888
//   Cortex-M4: one level, with the Verifier: SHA-256 1,292, SHAKE256 2,008
// Hashes: what the algorithm asks for and no more (a test counts them); SHA-256 M32, height 10, w
// 4: about 560 blocks and the message.
//
// Backends: Portable; ShaNi (SHA-256 families); Avx2. Threads: one owner. Nothing here is secret.
#pragma once

#include "core/crypto/lms/hash.hpp"

namespace quoin::core::lms {

// An LMS public key, read.
template <class Family>
struct TreeKey {
    Level level{};
    Bytes identifier;  // 16 bytes
    Bytes root;        // n bytes
};

// An LMS signature, read: views into it.
template <class Family>
struct TreeSignature {
    std::uint32_t q = 0;
    Bytes randomizer;  // C, n bytes
    Bytes chains;      // y
    Bytes path;
};

template <class Family, class Backend = Portable>
class Verifier {
public:
    Verifier() = default;

    // Checks the keys of all levels, top down. Both views must live until finish().
    [[nodiscard]] Result<void> start(Bytes public_key, Bytes signature);
    void update(Bytes message);
    [[nodiscard]] Result<void> finish();

private:
    bool started_ = false;
    TreeKey<Family> key_{};
    TreeSignature<Family> signature_{};
    Stream<Family, Backend> message_;
};

// A whole message.
template <class Family, class Backend = Portable>
[[nodiscard]] Result<void> verify(Bytes public_key, Bytes message, Bytes signature) {
    Verifier<Family, Backend> verifier;
    QUOIN_CHECK(verifier.start(public_key, signature));
    verifier.update(message);
    return verifier.finish();
}

}  // namespace quoin::core::lms
