// The parameter sets of SLH-DSA as types. Source: FIPS 205, section 11, table 2.
//
//                        | public | private | signature | verify: hashes, about
//   SHA2-128s, SHAKE-128s |     32 |      64 |     7,856 |  2,200
//   SHA2-128f, SHAKE-128f |     32 |      64 |    17,088 |  6,300
//   SHA2-192s, SHAKE-192s |     48 |      96 |    16,224 |  3,200
//   SHA2-192f, SHAKE-192f |     48 |      96 |    35,664 |  9,200
//   SHA2-256s, SHAKE-256s |     64 |     128 |    29,792 |  4,700
//   SHA2-256f, SHAKE-256f |     64 |     128 |    49,856 |  9,400
#pragma once

#include <cstddef>
#include <cstdint>

namespace quoin::core::slh_dsa {

template <std::size_t N, unsigned H, unsigned D, unsigned A, unsigned K, bool IsShake>
struct ParameterSet {
    static constexpr std::size_t n = N;  // bytes of a hash
    static constexpr unsigned h = H;     // height of the hypertree
    static constexpr unsigned d = D;     // its layers
    static constexpr unsigned h_prime = H / D;
    static constexpr unsigned a = A;  // height of a FORS tree
    static constexpr unsigned k = K;  // how many of these
    static constexpr bool is_shake = IsShake;
    static constexpr std::size_t len = 2 * N + 3;  // WOTS+ chains, w = 16

    // The parts of the message digest, in bytes: FIPS 205, Algorithm 19, lines 6 to 10.
    static constexpr std::size_t md_size = (K * A + 7) / 8;
    static constexpr std::size_t tree_size = (H - H / D + 7) / 8;
    static constexpr std::size_t leaf_size = (H / D + 7) / 8;
    static constexpr std::size_t m = md_size + tree_size + leaf_size;

    static constexpr std::size_t public_key_size = 2 * N;
    static constexpr std::size_t private_key_size = 4 * N;
    static constexpr std::size_t fors_signature_size = std::size_t{K} * (1 + A) * N;
    static constexpr std::size_t xmss_signature_size = (len + H / D) * N;
    static constexpr std::size_t signature_size =
        N + fors_signature_size + std::size_t{D} * xmss_signature_size;
};

struct Sha2_128s : ParameterSet<16, 63, 7, 12, 14, false> {};
struct Sha2_128f : ParameterSet<16, 66, 22, 6, 33, false> {};
struct Sha2_192s : ParameterSet<24, 63, 7, 14, 17, false> {};
struct Sha2_192f : ParameterSet<24, 66, 22, 8, 33, false> {};
struct Sha2_256s : ParameterSet<32, 64, 8, 14, 22, false> {};
struct Sha2_256f : ParameterSet<32, 68, 17, 9, 35, false> {};
struct Shake_128s : ParameterSet<16, 63, 7, 12, 14, true> {};
struct Shake_128f : ParameterSet<16, 66, 22, 6, 33, true> {};
struct Shake_192s : ParameterSet<24, 63, 7, 14, 17, true> {};
struct Shake_192f : ParameterSet<24, 66, 22, 8, 33, true> {};
struct Shake_256s : ParameterSet<32, 64, 8, 14, 22, true> {};
struct Shake_256f : ParameterSet<32, 68, 17, 9, 35, true> {};

static_assert(Sha2_128s::m == 30 && Sha2_128s::signature_size == 7856);
static_assert(Sha2_128f::m == 34 && Sha2_128f::signature_size == 17088);
static_assert(Sha2_192s::m == 39 && Sha2_192s::signature_size == 16224);
static_assert(Sha2_192f::m == 42 && Sha2_192f::signature_size == 35664);
static_assert(Sha2_256s::m == 47 && Sha2_256s::signature_size == 29792);
static_assert(Sha2_256f::m == 49 && Sha2_256f::signature_size == 49856);

}  // namespace quoin::core::slh_dsa
