// Run under valgrind by ctest: makes a tree and signs with the seed marked undefined, so that
// memcheck reports every branch and index that depends on it. What is public (randomizer,
// identifiers, keys) is declassified where it becomes so. `leak` derives a randomizer, keeps it
// secret, and lets a chain run as far as it says: memcheck must report that.
//
// Not run here: ShaNi, whose instructions valgrind does not know. It is straight-line code
// (lanes_sha_ni.cpp), and everything around it is the code that these checks run.
#include "core/crypto/lms/secrets.hpp"
#include "core/crypto/lms/signer.hpp"
#include "core/crypto/test_valgrind.hpp"

namespace quoin::core::lms {
namespace {

constexpr std::array<Level, 2> levels{Level{5, 4}, Level{5, 1}};

template <class Family, class Backend>
void keygen_and_sign() {
    const std::array<std::uint8_t, identifier_size> identifier{1, 2, 3};
    std::array<std::uint8_t, Family::n> seed{4, 5, 6};
    VALGRIND_MAKE_MEM_UNDEFINED(seed.data(), seed.size());
    const Parameters parameters = *Parameters::make(levels);
    const PrivateKey<Family> key(parameters, identifier, seed);
    static std::array<std::uint8_t, 32768> storage;
    const auto used = std::span(storage).first(signer_storage_size<Family>(parameters));
    const auto top = top_tree(key, used);
    fill_leaves<Family, Backend>(top, 0, 32);
    finish_tree<Family, Backend>(top);
    // The nodes and their check value are public: they lie in a file.
    VALGRIND_MAKE_MEM_DEFINED(storage.data(), storage.size());
    Signer<Family, Backend> signer(key, used);
    test::must_work(signer.open().has_value());
    auto block = Reservation::danger_already_durable(33, 1);
    static std::array<std::uint8_t, 16384> signature;
    const auto out = std::span(signature).first(signature_size<Family>(parameters));
    test::must_work(signer.sign(*block.take(), bytes_of("message"), out).has_value());
}

void leak() {
    TreeSecret<Sha256M32> secret;
    VALGRIND_MAKE_MEM_UNDEFINED(secret.seed.data(), secret.seed.size());
    std::array<std::uint8_t, 32> randomizer{};
    derive<Sha256M32, Portable>(secret, 0, for_randomizer, randomizer);
    const Chain chain{0, 0, static_cast<std::int16_t>(randomizer[0] % 16), randomizer.data(),
                      randomizer.data()};
    ChainRunner<Sha256M32, Portable> runner({secret.identifier, 0});
    runner.run({&chain, 1});
}

bool run(std::string_view what) {
    if (what == "sha256") return keygen_and_sign<Sha256M32, Portable>(), true;
    if (what == "sha256_192") return keygen_and_sign<Sha256M24, Portable>(), true;
    if (what == "shake") return keygen_and_sign<ShakeM32, Portable>(), true;
    if (what == "leak") return leak(), true;
    if constexpr (avx2_is_built) {
        if (what == "sha256_avx2") return keygen_and_sign<Sha256M32, Avx2>(), true;
        if (what == "shake_avx2") return keygen_and_sign<ShakeM32, Avx2>(), true;
    }
    return false;
}

}  // namespace
}  // namespace quoin::core::lms

int main(int argument_count, char** arguments) {
    return quoin::core::test::run_check(argument_count, arguments, quoin::core::lms::run);
}
