// Run under valgrind by ctest, private keys marked undefined: nothing may branch or index by them.
// usage: curve25519_constant_time_check x25519_25 | x25519_51 | ed25519_25 | ed25519_51 | leak
#include <array>

#include "core/crypto/curve25519/ed25519.hpp"
#include "core/crypto/curve25519/edwards.hpp"
#include "core/crypto/curve25519/x25519.hpp"
#include "core/crypto/test_valgrind.hpp"

namespace quoin::core {
namespace {

using Key = std::array<std::uint8_t, 32>;

template <class Field>
void check_x25519() {
    const auto mine = test::secret<Key>(1), peers = test::secret<Key>(9);
    Key public_key{}, shared{};
    x25519::public_key<Field>(mine, public_key);
    const bool derived = x25519::shared_secret<Field>(mine, peers, shared).has_value();
    std::fprintf(stderr, "%d\n", derived ? 1 : 0);
    test::publish(public_key);
    test::publish(shared);
}

template <class Field>
void check_ed25519() {
    const auto seed = test::secret<Key>(1), message = test::secret<Key>(2);
    const ed25519::PrivateKey<Field> key(seed);
    std::array<std::uint8_t, 64> signature{};
    key.sign(message, signature);
    test::publish(signature);
}

#if defined(__SIZEOF_INT128__)
void check_x25519_51() { check_x25519<curve25519::Field51>(); }
void check_ed25519_51() { check_ed25519<curve25519::Field51>(); }
#else
void check_x25519_51() {}
void check_ed25519_51() {}
#endif

// The digits of a secret scalar that are for public ones: valgrind must find it.
void leak() {
    const auto scalar = test::secret<curve25519::Scalar>(1);
    auto digits = curve25519::sparse_digits(scalar);
    std::fprintf(stderr, "%d\n", digits[0] == 0 ? 1 : 0);
}

bool run(std::string_view what) {
    if (what == "x25519_25") return check_x25519<curve25519::Field25>(), true;
    if (what == "ed25519_25") return check_ed25519<curve25519::Field25>(), true;
    if (what == "x25519_51") return check_x25519_51(), true;
    if (what == "ed25519_51") return check_ed25519_51(), true;
    if (what == "leak") return leak(), true;
    return false;
}

}  // namespace
}  // namespace quoin::core

int main(int argument_count, char** arguments) {
    return quoin::core::test::run_check(argument_count, arguments, quoin::core::run);
}
