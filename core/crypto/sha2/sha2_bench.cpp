// SHA-2 beside OpenSSL: one JSON line a measurement.
#include <openssl/evp.h>

#include <cstdio>

#include "core/crypto/sha2/sha2.hpp"
#include "core/crypto/test_cpu.hpp"
// tidy: allow(layers) a measurement stands beside what the hosts use
#include "host/crypto/speed.hpp"

namespace quoin::core::sha2 {
namespace {

template <class Hash>
void compare(const char* name, const EVP_MD* peer, std::size_t size) {
    const std::vector<std::uint8_t> message(size, 0x5a);
    std::array<std::uint8_t, 64> digest{};
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    const auto outcome = crypto::speed::compare(
        fmt::format("{} {} bytes", name, size), [&] { digest[0] ^= Hash::of(message)[0]; },
        [&] {
            EVP_DigestInit_ex2(context, peer, nullptr);
            EVP_DigestUpdate(context, message.data(), message.size());
            EVP_DigestFinal_ex(context, digest.data(), nullptr);
        });
    EVP_MD_CTX_free(context);
    std::puts(crypto::speed::json_line(outcome).c_str());
}

template <class Set, class Backend = Portable>
void measure(const char* name, const EVP_MD* peer, std::size_t size) {
    if constexpr (test::is_built<Backend>) {
        if (test::runs_here<Backend>()) compare<Hash<Set, Backend>>(name, peer, size);
    }
}

}  // namespace
}  // namespace quoin::core::sha2

int main() {
    using namespace quoin::core;
    for (const std::size_t size : {std::size_t{55}, std::size_t{16384}}) {
        sha2::measure<sha2::Set256>("SHA-256 portable", EVP_sha256(), size);
        sha2::measure<sha2::Set512>("SHA-512 portable", EVP_sha512(), size);
        sha2::measure<sha2::Set256, ShaNi>("SHA-256 SHA-NI", EVP_sha256(), size);
    }
}
