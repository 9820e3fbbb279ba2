// ML-KEM-768 of the Avx512 backend by statistics, see test_timing.hpp. All keys have the same rho:
// the matrix that follows from it is public and takes its own time. Planted leaks show what a leak
// looks like.
#include <memory>

#include "core/crypto/ml_kem/kem.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_timing.hpp"

namespace quoin::core::ml_kem {
namespace {

using Set = Set768;
using Bytes32 = std::array<std::uint8_t, 32>;

struct KeyPair {
    std::array<std::uint8_t, Set::encapsulation_key_size> encapsulation{};
    std::array<std::uint8_t, Set::decapsulation_key_size> decapsulation{};
};

// What decapsulation gets.
struct Input {
    std::array<std::uint8_t, Set::decapsulation_key_size> key{};
    std::array<std::uint8_t, Set::ciphertext_size> ciphertext{};
};

class Bench {
public:
    bool run() {
        bool seen = keygen();
        seen &= encaps();
        seen &= decaps_of_keys();
        seen &= decaps_of_invalid();
        return seen;
    }

private:
    static constexpr std::size_t pool_size = 512;

    Bytes32 any_bytes() {
        Bytes32 bytes{};
        for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(generator_());
        return bytes;
    }

    // Algorithms 13 and 16 behind G.
    KeyPair keys_of(const Bytes32& sigma) {
        constexpr std::size_t own = 384 * Set::k;
        KeyPair keys;
        const std::span<std::uint8_t, Set::decapsulation_key_size> dk(keys.decapsulation);
        Pke<Set, Avx512>::generate(keys.encapsulation, dk.first<own>(), rho_, sigma, workspace_);
        copy(dk.subspan(own), keys.encapsulation);
        keccak::Sha3_256<Avx512>::digest(dk.subspan<own + Set::encapsulation_key_size, 32>(),
                                         keys.encapsulation);
        copy(dk.last<32>(), Bytes(z_));
        return keys;
    }

    Input input_of(const KeyPair& keys) {
        Input input{keys.decapsulation, {}};
        Bytes32 shared{};
        encapsulate<Set, Avx512>(shared, input.ciphertext,
                                 EncapsulationKey<Set>::danger_unchecked(keys.encapsulation),
                                 any_bytes(), workspace_);
        return input;
    }

    void decapsulate_into_sink(const Input& input) {
        Bytes32 shared{};
        decapsulate<Set, Avx512>(shared, DecapsulationKey<Set>::danger_unchecked(input.key),
                                 input.ciphertext, workspace_);
        sink_ = shared[0];
    }

    // A little more work.
    void leak() {
        Bytes32 digest{};
        keccak::Sha3_256<Avx512>::digest(digest, z_);
        sink_ = digest[0];
    }

    bool keygen() {
        const auto generate = [this](const Bytes32& sigma) {
            sink_ = keys_of(sigma).encapsulation[0];
        };
        const double leaking = test::t_of<Bytes32>([&](const Bytes32& sigma) {
            generate(sigma);
            if (sigma[0] % 2 == 1) leak();
        });
        return test::report_timing("ML-KEM-768 keygen, AVX-512", "sigma",
                                   test::t_of<Bytes32>(generate), leaking);
    }

    bool encaps() {
        const KeyPair keys = keys_of(any_bytes());
        const auto key = EncapsulationKey<Set>::danger_unchecked(keys.encapsulation);
        const auto seal = [&](const Bytes32& m) {
            Bytes32 shared{};
            std::array<std::uint8_t, Set::ciphertext_size> ciphertext{};
            encapsulate<Set, Avx512>(shared, ciphertext, key, m, workspace_);
            sink_ = shared[0];
        };
        const double leaking = test::t_of<Bytes32>([&](const Bytes32& m) {
            seal(m);
            if (m[0] % 2 == 1) leak();
        });
        return test::report_timing("ML-KEM-768 encaps, AVX-512", "m", test::t_of<Bytes32>(seal),
                                   leaking);
    }

    // One key or any key, valid ciphertexts.
    bool decaps_of_keys() {
        std::vector<Input> fixed;
        std::vector<Input> varied;
        const KeyPair one = keys_of(any_bytes());
        for (std::size_t i = 0; i < pool_size; ++i) {
            fixed.push_back(input_of(one));
            varied.push_back(input_of(keys_of(any_bytes())));
        }
        const auto open = [this](const Input& input) { decapsulate_into_sink(input); };
        const double leaking = test::t_between(fixed, varied, [&](const Input& input) {
            open(input);
            if ((input.key[0] ^ one.decapsulation[0]) % 2 == 1) leak();
        });
        return test::report_timing("ML-KEM-768 decaps, AVX-512", "dk",
                                   test::t_between(fixed, varied, open), leaking);
    }

    // One key and ciphertext, valid or with a bit that is not its own: implicit rejection. The leak
    // is a comparison that ends early.
    bool decaps_of_invalid() {
        const Input valid = input_of(keys_of(any_bytes()));
        const std::vector<Input> good(pool_size, valid);
        std::vector<Input> bad = good;
        for (Input& input : bad) {
            const auto bit = static_cast<std::size_t>(generator_() % (8 * Set::ciphertext_size));
            input.ciphertext[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        }
        const auto open = [this](const Input& input) { decapsulate_into_sink(input); };
        const double leaking = test::t_between(good, bad, [&](const Input& input) {
            open(input);
            std::size_t same = 0;
            while (same < Set::ciphertext_size &&
                   input.ciphertext[same] == valid.ciphertext[same]) {
                ++same;
            }
            sink_ = static_cast<std::uint8_t>(same);
        });
        return test::report_timing("ML-KEM-768 decaps, AVX-512", "is the ciphertext valid",
                                   test::t_between(good, bad, open), leaking);
    }

    std::mt19937_64 generator_{2};
    Workspace<Set, Avx512> workspace_;
    const Bytes32 rho_ = any_bytes();
    const Bytes32 z_ = any_bytes();
    volatile std::uint8_t sink_ = 0;
};

}  // namespace
}  // namespace quoin::core::ml_kem

int main() {
    using namespace quoin::core;
    if (!test::has_avx512()) {
        std::puts("NOT RUN: this processor has no AVX-512");
        return 0;
    }
    const auto bench = std::make_unique<ml_kem::Bench>();
    return bench->run() ? 0 : 1;
}
