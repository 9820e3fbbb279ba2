// ML-DSA beside OpenSSL's, one line of JSON for each operation. OpenSSL's key objects hold decoded
// keys and H(pk), and expand A each time; ours begin with bytes, or are loaded with A.
// usage: ml_dsa_bench [portable |
// avx2 | avx512]
#include <cstdio>
#include <string_view>

#include "core/crypto/ml_dsa/fixture.hpp"
#include "core/crypto/ml_dsa/loaded.hpp"
// tidy: allow(layers) because a benchmark compares with what hosts have
#include "host/crypto/speed.hpp"

namespace quoin::core::ml_dsa::fixture {
namespace {

namespace speed = quoin::crypto::speed;

constexpr std::size_t messages = 128;

// Both sign the same messages without randomness: the same number of attempts. One call of each is
// all of them, as the attempts of one message say nothing.
template <class Set, class Backend>
class Bench {
public:
    void run() {
        keygen();
        sign();
        sign_loaded();
        verify();
        verify_loaded();
    }

private:
    static void report(speed::Outcome outcome, double calls) {
        outcome.ours_us /= calls;
        outcome.peer_us /= calls;
        std::puts(speed::json_line(outcome).c_str());
        std::fflush(stdout);
    }
    static std::string title(const char* what) {
        return std::string(Name<Set>::value) + " " + what;
    }

    void keygen() {
        const auto workspace = std::make_unique<KeygenWorkspace<Set, Backend>>();
        const Seed seed = seed_of(xi_);
        KeyPair<Set> pair;
        const std::span<std::uint8_t, Set::public_key_size> pk(pair.public_key);
        const std::span<std::uint8_t, Set::private_key_size> sk(pair.private_key);
        report(speed::compare(
                   title("keygen"), [&] { ml_dsa::keygen<Set, Backend>(seed, pk, sk, *workspace); },
                   [&] { const Theirs<Set> theirs(xi_); }),
               1);
    }
    void sign() {
        const auto ours = [&] {
            for (const ByteVector& message : messages_) {
                signature_ =
                    Ours<Set, Backend>::sign(pair_.private_key, message, {}, no_randomness);
            }
        };
        const auto theirs = [&] {
            for (const ByteVector& message : messages_) signature_ = theirs_.sign(message, {});
        };
        report(speed::compare(title("sign"), ours, theirs), messages);
    }
    void verify() {
        const ByteVector& message = messages_.front();
        const ByteVector signature =
            Ours<Set, Backend>::sign(pair_.private_key, message, {}, no_randomness);
        report(speed::compare(
                   title("verify"),
                   [&] { Ours<Set, Backend>::verify(pair_.public_key, message, {}, signature); },
                   [&] { theirs_.verify(message, {}, signature); }),
               1);
    }

    void sign_loaded() {
        const auto key = std::make_unique<LoadedPrivateKey<Set, Backend>>();
        const auto scratch = std::make_unique<SignScratch<Set, Backend>>();
        if (!key->load(pair_.sk())) std::abort();
        signature_.resize(Set::signature_size);
        const std::span<std::uint8_t, Set::signature_size> out(signature_);
        const auto ours = [&] {
            for (const ByteVector& message : messages_) {
                if (!key->sign(message, {}, deterministic, out, *scratch)) std::abort();
            }
        };
        const auto theirs = [&] {
            for (const ByteVector& message : messages_) theirs_.sign(message, {});
        };
        report(speed::compare(title("sign, key loaded"), ours, theirs), messages);
    }
    void verify_loaded() {
        const auto key = std::make_unique<LoadedPublicKey<Set, Backend>>();
        const auto scratch = std::make_unique<VerifyScratch<Set>>();
        key->load(pair_.pk());
        const ByteVector& message = messages_.front();
        const ByteVector signature =
            Ours<Set, Backend>::sign(pair_.private_key, message, {}, no_randomness);
        report(speed::compare(
                   title("verify, key loaded"),
                   [&] {
                       if (!key->verify(message, {}, Signature<Set>(signature), *scratch)) {
                           std::abort();
                       }
                   },
                   [&] { theirs_.verify(message, {}, signature); }),
               1);
    }

    const ByteVector xi_ = random_bytes(32);
    const KeyPair<Set> pair_ = Ours<Set, Backend>::keygen(xi_);
    const Theirs<Set> theirs_{xi_};
    const std::vector<ByteVector> messages_ = [] {
        std::vector<ByteVector> all(messages);
        for (ByteVector& message : all) message = random_bytes(32);
        return all;
    }();
    ByteVector signature_;
};

template <class Backend>
void run_all() {
    generator().seed(1);
    Bench<Set44, Backend>().run();
    Bench<Set65, Backend>().run();
    Bench<Set87, Backend>().run();
}

}  // namespace
}  // namespace quoin::core::ml_dsa::fixture

int main(int argument_count, char** arguments) {
    using namespace quoin::core;
    const std::string_view backend = argument_count == 2 ? arguments[1] : "avx2";
    if (backend == "portable") ml_dsa::fixture::run_all<Portable>();
    if (backend == "avx2") ml_dsa::fixture::run_all<Avx2>();
    if (backend == "avx512") ml_dsa::fixture::run_all<Avx512>();
}
