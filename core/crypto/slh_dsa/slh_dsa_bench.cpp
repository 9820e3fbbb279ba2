// Speed of SLH-DSA by backend, beside OpenSSL in the same run: a line of JSON each.
#include <botan/pubkey.h>
#include <botan/slh_dsa.h>

#include <cstdio>
#include <string_view>

#include "core/crypto/slh_dsa/fixture.hpp"
// tidy: allow(layers) a measurement stands beside what the hosts use
#include "host/crypto/speed.hpp"

namespace quoin::core::slh_dsa {
namespace {

namespace speed = crypto::speed;

bool all_good = true;

template <class Set, class Backend>
void measure_verify(const char* backend) {
    if (!test::runs_here<Backend>()) return;
    const auto peer = Peer<Set>::generate();
    const ByteVector key = peer.public_key();
    const ByteVector message(32, 7);
    std::vector<ByteVector> signatures;  // each of other chain lengths
    for (int i = 0; i < 8; ++i) {
        const ByteVector randomness(Set::n, static_cast<std::uint8_t>(i));
        signatures.push_back(peer.sign(message, {}, randomness));
    }
    std::size_t ours = 0;
    std::size_t theirs = 0;
    const auto outcome = speed::compare(
        fmt::format("{} verify {}", name_of<Set>, backend),
        [&] {
            all_good &=
                verify_bytes<Set, Backend>(key, message, {}, signatures[ours++ % 8]).has_value();
        },
        [&] { all_good &= peer.verify(message, {}, signatures[theirs++ % 8]); });
    std::puts(speed::json_line(outcome).c_str());
}

// The same, beside Botan 3.
template <class Set, class Backend>
void measure_verify_beside_botan(const char* backend) {
    if (!test::runs_here<Backend>()) return;
    const auto peer = Peer<Set>::generate();
    const ByteVector key = peer.public_key();
    const ByteVector message(32, 7);
    const ByteVector signature = peer.sign(message, {});
    const Botan::SLH_DSA_PublicKey botan_key(key, Botan::SLH_DSA_Parameters::create(name_of<Set>));
    Botan::PK_Verifier botan(botan_key, "");
    const auto outcome = speed::compare(
        fmt::format("{} verify {}", name_of<Set>, backend),
        [&] { all_good &= verify_bytes<Set, Backend>(key, message, {}, signature).has_value(); },
        [&] { all_good &= botan.verify_message(message, signature); });
    std::puts(speed::json_line(outcome, "botan").c_str());
}

template <class Set, class Backend>
void measure_sign(const char* backend) {
    const auto peer = Peer<Set>::generate();
    const ByteVector key = peer.private_key();
    const auto key_span = std::span(key).template first<Set::private_key_size>();
    const ByteVector message(32, 7);
    ByteVector signature(Set::signature_size);
    const auto out = std::span(signature).template first<Set::signature_size>();
    const speed::Options options{.rounds = 5, .round_us = 20'000};
    const auto outcome = speed::compare(
        fmt::format("{} sign {}", name_of<Set>, backend),
        [&] {
            all_good &= sign_deterministic<Set, Backend>(key_span, message, {}, out).has_value();
        },
        [&] { all_good &= peer.sign(message, {}).size() == signature.size(); }, options);
    std::puts(speed::json_line(outcome).c_str());
}

// A template, so that other targets do not need what they do not build.
template <class First>
void measure() {
    measure_verify<Sha2_128f, First>("portable");
    measure_verify<Shake_128f, Portable>("portable");
    if constexpr (avx2_is_built) {
        measure_verify_beside_botan<Sha2_128f, ShaNi>("sha-ni");
        measure_verify_beside_botan<Sha2_128f, Avx2>("avx2");
        measure_verify<Sha2_128f, Avx2>("avx2");
        measure_verify<Sha2_128f, ShaNi>("sha-ni");
        measure_verify<Sha2_128s, ShaNi>("sha-ni");
        measure_verify<Sha2_192f, ShaNi>("sha-ni");
        measure_verify<Sha2_256f, ShaNi>("sha-ni");
        measure_verify<Shake_128f, Avx2>("avx2");
        measure_verify<Shake_128s, Avx2>("avx2");
        measure_sign<Shake_128f, Avx2>("avx2");
        measure_sign<Shake_128s, Avx2>("avx2");
    }
    measure_sign<Shake_128f, Portable>("portable");
}

}  // namespace
}  // namespace quoin::core::slh_dsa

int main() {
    quoin::core::slh_dsa::measure<quoin::core::Portable>();
    if (!quoin::core::slh_dsa::all_good) std::puts("something failed: the numbers mean nothing");
    return quoin::core::slh_dsa::all_good ? 0 : 1;
}
