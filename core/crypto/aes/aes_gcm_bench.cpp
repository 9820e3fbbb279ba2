// AES-GCM beside OpenSSL: one JSON line a measurement. The key is set up before, on both sides.
#include <openssl/evp.h>

#include <cstdio>

#include "core/crypto/aes/aes_gcm.hpp"
#include "core/crypto/test_cpu.hpp"
// tidy: allow(layers) a measurement stands beside what the hosts use
#include "host/crypto/speed.hpp"

namespace quoin::core::aes_gcm {
namespace {

class Peer {
public:
    Peer(const EVP_CIPHER* cipher, const std::uint8_t* key, bool encrypts)
        : context_(EVP_CIPHER_CTX_new()), encrypts_(encrypts) {
        EVP_CipherInit_ex2(context_, cipher, key, nullptr, encrypts ? 1 : 0, nullptr);
    }
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    ~Peer() { EVP_CIPHER_CTX_free(context_); }

    void run(Iv iv, const std::vector<std::uint8_t>& in, std::vector<std::uint8_t>& out,
             std::span<std::uint8_t, tag_size> tag) {
        int size = 0;
        EVP_CipherInit_ex2(context_, nullptr, nullptr, iv.data(), -1, nullptr);
        EVP_CipherUpdate(context_, out.data(), &size, in.data(), static_cast<int>(in.size()));
        if (!encrypts_) EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_SET_TAG, 16, tag.data());
        EVP_CipherFinal_ex(context_, out.data() + size, &size);
        if (encrypts_) EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_GET_TAG, 16, tag.data());
    }

private:
    EVP_CIPHER_CTX* context_;
    bool encrypts_;
};

template <class Set, class Backend>
void measure(const char* name, std::size_t size) {
    constexpr std::array<std::uint8_t, Set::key_size> key = {1, 2, 3};
    constexpr std::array<std::uint8_t, iv_size> iv = {4, 5, 6};
    const EVP_CIPHER* const cipher = Set::key_size == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
    const std::vector<std::uint8_t> plaintext(size, 0x5a);
    std::vector<std::uint8_t> ciphertext(size), opened(size);
    std::array<std::uint8_t, tag_size> tag{};
    const Key<Set, Backend> ours(key);
    Peer sealer(cipher, key.data(), true), opener(cipher, key.data(), false);
    const auto seal = crypto::speed::compare(
        fmt::format("AES-{}-GCM {} seal {} bytes", 8 * Set::key_size, name, size),
        [&] {
            if (!ours.seal(iv, {}, plaintext, ciphertext, tag)) std::abort();
        },
        [&] { sealer.run(iv, plaintext, ciphertext, tag); });
    std::puts(crypto::speed::json_line(seal).c_str());
    const auto open = crypto::speed::compare(
        fmt::format("AES-{}-GCM {} open {} bytes", 8 * Set::key_size, name, size),
        [&] {
            if (!ours.open(iv, {}, ciphertext, tag, opened)) std::abort();
        },
        [&] { opener.run(iv, ciphertext, opened, tag); });
    std::puts(crypto::speed::json_line(open).c_str());
}

template <class Backend>
void measure_all(const char* name) {
    if constexpr (test::is_built<Backend>) {
        if (!test::runs_here<Backend>()) return;
        for (const std::size_t size : {std::size_t{64}, std::size_t{1024}, std::size_t{16384}}) {
            measure<Set128, Backend>(name, size);
            measure<Set256, Backend>(name, size);
        }
    }
}

}  // namespace
}  // namespace quoin::core::aes_gcm

int main() {
    using namespace quoin::core;
    aes_gcm::measure_all<Portable>("portable");
    aes_gcm::measure_all<AesNi>("AES-NI");
    aes_gcm::measure_all<Vaes>("VAES");
}
