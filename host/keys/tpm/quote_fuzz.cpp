// Quotes come over a wire: no crash, and none passes that no TPM has signed.
#include <cstdlib>

#include "host/keys/tpm/quote.hpp"

using namespace quoin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto key = [] {
        const auto made = crypto::PrivateKey::generate(crypto::Algorithm::ecdsa_p256);
        return *made->public_key()->spki_der();
    }();
    const std::size_t signature_size = std::min<std::size_t>(size, 72);
    const keys::Attestation attestation{std::string(keys::tpm::quote_format),
                                        keys::ByteVector(data + signature_size, data + size),
                                        keys::ByteVector(data, data + signature_size)};
    constexpr std::array<std::uint8_t, 32> nonce{7};
    if (keys::tpm::verify_quote(attestation, key, nonce)) std::abort();
    return 0;
}
