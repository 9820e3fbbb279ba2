// Run under valgrind by ctest, secrets marked undefined: nothing may branch or index on them.
// usage: ml_kem_constant_time_check OPERATION_BACKEND | leak. Avx512 is Avx2's code but for the
// permutation, which valgrind cannot run.
#include <cstdio>
#include <string_view>

#include "core/crypto/ml_kem/ml_kem.hpp"
#include "core/crypto/test_valgrind.hpp"

namespace quoin::core::ml_kem {
namespace {

using Bytes32 = std::array<std::uint8_t, 32>;

template <class Set, class Backend>
struct Run {
    std::array<std::uint8_t, Set::encapsulation_key_size> ek{};
    std::array<std::uint8_t, Set::decapsulation_key_size> dk{};
    std::array<std::uint8_t, Set::ciphertext_size> ciphertext{};
    Bytes32 secret{};
    Workspace<Set, Backend> workspace{};

    void generate() {
        Bytes32 d{1, 2, 3};
        Bytes32 z{4, 5, 6};
        test::make_secret(d);
        test::make_secret(z);
        ml_kem::generate<Set, Backend>(ek, dk, d, z, workspace);
        test::publish(ek);
        test::publish(dk);
    }
    void encapsulate() {
        Bytes32 m{7, 8, 9};
        test::make_secret(m);
        ml_kem::encapsulate<Set, Backend>(
            secret, ciphertext, EncapsulationKey<Set>::danger_unchecked(ek), m, workspace);
        test::publish(ciphertext);
    }
    void decapsulate() {
        test::make_secret(dk);
        // The encapsulation key in it is public, and its hash.
        VALGRIND_MAKE_MEM_DEFINED(dk.data() + 384 * Set::k, Set::encapsulation_key_size + 32);
        ml_kem::decapsulate<Set, Backend>(secret, DecapsulationKey<Set>::danger_unchecked(dk),
                                          ciphertext, workspace);
    }
};

template <class Set, class Backend>
void check(std::string_view operation) {
    static Run<Set, Backend> run;
    run.generate();
    if (operation == "generate") return;
    run.encapsulate();
    if (operation == "encapsulate") return test::publish(run.secret);
    run.decapsulate();
    if (operation == "leak" && run.secret[0] == 0) std::fputs("zero\n", stderr);
    test::publish(run.secret);
    run.ciphertext[3] ^= 1;  // implicit rejection
    run.decapsulate();
    test::publish(run.secret);
}

template <class Backend>
void check_sets(std::string_view operation) {
    check<Set512, Backend>(operation);
    check<Set768, Backend>(operation);
    check<Set1024, Backend>(operation);
}

bool run(std::string_view what) {
    if (what == "leak") return check_sets<Portable>(what), true;
    const std::size_t end = what.find('_');
    if (end == std::string_view::npos) return false;
    const std::string_view operation = what.substr(0, end);
    const std::string_view backend = what.substr(end + 1);
    if (operation != "generate" && operation != "encapsulate" && operation != "decapsulate") {
        return false;
    }
    if (backend == "portable") return check_sets<Portable>(operation), true;
    if constexpr (avx2_is_built) {
        if (backend == "avx2") return check_sets<Avx2>(operation), true;
    }
    return false;
}

}  // namespace
}  // namespace quoin::core::ml_kem

int main(int argument_count, char** arguments) {
    return quoin::core::test::run_check(argument_count, arguments, quoin::core::ml_kem::run);
}
