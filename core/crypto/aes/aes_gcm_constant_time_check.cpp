// Run under valgrind by ctest, keys and plaintexts marked undefined: nothing may branch or index by
// them. usage: aes_gcm_constant_time_check words_32 | words_64 | aes_ni | leak
#include <array>

#include "core/crypto/aes/aes_gcm.hpp"
#include "core/crypto/test_valgrind.hpp"

namespace quoin::core::aes_gcm {
namespace {

using Text = std::array<std::uint8_t, 150>;

template <class Set, class Backend>
void check_set() {
    const auto key_bytes = test::secret<std::array<std::uint8_t, Set::key_size>>(1);
    const auto plaintext = test::secret<Text>(2), aad = test::secret<Text>(3);
    constexpr std::array<std::uint8_t, iv_size> iv{};
    const Key<Set, Backend> key(key_bytes);
    Text ciphertext{}, opened{};
    std::array<std::uint8_t, tag_size> tag{};
    const bool sealed = key.seal(iv, aad, plaintext, ciphertext, tag).has_value();
    // The ciphertext stays undefined: what open() makes of it depends on the key.
    const bool authentic = key.open(iv, aad, ciphertext, tag, opened).has_value();
    std::fprintf(stderr, "%d %d\n", sealed ? 1 : 0, authentic ? 1 : 0);
    test::publish(ciphertext);
    test::publish(opened);
    test::publish(tag);
    const bool forged = key.open(iv, {}, ciphertext, tag, opened).has_value();
    std::fprintf(stderr, "%d\n", forged ? 1 : 0);
}

template <class Backend>
void check() {
    check_set<Set128, Backend>();
    check_set<Set256, Backend>();
}

// A table indexed by the key, as AES without bit slicing has: valgrind must find it.
void leak() {
    static constexpr std::array<std::uint8_t, 4> table = {0x63, 0x7c, 0x77, 0x7b};
    const auto key = test::secret<std::array<std::uint8_t, 16>>(1);
    std::array<std::uint8_t, 1> substituted = {table[key[0] & 3U]};
    test::publish(substituted);
}

bool run(std::string_view what) {
    if (what == "words_32") return check<Bitsliced<std::uint32_t>>(), true;
    if (what == "words_64") return check<Bitsliced<std::uint64_t>>(), true;
    if (what == "leak") return leak(), true;
    if constexpr (avx2_is_built) {
        if (what == "aes_ni") return check<AesNi>(), true;
    }
    return false;
}

}  // namespace
}  // namespace quoin::core::aes_gcm

int main(int argument_count, char** arguments) {
    return quoin::core::test::run_check(argument_count, arguments, quoin::core::aes_gcm::run);
}
