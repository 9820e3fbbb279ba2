// What comes over a wire into the hybrids, from anywhere: nothing crashes, what is refused leaves
// no secret behind, and no composite signature verifies.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "core/crypto/hybrid/composite.hpp"
#include "core/crypto/hybrid/tls_group.hpp"
#include "core/crypto/hybrid/x_wing.hpp"

using namespace quoin;
using namespace quoin::core;

namespace {

// The input, repeated or cut to the size.
template <std::size_t Size>
std::array<std::uint8_t, Size> filled(Bytes input) {
    std::array<std::uint8_t, Size> bytes{};
    for (std::size_t i = 0; i < Size && !input.empty(); ++i) bytes[i] = input[i % input.size()];
    return bytes;
}

void check_secret(const Result<void>& result, Bytes secret) {
    const bool is_zero = std::ranges::all_of(secret, [](std::uint8_t byte) { return byte == 0; });
    if (result.has_value() == is_zero) std::abort();
    if (!result && result.error() != Code::peer_malformed) std::abort();
}

void check_tls(Bytes input) {
    static hybrid::tls_group::Workspace<> workspace;
    std::array<std::uint8_t, hybrid::tls_group::secret_size> secret{};
    std::array<std::uint8_t, hybrid::tls_group::server_share_size> share{};
    const auto client = filled<hybrid::tls_group::client_share_size>(input);
    check_secret(hybrid::tls_group::answer(client, share, secret,
                                           std::array<std::uint8_t, 64>{1, 2}, workspace),
                 secret);
    hybrid::tls_group::ClientKey key;
    std::array<std::uint8_t, hybrid::tls_group::client_share_size> ours{};
    hybrid::tls_group::start(key, ours, std::array<std::uint8_t, 96>{3}, workspace);
    const auto server = filled<hybrid::tls_group::server_share_size>(input);
    check_secret(hybrid::tls_group::finish(key, server, secret, workspace), secret);
}

void check_x_wing(Bytes input) {
    static hybrid::x_wing::Workspace<> workspace;
    std::array<std::uint8_t, 32> shared{};
    std::array<std::uint8_t, hybrid::x_wing::ciphertext_size> ciphertext{};
    const auto key = filled<hybrid::x_wing::public_key_size>(input);
    check_secret(hybrid::x_wing::encapsulate(key, std::array<std::uint8_t, 64>{1}, ciphertext,
                                             shared, workspace),
                 shared);
    const auto received = filled<hybrid::x_wing::ciphertext_size>(input);
    check_secret(
        hybrid::x_wing::decapsulate(std::array<std::uint8_t, 32>{2}, received, shared, workspace),
        shared);
}

template <class Composite>
void check_composite(Bytes input) {
    static ml_dsa::VerifyWorkspace<typename Composite::Set> workspace;
    const auto key = filled<Composite::public_key_size>(input);
    const auto signature = filled<Composite::signature_size>(
        input.subspan(std::min(input.size(), Composite::public_key_size)));
    if (hybrid::verify<Composite>(key, input, {}, signature, workspace)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const Bytes input(data + 1, size - 1);
    if (data[0] % 4 == 0) check_tls(input);
    if (data[0] % 4 == 1) check_x_wing(input);
    if (data[0] % 4 == 2) check_composite<hybrid::MlDsa44Ed25519>(input);
    if (data[0] % 4 == 3) check_composite<hybrid::MlDsa65Ed25519>(input);
    return 0;
}
