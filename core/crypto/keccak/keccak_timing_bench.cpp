// The permutations of the Avx512 backend by statistics, see test_timing.hpp. A planted leak shows
// what a leak looks like.
#include <cstring>

#include "core/crypto/keccak/eight.hpp"
#include "core/crypto/keccak/keccak.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_timing.hpp"

namespace quoin::core::keccak {
namespace {

template <class States>
bool report(const char* operation) {
    using Bytes = std::array<std::uint8_t, sizeof(States)>;
    [[maybe_unused]] volatile std::uint64_t sink = 0;
    const auto run = [&](const Bytes& bytes) {
        States states;
        std::memcpy(&states, bytes.data(), bytes.size());
        permute(states);
        sink = states.lanes[0][0];
    };
    const double ours = test::t_of<Bytes>(run);
    const double leak = test::t_of<Bytes>([&](const Bytes& bytes) {
        run(bytes);
        State<Avx2> one;
        if (bytes[0] % 2 == 1) permute(one);
        sink = one.lanes[0];
    });
    return test::report_timing(operation, "states", ours, leak);
}

}  // namespace
}  // namespace quoin::core::keccak

int main() {
    using namespace quoin::core;
    if (!test::has_avx512()) {
        std::puts("NOT RUN: this processor has no AVX-512");
        return 0;
    }
    bool seen = keccak::report<keccak::FourStates<Avx512>>("Keccak-f[1600], four states, AVX-512");
    seen &= keccak::report<keccak::EightStates>("Keccak-f[1600], eight states, AVX-512");
    return seen ? 0 : 1;
}
