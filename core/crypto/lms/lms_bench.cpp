// Speed of LMS_SHA256_M32_H10 W4 by backend, beside Botan 3 where it has the operation: a line of
// JSON each. SHA-256 of OpenSSL is measured too: it is what the reference code hashes with.
#include <fmt/format.h>

#include <optional>

#include "core/crypto/lms/test_signer.hpp"
#include "core/crypto/test_cpu.hpp"
// tidy: allow(layers) a measurement stands beside what the hosts use
#include "host/crypto/speed.hpp"

namespace quoin::core::lms {
namespace {

namespace speed = crypto::speed;

constexpr Level level{10, 4};

void print(const speed::Outcome& outcome, std::string_view peer = "openssl") {
    fmt::print("{}\n", speed::json_line(outcome, peer));
}

template <class Backend>
void measure(const char* name) {
    if (!test::runs_here<Backend>()) return;
    TestKey<Sha256M32, Backend> key({level}, ByteVector(16, 1), ByteVector(32, 2));
    const ByteVector message(32, 3);
    std::vector<ByteVector> signatures;
    for (std::uint64_t i = 0; i < 64; ++i) signatures.push_back(*key.sign(i, message));
    std::size_t next = 0;
    bool good = true;
    print(speed::compare(
        fmt::format("LMS_SHA256_M32_H10 W4 verify {}", name),
        [&] {
            const ByteVector& signature = signatures[next++ % signatures.size()];
            good &= verify<Sha256M32, Backend>(key.public_key, message, signature).has_value();
        },
        {}));
    // A signer signs with each index once: after the last one, a new signer of the same nodes.
    std::optional<Signer<Sha256M32, Backend>> signer;
    std::uint64_t index = 1024;
    ByteVector signature(signatures[0].size());
    print(speed::compare(fmt::format("LMS_SHA256_M32_H10 W4 sign {}", name),
                         [&] {
                             if (index == 1024) {
                                 signer.emplace(key.key, key.storage);
                                 good &= signer->open().has_value();
                                 index = 0;
                             }
                             auto block = Reservation::danger_already_durable(index++, 1);
                             good &= signer->sign(*block.take(), message, signature).has_value();
                         },
                         {}));
    const auto top = top_tree(key.key, key.storage);
    print(speed::compare(fmt::format("LMS_SHA256_M32_H10 W4 keygen {}", name),
                         [&] {
                             fill_leaves<Sha256M32, Backend>(top, 0, 1024);
                             finish_tree<Sha256M32, Backend>(top);
                         },
                         {}));
    if (!good) fmt::print(stderr, "something failed: the numbers above mean nothing\n");
}

// A template, so that other targets do not need what they do not build.
template <class First>
void measure_all() {
    measure<First>("portable");
    if constexpr (avx2_is_built) {
        measure<Avx2>("avx2");
        measure<ShaNi>("sha-ni");
    }
}

}  // namespace
}  // namespace quoin::core::lms

int main() { quoin::core::lms::measure_all<quoin::core::Portable>(); }
