// SHAKE and SHA-3 beside OpenSSL's, each backend. usage: keccak_bench [rounds]
#include <openssl/evp.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "core/crypto/keccak/keccak.hpp"
// tidy: allow(layers) because a benchmark compares with what hosts have
#include "host/crypto/speed.hpp"

namespace quoin::core::keccak {
namespace {

namespace speed = quoin::crypto::speed;
using Buffer = std::vector<std::uint8_t>;

void show(const char* name, const std::function<void()>& ours, const std::function<void()>& peer,
          speed::Options options) {
    const speed::Outcome outcome = speed::compare(name, ours, peer, options);
    std::printf("%s\n", speed::json_line(outcome).c_str());
    std::fflush(stdout);
}

template <class Backend>
void four_digests(Bytes message) {
    Shake256x4<Backend> xof;
    xof.absorb_common(message);
    std::array<std::array<std::uint8_t, 32>, 4> outputs{};
    xof.squeeze({outputs[0], outputs[1], outputs[2], outputs[3]});
}

void run(speed::Options options) {
    const Buffer message(16320);  // 120 blocks of SHA3-256
    std::array<std::uint8_t, 32> digest{};
    EVP_MD* sha3 = EVP_MD_fetch(nullptr, "SHA3-256", nullptr);
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    const auto openssl = [&] {
        EVP_DigestInit_ex2(context, sha3, nullptr);
        EVP_DigestUpdate(context, message.data(), message.size());
        EVP_DigestFinal_ex(context, digest.data(), nullptr);
    };
    const auto four = [&] {
        for (int i = 0; i < 4; ++i) openssl();
    };
    show(
        "SHA3-256 16 KiB (portable)", [&] { Sha3_256<>::digest(digest, message); }, openssl,
        options);
    show(
        "SHA3-256 16 KiB (interleaved)", [&] { Sha3_256<Interleaved>::digest(digest, message); },
        openssl, options);
    show(
        "SHA3-256 16 KiB (avx2)", [&] { Sha3_256<Avx2>::digest(digest, message); }, openssl,
        options);
    show("SHAKE256 x 4 16 KiB (avx2)", [&] { four_digests<Avx2>(message); }, four, options);
    if (__builtin_cpu_supports("avx512vl") != 0) {
        show("SHAKE256 x 4 16 KiB (avx512)", [&] { four_digests<Avx512>(message); }, four, options);
    }
    EVP_MD_CTX_free(context);
    EVP_MD_free(sha3);
}

}  // namespace
}  // namespace quoin::core::keccak

int main() {
    const quoin::crypto::speed::Options options;
    quoin::core::keccak::run(options);
    return 0;
}
