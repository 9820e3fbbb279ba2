// The ShaNi backend's one-time keys by statistics, see test_timing.hpp: their public keys, which
// are what a tree is made of, and their signatures of one fixed digest, for how far its chains run
// is public. Planted leaks show what a leak looks like.
#include "core/crypto/lms/signer_impl.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_timing.hpp"

namespace quoin::core::lms {
namespace {

using Family = Sha256M32;
using SeedBytes = std::array<std::uint8_t, Family::n>;

constexpr Level level{5, 4};
std::array<std::uint8_t, tree_size<Family>(level)> nodes;
volatile std::uint8_t sink = 0;

template <class Operation>
bool report(const char* title, Operation operation) {
    constexpr std::size_t measurements = 100'000;
    const auto run = [&](const SeedBytes& seed) {
        TreeSecret<Family> secret;
        secret.seed = seed;
        operation(Tree<Family>{level, secret, nodes});
    };
    const double ours = test::t_of<SeedBytes>(run, measurements);
    const double leak = test::t_of<SeedBytes>(
        [&](const SeedBytes& seed) {
            run(seed);
            for (unsigned i = 0; i < seed[0] % 4; ++i) sink = sha2::Sha256::of(seed)[0];
        },
        measurements);
    return test::report_timing(title, "seed", ours, leak);
}

bool run() {
    bool seen = report("LMS W4 leaf, SHA-NI", [](const Tree<Family>& tree) {
        fill_leaves<Family, ShaNi>(tree, 0, 1);
        sink = nodes.back();
    });
    const SeedBytes digest = sha2::Sha256::of(bytes_of("message"));
    static std::array<std::uint8_t, winternitz(Family::n, level.w).chains * Family::n> y;
    seen &= report("LMS W4 one-time signature, SHA-NI", [&](const Tree<Family>& tree) {
        sign_digest<Family, ShaNi>(tree, 0, digest, y);
        sink = y[0];
    });
    return seen;
}

}  // namespace
}  // namespace quoin::core::lms

int main() {
    if (!quoin::core::test::has_sha()) {
        std::puts("NOT RUN: this processor has no SHA instructions");
        return 0;
    }
    return quoin::core::lms::run() ? 0 : 1;
}
