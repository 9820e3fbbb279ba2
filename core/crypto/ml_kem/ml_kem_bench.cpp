// ML-KEM beside OpenSSL's, whose key objects have the matrix and H(ek) at hand: its encapsulation
// does less than ours. usage: ml_kem_bench [rounds]
#include <cstdio>
#include <cstdlib>

#include "core/crypto/ml_kem/fixture.hpp"
// tidy: allow(layers) because a benchmark compares with what hosts have
#include "host/crypto/speed.hpp"

namespace quoin::core::ml_kem {
namespace {

namespace speed = quoin::crypto::speed;
using test::ByteVector;

template <class Set, class Backend>
void run(const char* backend, speed::Options options) {
    using Our = fixture::Ours<Set, Backend>;
    const ByteVector seed(32, 7);
    const fixture::Theirs<Set> theirs(seed, seed);
    const ByteVector ek = theirs.ek();
    const ByteVector dk = theirs.dk();
    const ByteVector ciphertext = theirs.encapsulate(seed).ciphertext;
    const std::string name = std::string(fixture::name<Set>) + " ";
    const auto show = [&](const std::string& what, const auto& ours, const auto& peer) {
        const speed::Outcome outcome = speed::compare(name + what + backend, ours, peer, options);
        std::printf("%s\n", speed::json_line(outcome).c_str());
        std::fflush(stdout);
    };
    show(
        "keygen", [&] { Our::generate(seed, seed); },
        [&] { const fixture::Theirs<Set> fresh(seed, seed); });
    show("encaps", [&] { Our::encapsulate(ek, seed); }, [&] { theirs.encapsulate(seed); });
    show(
        "decaps", [&] { Our::decapsulate_unchecked(dk, ciphertext); },
        [&] { theirs.decapsulate(ciphertext); });
}

template <class Backend>
void run_sets(const char* backend, speed::Options options) {
    run<Set768, Backend>(backend, options);
    run<Set512, Backend>(backend, options);
    run<Set1024, Backend>(backend, options);
}

}  // namespace
}  // namespace quoin::core::ml_kem

int main() {
    const quoin::crypto::speed::Options options;
    using namespace quoin::core;
    if constexpr (avx2_is_built) {
        if (__builtin_cpu_supports("avx512vl") != 0) ml_kem::run_sets<Avx512>("", options);
        if (__builtin_cpu_supports("avx2") != 0) ml_kem::run_sets<Avx2>(" (avx2)", options);
    }
    ml_kem::run_sets<Portable>(" (portable)", options);
    return 0;
}
