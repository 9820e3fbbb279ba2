// Verification in little memory: each z is transformed again for each row of A.
#include "core/crypto/ml_dsa/verify_body.hpp"

namespace quoin::core::ml_dsa {

template <class Set>
Result<void> verify_mu_low_memory(PublicKey<Set> public_key, const Mu& mu, Signature<Set> signature,
                                  LowMemoryVerifyWorkspace& workspace) {
    auto& [z, c, w] = workspace;
    Verifier<Set, Portable> verifier{signature};
    if (!is_hint<Set>(verifier.hint())) return std::unexpected(Code::integrity_signature);
    verifier.hash.absorb(mu.bytes);
    verifier.load_challenge(c);
    for (std::size_t i = 0; i < Set::k; ++i) {
        for (std::int32_t& sum : w.c) sum = 0;
        for (std::size_t j = 0; j < Set::l; ++j) {
            if (!verifier.load_z(z, j)) return std::unexpected(Code::integrity_signature);
            uniform<48>(public_key.template first<32>(), i, j, [&](std::size_t at, std::int32_t a) {
                w.c[at] += montgomery_multiply(a, z.c[at]);  // |sum| < l q <= 7 q
            });
        }
        Ring<Portable>::reduce(w);
        Verifier<Set, Portable>::load_t1(z, public_key, i);
        verifier.finish_row(w, z, c, z, i);
    }
    return verifier.answer();
}

template Result<void> verify_mu_low_memory<Set44>(PublicKey<Set44>, const Mu&, Signature<Set44>,
                                                  LowMemoryVerifyWorkspace&);
template Result<void> verify_mu_low_memory<Set65>(PublicKey<Set65>, const Mu&, Signature<Set65>,
                                                  LowMemoryVerifyWorkspace&);
template Result<void> verify_mu_low_memory<Set87>(PublicKey<Set87>, const Mu&, Signature<Set87>,
                                                  LowMemoryVerifyWorkspace&);

}  // namespace quoin::core::ml_dsa
