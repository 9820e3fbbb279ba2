// Run under valgrind by ctest, secrets marked undefined: nothing may branch or index on them but
// what the operations declassify. usage: falcon_constant_time_check sign_portable | ... | leak
#include <memory>

#include "core/crypto/falcon/keygen.hpp"
#include "core/crypto/falcon/signing.hpp"
#include "core/crypto/falcon/test_key.hpp"
#include "core/crypto/test_valgrind.hpp"

namespace quoin::core::falcon {
namespace {

using SecretKey = std::array<std::uint8_t, Set512::private_key_size>;
using SecretRandomness = std::array<std::uint8_t, randomness_size>;

template <class Backend>
void check_sign() {
    SecretKey key = test_private_key_512;
    test::make_secret(key);
    const auto workspace = std::make_unique<SignWorkspace<Set512, Backend>>();
    std::array<std::uint8_t, Set512::padded_signature_size> signature{};
    for (std::uint8_t i = 0; i < 2; ++i) {
        const auto randomness = test::secret<SecretRandomness>(i);
        test::must_work(
            sign<Set512, Backend>(key, {}, randomness, Format::padded, signature, *workspace)
                .has_value());
        test::publish(signature);
    }
}

template <class Backend>
void check_loaded() {
    SecretKey key = test_private_key_512;
    test::make_secret(key);
    const auto workspace = std::make_unique<SignWorkspace<Set512, Backend>>();
    const auto scratch = std::make_unique<SignScratch<Set512, Backend>>();
    const auto loaded = std::make_unique<LoadedPrivateKey<Set512, Backend>>();
    test::must_work(loaded->load(key, *workspace).has_value());
    std::array<std::uint8_t, Set512::padded_signature_size> signature{};
    const auto randomness = test::secret<SecretRandomness>(9);
    test::must_work(
        loaded->sign({}, randomness, Format::compressed, signature, *scratch).has_value());
    test::publish(signature);
}

void check_keygen() {
    Seed seed;
    test::make_secret(seed.expose_to_fill());
    const auto workspace = std::make_unique<KeygenWorkspace<Set512>>();
    std::array<std::uint8_t, Set512::public_key_size> public_key{};
    SecretKey private_key{};
    test::must_work(keygen<Set512>(seed, public_key, private_key, *workspace).has_value());
    test::publish(public_key);
}

// Where the target has AVX2.
template <void (*Check)()>
void check_avx2() {
    if constexpr (avx2_is_built) Check();
}

// A private key whose header is secret: what it is must be found to show.
void leak() {
    SecretKey key = test_private_key_512;
    test::make_secret(key);
    if (key[100] == 7) key[100] = 0;
    test::publish(key);
}

bool run(std::string_view what) {
    if (what == "keygen") return check_keygen(), true;
    if (what == "sign_avx2") return check_avx2<check_sign<Avx2>>(), true;
    if (what == "loaded_avx2") return check_avx2<check_loaded<Avx2>>(), true;
    if (what == "sign_portable") return check_sign<Portable>(), true;
    if (what == "sign_integer") return check_sign<Integer>(), true;
    if (what == "loaded_portable") return check_loaded<Portable>(), true;
    if (what == "loaded_integer") return check_loaded<Integer>(), true;
    if (what == "leak") return leak(), true;
    return false;
}

}  // namespace
}  // namespace quoin::core::falcon

int main(int argument_count, char** arguments) {
    return quoin::core::test::run_check(argument_count, arguments, quoin::core::falcon::run);
}
