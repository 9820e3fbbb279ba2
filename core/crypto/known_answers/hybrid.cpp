#include "core/crypto/hybrid/tls_group.hpp"
#include "core/crypto/hybrid/x_wing.hpp"
#include "core/crypto/keccak/keccak.hpp"
#include "core/crypto/known_answers/messages.hpp"
#include "core/crypto/known_answers/vectors/curve25519.hpp"
#include "core/crypto/known_answers/vectors/ml_kem.hpp"

namespace quoin::core::known_answers {
namespace {

using namespace hybrid;

// draft-connolly-cfrg-xwing-kem, appendix C, the first: it goes through ML-KEM, X25519, SHAKE256
// and SHA3-256.
constexpr auto seed = hex<32>("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26");
constexpr auto randomness = hex<64>(
    "3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e235b8cc873c23dc62b8d260169afa2f"
    "75ab916a58d974918835d25e6a435085b2");
constexpr auto shared = hex<32>("d2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384");

struct Kept {
    std::array<std::uint8_t, x_wing::public_key_size> key;
    std::array<std::uint8_t, x_wing::ciphertext_size> ciphertext;
    std::array<std::uint8_t, x_wing::shared_secret_size> secret;
};

template <class Backend>
bool keygen(const Memory& memory, unsigned) {
    x_wing::public_key<Backend>(seed, memory.kept_as<Kept>().key,
                                memory.scratch_as<x_wing::Workspace<Backend>>());
    return true;
}

template <class Backend>
bool encapsulate(const Memory& memory, unsigned) {
    auto& kept = memory.kept_as<Kept>();
    return x_wing::encapsulate<Backend>(kept.key, randomness, kept.ciphertext, kept.secret,
                                        memory.scratch_as<x_wing::Workspace<Backend>>())
        .has_value();
}

template <class Backend>
bool decapsulate(const Memory& memory, unsigned) {
    auto& kept = memory.kept_as<Kept>();
    kept.secret = {};
    return x_wing::decapsulate<Backend>(seed, kept.ciphertext, kept.secret,
                                        memory.scratch_as<x_wing::Workspace<Backend>>())
        .has_value();
}

bool secret_is_right(const Memory& memory, unsigned) {
    return same(memory.kept_as<Kept>().secret, shared);
}

// X25519MLKEM768: RFC 10024 puts the halves beside each other, so that the vectors of the halves
// are its vectors.
struct TlsGroupKept {
    std::array<std::uint8_t, ml_kem::Set768::decapsulation_key_size> ml_kem;
    std::array<std::uint8_t, 32> x25519;
    std::array<std::uint8_t, tls_group::client_share_size> client_share;
    std::array<std::uint8_t, tls_group::server_share_size> server_share;
    std::array<std::uint8_t, tls_group::secret_size> secret;
};

template <std::size_t A, std::size_t B>
constexpr std::array<std::uint8_t, A + B> joined(const std::array<std::uint8_t, A>& a,
                                                 const std::array<std::uint8_t, B>& b) {
    std::array<std::uint8_t, A + B> both{};
    for (std::size_t i = 0; i < A; ++i) both[i] = a[i];
    for (std::size_t i = 0; i < B; ++i) both[A + i] = b[i];
    return both;
}
constexpr auto client_randomness = joined(ml_kem_vectors::seed_768, curve25519_vectors::private_a);
constexpr auto server_randomness =
    joined(ml_kem_vectors::message_768, curve25519_vectors::private_b);
constexpr auto group_secret = joined(ml_kem_vectors::secret_768, curve25519_vectors::shared);

// ML-KEM's half, of which there is a hash, then X25519's.
bool share_is(Bytes share, Bytes ml_kem_hash, Bytes x25519_key) {
    const std::size_t at = share.size() - x25519_key.size();
    std::array<std::uint8_t, 16> digest{};
    keccak::Shake256<>::digest(digest, share.first(at));
    return same(digest, ml_kem_hash) && same(share.subspan(at), x25519_key);
}

template <class Backend>
bool start(const Memory& memory, unsigned) {
    auto& kept = memory.kept_as<TlsGroupKept>();
    tls_group::ClientKey key;
    tls_group::start<Backend>(key, kept.client_share, client_randomness,
                              memory.scratch_as<tls_group::Workspace<Backend>>());
    kept.ml_kem = key.ml_kem;
    kept.x25519 = key.x25519;
    return true;
}

bool client_share_is_right(const Memory& memory, unsigned) {
    return share_is(memory.kept_as<TlsGroupKept>().client_share,
                    ml_kem_vectors::encapsulation_key_hash_768,
                    curve25519_vectors::x25519_public_a);
}

template <class Backend>
bool answer(const Memory& memory, unsigned) {
    auto& kept = memory.kept_as<TlsGroupKept>();
    return tls_group::answer<Backend>(kept.client_share, kept.server_share, kept.secret,
                                      server_randomness,
                                      memory.scratch_as<tls_group::Workspace<Backend>>())
        .has_value();
}

bool group_secret_is_right(const Memory& memory, unsigned) {
    return same(memory.kept_as<TlsGroupKept>().secret, group_secret);
}

bool answer_is_right(const Memory& memory, unsigned round) {
    return share_is(memory.kept_as<TlsGroupKept>().server_share,
                    ml_kem_vectors::ciphertext_hash_768, curve25519_vectors::x25519_public_b) &&
           group_secret_is_right(memory, round);
}

template <class Backend>
bool finish(const Memory& memory, unsigned) {
    auto& kept = memory.kept_as<TlsGroupKept>();
    kept.secret = {};
    tls_group::ClientKey key;
    key.ml_kem = kept.ml_kem;
    key.x25519 = kept.x25519;
    return tls_group::finish<Backend>(key, kept.server_share, kept.secret,
                                      memory.scratch_as<tls_group::Workspace<Backend>>())
        .has_value();
}

template <class Backend>
constexpr std::array operations = {
    Operation{"X25519MLKEM768 client", start<Backend>, client_share_is_right},
    Operation{"X25519MLKEM768 server", answer<Backend>, answer_is_right},
    Operation{"X25519MLKEM768 finish", finish<Backend>, group_secret_is_right},
    Operation{"X-Wing keygen", keygen<Backend>},
    Operation{"X-Wing encaps", encapsulate<Backend>, secret_is_right},
    Operation{"X-Wing decaps", decapsulate<Backend>, secret_is_right},
};

}  // namespace

template <>
Operations hybrid_kems<Portable>() {
    return operations<Portable>;
}

#if defined(__x86_64__)
template <>
Operations hybrid_kems<Avx2>() {
    return operations<Avx2>;
}
#endif

}  // namespace quoin::core::known_answers
