// ML-DSA-44 signing of the Avx512 backend by statistics, see test_timing.hpp. Planted leaks show
// what a leak looks like.
//
// How often a signature is tried depends on the mask, by design, and would hide everything else:
// the inputs are chosen so that the first attempt passes. One key or any key then, each with its
// own messages, so that what is public (challenge, hints) varies in the same way. All keys have the
// same rho: the matrix that follows from it is public and takes its own time. Attempts that are
// refused are not looked at; they run the same code up to where they are refused.
#include <memory>

#include "core/crypto/ml_dsa/avx2.hpp"
#include "core/crypto/ml_dsa/sign_body.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_timing.hpp"

namespace quoin::core::ml_dsa {
namespace {

using Set = Set44;
using KeyBytes = std::array<std::uint8_t, Set::private_key_size>;
using SignatureBytes = std::array<std::uint8_t, Set::signature_size>;

// What signing gets.
struct Input {
    KeyBytes key{};
    Mu mu{};
};

class Bench {
public:
    bool run() {
        const KeyBytes one = key();
        std::vector<Input> fixed;
        std::vector<Input> varied;
        for (std::size_t i = 0; i < pool_size; ++i) {
            fixed.push_back(input_of(one));
            varied.push_back(input_of(key()));
        }
        bool seen = masks();
        seen &= loading(fixed, varied);
        seen &= signing(fixed, varied);
        return seen;
    }

private:
    // Enough that the means of what is public and varies do not differ by chance.
    static constexpr std::size_t pool_size = 2048;

    template <class Bytes>
    void fill(Bytes&& bytes) {
        for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(generator_());
    }

    // Of its own seed but for rho, which signing only expands.
    KeyBytes key() {
        Seed xi;
        fill(xi.expose_to_fill());
        std::array<std::uint8_t, Set::public_key_size> unused{};
        KeyBytes bytes{};
        keygen<Set, Avx512>(xi, unused, bytes, keygen_workspace_);
        std::ranges::fill(std::span(bytes).first<32>(), std::uint8_t{1});
        return bytes;
    }

    // With a message that is signed by the first attempt.
    Input input_of(const KeyBytes& key) {
        Input input{key, {}};
        auto& [loaded, scratch] = sign_workspace_;
        if (!load_key<Set, Avx512>(loaded, key)) std::abort();
        do {
            fill(input.mu.bytes);
        } while (!first_attempt_passes(input.mu));
        return input;
    }

    bool first_attempt_passes(const Mu& mu) {
        auto& [loaded, scratch] = sign_workspace_;
        std::array<std::uint8_t, 64> seed{};
        mask_seed<Avx512>(seed, loaded.secrets.K, deterministic, mu);
        SignatureBytes signature{};
        Signer<Set, Avx512> signer{loaded, signature, scratch};
        signer.commit(seed, 0, mu);
        return signer.respond();
    }

    // About 1 % of a signature.
    void leak() {
        std::array<std::uint8_t, 32> digest{};
        keccak::Shake256<Avx512>::digest(digest, std::array<std::uint8_t, 500>{});
        sink_ = digest[0];
    }

    bool masks() {
        using MaskSeed = std::array<std::uint8_t, 64>;
        const auto expand = [this](const MaskSeed& seed) {
            std::size_t held = 0;
            auto& y = sign_workspace_.scratch.secrets.y;
            Sampler<Set, Avx512>::expand_mask(y.data(), held, seed, 0);
            sink_ = static_cast<std::uint8_t>(y[0].c[0]);
        };
        const double leaking = test::t_of<MaskSeed>([&](const MaskSeed& seed) {
            expand(seed);
            if (seed[0] % 2 == 1) leak();
        });
        return test::report_timing("ML-DSA-44 mask sampling, AVX-512", "rho''",
                                   test::t_of<MaskSeed>(expand), leaking);
    }

    bool loading(const std::vector<Input>& fixed, const std::vector<Input>& varied) {
        const auto load = [this](const Input& input) {
            sink_ = load_key<Set, Avx512>(sign_workspace_.key, input.key) ? 1 : 0;
        };
        return report("ML-DSA-44 key loading, AVX-512", fixed, varied, load);
    }

    bool signing(const std::vector<Input>& fixed, const std::vector<Input>& varied) {
        const auto sign = [this](const Input& input) {
            SignatureBytes signature{};
            sink_ =
                sign_mu<Set, Avx512>(input.key, input.mu, deterministic, signature, sign_workspace_)
                    ? 1
                    : 0;
        };
        return report("ML-DSA-44 sign, one attempt, AVX-512", fixed, varied, sign);
    }

    template <class Operation>
    bool report(const char* title, const std::vector<Input>& fixed,
                const std::vector<Input>& varied, Operation operation) {
        constexpr std::size_t at = PrivateKeyLayout<Set>::K;
        const double leaking = test::t_between(fixed, varied, [&](const Input& input) {
            operation(input);
            if ((input.key[at] ^ fixed[0].key[at]) % 2 == 1) leak();
        });
        return test::report_timing(title, "K, s1, s2, t0",
                                   test::t_between(fixed, varied, operation), leaking);
    }

    std::mt19937_64 generator_{2};
    KeygenWorkspace<Set, Avx512> keygen_workspace_;
    SignWorkspace<Set, Avx512> sign_workspace_;
    volatile std::uint8_t sink_ = 0;
};

}  // namespace
}  // namespace quoin::core::ml_dsa

int main() {
    using namespace quoin::core;
    if (!test::has_avx512()) {
        std::puts("NOT RUN: this processor has no AVX-512");
        return 0;
    }
    const auto bench = std::make_unique<ml_dsa::Bench>();
    return bench->run() ? 0 : 1;
}
