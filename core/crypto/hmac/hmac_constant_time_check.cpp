// Run under valgrind by ctest, keys and messages marked undefined: nothing may branch or index by
// them. usage: hmac_constant_time_check sha256 | sha384 | sha512 | sha3_256 |
// hkdf | verify | leak
#include <array>

#include "core/crypto/hmac/hkdf.hpp"
#include "core/crypto/hmac/hmac.hpp"
#include "core/crypto/hmac/sha3.hpp"
#include "core/crypto/sha2/sha2.hpp"
#include "core/crypto/test_valgrind.hpp"

namespace quoin::core {
namespace {

using Secret = std::array<std::uint8_t, 200>;

template <class Hash>
std::array<std::uint8_t, Hash::digest_size> tag_of(Bytes key_bytes) {
    const auto message = test::secret<Secret>(2);
    const hmac::Key<Hash> key(key_bytes);
    hmac::Mac mac(key);
    mac.update(message);
    std::array<std::uint8_t, Hash::digest_size> tag{};
    mac.finish(tag);
    return tag;
}

// Keys shorter and longer than a block.
template <class Hash>
void check() {
    const auto key = test::secret<Secret>(1);
    for (const std::size_t size : {std::size_t{20}, std::size_t{200}}) {
        auto tag = tag_of<Hash>(Bytes(key).first(size));
        test::publish(tag);
    }
}

void check_hkdf() {
    const auto prk = test::secret<std::array<std::uint8_t, 32>>(1);
    std::array<std::uint8_t, 100> output{};
    hkdf::expand<sha2::Sha256, 100>(prk, {}, output);
    test::publish(output);
}

void check_verify() {
    const auto key_bytes = test::secret<Secret>(1);
    const hmac::Key<sha2::Sha256> key(key_bytes);
    hmac::Mac mac(key);
    const auto tag = test::secret<std::array<std::uint8_t, 32>>(3);
    std::array<std::uint8_t, 1> answer = {mac.verify(tag) ? std::uint8_t{1} : std::uint8_t{0}};
    test::publish(answer);
}

// Compares a tag with an early end: valgrind must find it.
void leak() {
    const auto key = test::secret<Secret>(1);
    const auto tag = tag_of<sha2::Sha256>(key);
    for (const std::uint8_t byte : tag) {
        if (byte != 0) break;
        std::fputs("zero\n", stderr);
    }
}

bool run(std::string_view what) {
    if (what == "sha256") return check<sha2::Sha256>(), true;
    if (what == "sha384") return check<sha2::Sha384>(), true;
    if (what == "sha512") return check<sha2::Sha512>(), true;
    if (what == "sha3_256") return check<hmac::Sha3<32>>(), true;
    if (what == "hkdf") return check_hkdf(), true;
    if (what == "verify") return check_verify(), true;
    if (what == "leak") return leak(), true;
    return false;
}

}  // namespace
}  // namespace quoin::core

int main(int argument_count, char** arguments) {
    return quoin::core::test::run_check(argument_count, arguments, quoin::core::run);
}
