// Speed of LMS_SHA256_M32_H10 W4 by backend: a line of JSON each.
//
// verify stands beside Botan 3. verify and sign also stand beside their bare hashes by OpenSSL's
// SHA-256: as many blocks as must be hashed and nothing else, which the reference code (it hashes
// with OpenSSL, by these calls) cannot beat. Botan's sign is left out: it builds the tree each
// time.
#define OPENSSL_SUPPRESS_DEPRECATED  // the functions that the reference code calls

#include <botan/hss_lms.h>
#include <botan/pubkey.h>
#include <fmt/format.h>
#include <openssl/sha.h>

#include <optional>

#include "core/crypto/lms/test_signer.hpp"
#include "core/crypto/test_cpu.hpp"
// tidy: allow(layers) a measurement stands beside what the hosts use
#include "host/crypto/speed.hpp"

namespace quoin::core::lms {
namespace {

namespace speed = crypto::speed;

constexpr Level level{10, 4};
constexpr const char* bare = "openssl_bare_hashes";
// On average: 67 chains of 7.5 steps, 34 blocks for K, 20 for the path, 1 leaf, 2 for the message.
constexpr int hashes_of_verify = 559;
// 67 secrets, 67 chains of 7.5 steps, 3 for C and the message.
constexpr int hashes_of_sign = 572;

// Hashes of strings of 55 bytes, a block each.
void bare_hashes(int count) {
    std::array<std::uint8_t, 64> bytes{};
    for (int i = 0; i < count; ++i) {
        SHA256_CTX state;
        SHA256_Init(&state);
        SHA256_Update(&state, bytes.data(), 55);
        SHA256_Final(&bytes[23], &state);
    }
}

void print(const speed::Outcome& outcome, std::string_view peer) {
    fmt::print("{}\n", speed::json_line(outcome, peer));
}

template <class Backend>
class Bench {
public:
    explicit Bench(const char* name) : name_(name) {
        for (std::uint64_t i = 0; i < 64; ++i) signatures_.push_back(*key_.sign(i, message_));
    }

    void verify_speed() {
        const Botan::HSS_LMS_PublicKey botan_key(key_.public_key);
        Botan::PK_Verifier botan(botan_key, "");
        const auto ours = [&] {
            good_ &= verify<Sha256M32, Backend>(key_.public_key, message_, next()).has_value();
        };
        const auto theirs = [&] { good_ &= botan.verify_message(message_, next()); };
        const std::string title = fmt::format("LMS_SHA256_M32_H10 W4 verify {}", name_);
        print(speed::compare(title, ours, theirs), "botan");
        print(speed::compare(title, ours, [] { bare_hashes(hashes_of_verify); }), bare);
    }

    void sign_speed() {
        // A signer signs with each index once: after the last one, a new signer of the same nodes.
        std::optional<Signer<Sha256M32, Backend>> signer;
        std::uint64_t index = 1024;
        ByteVector signature(signatures_[0].size());
        const auto ours = [&] {
            if (index == 1024) {
                signer.emplace(key_.key, key_.storage);
                good_ &= signer->open().has_value();
                index = 0;
            }
            auto block = Reservation::danger_already_durable(index++, 1);
            good_ &= signer->sign(*block.take(), message_, signature).has_value();
        };
        const std::string title = fmt::format("LMS_SHA256_M32_H10 W4 sign {}", name_);
        print(speed::compare(title, ours, [] { bare_hashes(hashes_of_sign); }), bare);
    }

    void keygen_speed() {
        const auto top = top_tree(key_.key, key_.storage);
        const auto ours = [&] {
            fill_leaves<Sha256M32, Backend>(top, 0, 1024);
            finish_tree<Sha256M32, Backend>(top);
        };
        print(speed::compare(fmt::format("LMS_SHA256_M32_H10 W4 keygen {}", name_), ours, {}), "");
    }

    bool good() const { return good_; }

private:
    const ByteVector& next() { return signatures_[next_++ % signatures_.size()]; }

    const char* name_;
    TestKey<Sha256M32, Backend> key_{{level}, ByteVector(16, 1), ByteVector(32, 2)};
    ByteVector message_ = ByteVector(32, 3);
    std::vector<ByteVector> signatures_;
    std::size_t next_ = 0;
    bool good_ = true;
};

template <class Backend>
bool measure(const char* name) {
    if (!test::runs_here<Backend>()) return true;
    Bench<Backend> bench(name);
    bench.verify_speed();
    bench.sign_speed();
    bench.keygen_speed();
    if (!bench.good()) fmt::print("something failed: the numbers mean nothing\n");
    return bench.good();
}

// A template, so that other targets do not need what they do not build.
template <class First>
bool measure_all() {
    bool good = measure<First>("portable");
    if constexpr (avx2_is_built) {
        good &= measure<Avx2>("avx2");
        good &= measure<ShaNi>("sha-ni");
    }
    return good;
}

}  // namespace
}  // namespace quoin::core::lms

int main() { return quoin::core::lms::measure_all<quoin::core::Portable>() ? 0 : 1; }
