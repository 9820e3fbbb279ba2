// For tests: the generator of random bytes that published vectors were made with.
#pragma once

#include <openssl/evp.h>

#include <cstdlib>
#include <memory>

#include "core/crypto/test_hex.hpp"

namespace quoin::core::test {

// AES-256-CTR-DRBG without derivation function: SP 800-90A, section 10.2.1.
class Drbg {
public:
    explicit Drbg(const ByteVector& seed) { update(seed); }  // 48 bytes

    ByteVector take(std::size_t size) {
        ByteVector output = blocks((size + 15) / 16);
        output.resize(size);
        update(ByteVector(48));
        return output;
    }

private:
    ByteVector blocks(std::size_t count) {
        const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> cipher(
            EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
        must(EVP_EncryptInit_ex2(cipher.get(), EVP_aes_256_ecb(), key_.data(), nullptr, nullptr));
        ByteVector output(16 * count);
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t at = 16; at > 0 && ++counter_[at - 1] == 0;) --at;
            int size = 0;
            must(EVP_EncryptUpdate(cipher.get(), output.data() + 16 * i, &size, counter_.data(),
                                   16));
        }
        return output;
    }
    void update(const ByteVector& input) {
        ByteVector state = blocks(3);
        for (std::size_t i = 0; i < state.size(); ++i) state[i] ^= input.at(i);
        key_.assign(state.begin(), state.begin() + 32);
        counter_.assign(state.begin() + 32, state.end());
    }
    static void must(int done) {
        if (done != 1) std::abort();
    }

    ByteVector key_ = ByteVector(32);
    ByteVector counter_ = ByteVector(16);
};

}  // namespace quoin::core::test
