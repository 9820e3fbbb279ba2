// Run under valgrind by ctest, secrets marked undefined: nothing may branch or index on them but
// what the operations declassify. usage: ml_dsa_constant_time_check keygen_portable | ... | leak
#include <cstdio>
#include <memory>
#include <string_view>

#include "core/crypto/ml_dsa/layout.hpp"
#include "core/crypto/ml_dsa/ml_dsa.hpp"
#include "core/crypto/test_valgrind.hpp"

namespace quoin::core::ml_dsa {
namespace {

template <class Set>
struct Buffers {
    std::array<std::uint8_t, Set::public_key_size> public_key{};
    std::array<std::uint8_t, Set::private_key_size> private_key{};
    std::array<std::uint8_t, Set::signature_size> signature{};
};

template <class Set, class Backend>
void make_keys(Buffers<Set>& buffers, bool secret) {
    Seed xi;
    if (secret) VALGRIND_MAKE_MEM_UNDEFINED(xi.expose_to_fill().data(), xi.expose().size());
    const auto workspace = std::make_unique<KeygenWorkspace<Set, Backend>>();
    keygen<Set, Backend>(xi, buffers.public_key, buffers.private_key, *workspace);
}

// K, s1, s2 and t0; rho and tr are public.
template <class Set>
void hide(Buffers<Set>& buffers) {
    using Layout = PrivateKeyLayout<Set>;
    VALGRIND_MAKE_MEM_UNDEFINED(buffers.private_key.data() + Layout::K, 32);
    VALGRIND_MAKE_MEM_UNDEFINED(buffers.private_key.data() + Layout::s1,
                                Set::private_key_size - Layout::s1);
}

// A key that valgrind watches must not even be copied to where it may be printed: the answer only.
template <class Set>
void report(const char* what, bool good) {
    std::fprintf(stderr, "%s k=%zu: %s\n", what, Set::k, good ? "done" : "refused");
    if (!good) std::exit(1);
}

template <class Set, class Backend>
void check_keygen() {
    Buffers<Set> buffers;
    make_keys<Set, Backend>(buffers, true);
    report<Set>("keygen", buffers.public_key != decltype(buffers.public_key){});
}

template <class Set, class Backend>
void check_sign() {
    Buffers<Set> buffers;
    make_keys<Set, Backend>(buffers, false);
    hide(buffers);
    std::array<std::uint8_t, 32> randomness{};
    VALGRIND_MAKE_MEM_UNDEFINED(randomness.data(), randomness.size());
    const auto workspace = std::make_unique<SignWorkspace<Set, Backend>>();
    // Several, so that attempts are refused for each reason.
    for (std::uint8_t i = 0; i < 5; ++i) {
        const std::array<std::uint8_t, 1> message{i};
        const Result<void> result = sign<Set, Backend>(buffers.private_key, message, {}, randomness,
                                                       buffers.signature, *workspace);
        report<Set>("sign", result.has_value());
    }
    const auto verify_workspace = std::make_unique<VerifyWorkspace<Set, Backend>>();
    const std::array<std::uint8_t, 1> message{4};
    report<Set>("verify", verify<Set, Backend>(buffers.public_key, message, {}, buffers.signature,
                                               *verify_workspace)
                              .has_value());
}

template <class Set>
void check_sign_low_memory() {
    Buffers<Set> buffers;
    make_keys<Set, Portable>(buffers, false);
    hide(buffers);
    std::array<std::uint8_t, 32> randomness{};
    VALGRIND_MAKE_MEM_UNDEFINED(randomness.data(), randomness.size());
    const auto workspace = std::make_unique<LowMemorySignWorkspace<Set>>();
    for (std::uint8_t i = 0; i < 5; ++i) {
        const Mu mu{{i}};
        const Result<void> result = sign_mu_low_memory<Set>(buffers.private_key, mu, randomness,
                                                            buffers.signature, *workspace);
        report<Set>("sign_low_memory", result.has_value());
    }
}

void leak() {
    Buffers<Set44> buffers;
    make_keys<Set44, Portable>(buffers, true);
    report<Set44>("leak", buffers.private_key[PrivateKeyLayout<Set44>::s1] != 1);
}

template <template <class, class> class Check, class Backend>
void all_sets() {
    Check<Set44, Backend>()();
    Check<Set65, Backend>()();
    Check<Set87, Backend>()();
}
template <class Set, class Backend>
struct Keygen {
    void operator()() const { check_keygen<Set, Backend>(); }
};
template <class Set, class Backend>
struct Sign {
    void operator()() const { check_sign<Set, Backend>(); }
};

void sign_low_memory() {
    check_sign_low_memory<Set44>();
    check_sign_low_memory<Set65>();
    check_sign_low_memory<Set87>();
}

bool run(std::string_view what) {
    if (what == "keygen_portable") return all_sets<Keygen, Portable>(), true;
    if (what == "sign_portable") return all_sets<Sign, Portable>(), true;
    if (what == "sign_low_memory") return sign_low_memory(), true;
    if (what == "leak") return leak(), true;
    if constexpr (avx2_is_built) {
        if (what == "keygen_avx2") return all_sets<Keygen, Avx2>(), true;
        if (what == "sign_avx2") return all_sets<Sign, Avx2>(), true;
    }
    return false;
}

}  // namespace
}  // namespace quoin::core::ml_dsa

int main(int argument_count, char** arguments) {
    return quoin::core::test::run_check(argument_count, arguments, quoin::core::ml_dsa::run);
}
