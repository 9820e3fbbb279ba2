// Falcon beside a verification of ECDSA P-256 by OpenSSL, which has no Falcon: the yardstick of the
// goals. One line of JSON for each operation. usage: falcon_bench [portable | avx2 | integer]
#include <openssl/ec.h>
#include <openssl/evp.h>

#include <cstdio>
#include <memory>
#include <string_view>
#include <vector>

#include "core/crypto/falcon/keygen.hpp"
#include "core/crypto/falcon/signing.hpp"
// tidy: allow(layers) because a benchmark compares with what hosts have
#include "host/crypto/speed.hpp"

namespace quoin::core::falcon {
namespace {

namespace speed = quoin::crypto::speed;

// Checks its own signature of 32 bytes, again and again.
class Ecdsa {
public:
    Ecdsa()
        : key_(EVP_EC_gen("P-256"), &EVP_PKEY_free), context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
        EVP_DigestSignInit(context_.get(), nullptr, EVP_sha256(), nullptr, key_.get());
        std::size_t size = signature_.size();
        EVP_DigestSign(context_.get(), signature_.data(), &size, message_.data(), message_.size());
        signature_.resize(size);
    }
    void verify() {
        EVP_MD_CTX_reset(context_.get());
        EVP_DigestVerifyInit(context_.get(), nullptr, EVP_sha256(), nullptr, key_.get());
        if (EVP_DigestVerify(context_.get(), signature_.data(), signature_.size(), message_.data(),
                             message_.size()) != 1) {
            std::abort();
        }
    }

private:
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
    std::array<std::uint8_t, 32> message_{};
    std::vector<std::uint8_t> signature_ = std::vector<std::uint8_t>(80);
};

template <class Set, class Backend>
class Bench {
    // Verification by Integer is that of Portable; keys are made by Portable.
    using Public = std::conditional_t<std::is_same_v<Backend, Integer>, Portable, Backend>;
    using Maker = std::conditional_t<std::is_same_v<Backend, Avx2>, Portable, Backend>;

public:
    void run() {
        keygen();
        sign();
        verify();
    }

private:
    static constexpr int keys = 16;  // one call: as many candidates as it takes, on average

    template <class Work>
    void compare(const std::string& what, int calls, Work work) {
        speed::Outcome outcome = speed::compare("Falcon-" + std::to_string(Set::n) + ' ' + what,
                                                work, [&] { ecdsa_.verify(); });
        outcome.ours_us /= calls;
        std::puts(speed::json_line(outcome).c_str());
        std::fflush(stdout);
    }

    void keygen() {
        const auto workspace = std::make_unique<KeygenWorkspace<Set, Maker>>();
        compare("keygen", keys, [&] {
            for (std::uint8_t i = 0; i < keys; ++i) {
                std::array<std::uint8_t, 48> bytes{i};
                const Seed seed{std::span(bytes)};
                if (!falcon::keygen<Set, Maker>(seed, public_key_, private_key_, *workspace)) {
                    std::abort();
                }
            }
        });
    }
    void sign() {
        const auto workspace = std::make_unique<SignWorkspace<Set, Backend>>();
        const auto scratch = std::make_unique<SignScratch<Set, Backend>>();
        const auto key = std::make_unique<LoadedPrivateKey<Set, Backend>>();
        if (!key->load(private_key_, *workspace)) std::abort();
        compare("sign", 1, [&] {
            ++randomness_[0];
            size_ = *falcon::sign<Set, Backend>(private_key_, message_, randomness_,
                                                Format::compressed, signature_, *workspace);
        });
        compare("sign, key loaded", 1, [&] {
            ++randomness_[0];
            size_ = *key->sign(message_, randomness_, Format::compressed, signature_, *scratch);
        });
    }
    void verify() {
        VerifyWorkspace<Set> workspace;
        LoadedPublicKey<Set, Public> key;
        if (!key.load(public_key_)) std::abort();
        const Bytes signature = Bytes(signature_).first(size_);
        compare("verify", 1, [&] {
            if (!falcon::verify<Set, Public>(public_key_, message_, signature, workspace))
                std::abort();
        });
        compare("verify, key loaded", 1, [&] {
            if (!key.verify(message_, signature, workspace)) std::abort();
        });
    }

    Ecdsa ecdsa_;
    std::array<std::uint8_t, Set::public_key_size> public_key_{};
    std::array<std::uint8_t, Set::private_key_size> private_key_{};
    std::array<std::uint8_t, Set::padded_signature_size> signature_{};
    std::array<std::uint8_t, randomness_size> randomness_{};
    std::array<std::uint8_t, 32> message_{};
    std::size_t size_ = 0;
};

template <class Backend>
void run_all() {
    Bench<Set512, Backend>().run();
    Bench<Set1024, Backend>().run();
}

}  // namespace
}  // namespace quoin::core::falcon

int main(int argument_count, char** arguments) {
    using namespace quoin::core;
    const std::string_view backend = argument_count == 2 ? arguments[1] : "avx2";
    if (backend == "portable") falcon::run_all<Portable>();
    if (backend == "integer") falcon::run_all<falcon::Integer>();
    if (backend == "avx2") falcon::run_all<Avx2>();
}
