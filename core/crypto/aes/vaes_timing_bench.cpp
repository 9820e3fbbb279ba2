// The Vaes backend by statistics, see test_timing.hpp: keys, and plaintexts. A planted leak shows
// what a leak looks like.
#include "core/crypto/aes/aes_gcm.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_timing.hpp"

int main() {
    using namespace quoin::core;
    using Plaintext = std::array<std::uint8_t, 600>;
    using KeyBytes = std::array<std::uint8_t, 32>;
    using K = aes_gcm::Key<aes_gcm::Set256, Vaes>;
    if (!test::has_vaes()) {
        std::puts("NOT RUN: this processor has no VAES");
        return 0;
    }
    constexpr std::array<std::uint8_t, aes_gcm::iv_size> iv{};
    std::array<std::uint8_t, aes_gcm::tag_size> tag{};
    Plaintext ciphertext{};
    volatile bool sink = false;
    const auto seal = [&](const K& key, const Plaintext& plaintext) {
        sink = key.seal(iv, {}, plaintext, ciphertext, tag).has_value();
    };
    const double of_key =
        test::t_of<KeyBytes>([&](const KeyBytes& bytes) { seal(K(bytes), Plaintext{}); });
    const K key(KeyBytes{1});
    const double of_plaintext =
        test::t_of<Plaintext>([&](const Plaintext& plaintext) { seal(key, plaintext); });
    const double leak = test::t_of<Plaintext>([&](const Plaintext& plaintext) {
        seal(key, plaintext);
        if (plaintext[0] != 0) sink = key.open(iv, {}, {}, tag, {}).has_value();
    });
    bool seen = test::report_timing("AES-256-GCM VAES", "key", of_key, leak);
    seen &= test::report_timing("AES-256-GCM VAES", "plaintext", of_plaintext, leak);
    return seen ? 0 : 1;
}
