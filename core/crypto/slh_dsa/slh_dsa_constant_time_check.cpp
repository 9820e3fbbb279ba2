// Run under valgrind by ctest: makes a key and signs with SK.seed and SK.prf marked undefined, so
// that memcheck reports every branch and index that depends on them. R and the roots that every
// verifier finds are declassified where they become public. `leak` lets a chain run as far as a
// secret says: memcheck must report that.
#include "core/crypto/slh_dsa/slh_dsa.hpp"
#include "core/crypto/slh_dsa/wots.hpp"
#include "core/crypto/test_valgrind.hpp"

namespace quoin::core::slh_dsa {
namespace {

using Set = Shake_128f;

template <class Backend>
void keygen_and_sign() {
    auto seeds = test::secret<std::array<std::uint8_t, 3 * Set::n>>(3);
    VALGRIND_MAKE_MEM_DEFINED(&seeds[2 * Set::n], Set::n);  // PK.seed
    std::array<std::uint8_t, Set::private_key_size> key{};
    keygen<Set, Backend>(seeds, key);
    VALGRIND_MAKE_MEM_DEFINED(&key[2 * Set::n], 2 * Set::n);  // the public key
    static std::array<std::uint8_t, Set::signature_size> signature;
    const std::array<std::uint8_t, Set::n> randomness{7};
    const auto signed_ = sign<Set, Backend>(key, bytes_of("message"), {}, randomness, signature);
    test::publish(signature);
    test::must_work(signed_.has_value());
}

void leak() {
    const auto value = test::secret<Node<Set>>(5);
    const std::array<std::uint8_t, Set::n> pk_seed{};
    const Seed<Set, Portable> seed(pk_seed);
    Node<Set> end;
    const Chain chain{{}, 0, static_cast<std::uint8_t>(value[0] % 16), value.data(), end.data()};
    ChainRunner<Set, Portable> runner(seed);
    runner.run({&chain, 1});
    test::publish(end);
}

bool run(std::string_view what) {
    if (what == "portable") return keygen_and_sign<Portable>(), true;
    if (what == "leak") return leak(), true;
    if constexpr (avx2_is_built) {
        if (what == "avx2") return keygen_and_sign<Avx2>(), true;
    }
    return false;
}

}  // namespace
}  // namespace quoin::core::slh_dsa

int main(int argument_count, char** arguments) {
    return quoin::core::test::run_check(argument_count, arguments, quoin::core::slh_dsa::run);
}
