// Run under valgrind by ctest, seeds and randomness marked undefined: nothing may branch or index
// by them, but for what ML-KEM, ML-DSA and X25519 make public by design. The bodies are compiled in
// here, over the checked libraries. usage: hybrid_constant_time_check tls_group | x_wing |
// composite | leak, each with _avx2 or without | composite_leak
#include "core/crypto/hybrid/composite_sign_body.hpp"
#include "core/crypto/hybrid/tls_group_body.hpp"
#include "core/crypto/hybrid/x_wing_body.hpp"
#include "core/crypto/test_valgrind.hpp"

namespace quoin::core::hybrid {
namespace {

template <class Backend>
void check_tls_group() {
    static tls_group::Workspace<Backend> workspace;
    const auto clients = test::secret<std::array<std::uint8_t, 96>>(1);
    const auto servers = test::secret<std::array<std::uint8_t, 64>>(2);
    tls_group::ClientKey key;
    std::array<std::uint8_t, tls_group::client_share_size> client_share{};
    std::array<std::uint8_t, tls_group::server_share_size> server_share{};
    std::array<std::uint8_t, tls_group::secret_size> secret{};
    tls_group::start(key, client_share, clients, workspace);
    test::publish(client_share);
    const bool answered =
        tls_group::answer(client_share, server_share, secret, servers, workspace).has_value();
    test::publish(secret);
    test::publish(server_share);
    const bool finished = tls_group::finish(key, server_share, secret, workspace).has_value();
    test::publish(secret);
    test::must_work(answered && finished);
}

template <class Backend>
void check_x_wing() {
    static x_wing::Workspace<Backend> workspace;
    const auto seed = test::secret<std::array<std::uint8_t, 32>>(1);
    const auto randomness = test::secret<std::array<std::uint8_t, 64>>(2);
    std::array<std::uint8_t, x_wing::public_key_size> key{};
    std::array<std::uint8_t, x_wing::ciphertext_size> ciphertext{};
    std::array<std::uint8_t, 32> shared{};
    x_wing::public_key(seed, key, workspace);
    test::publish(key);
    const bool sealed =
        x_wing::encapsulate(key, randomness, ciphertext, shared, workspace).has_value();
    test::publish(shared);
    test::publish(ciphertext);
    const bool opened = x_wing::decapsulate(seed, ciphertext, shared, workspace).has_value();
    test::publish(shared);
    test::must_work(sealed && opened);
}

template <class Composite, class Backend>
void check_composite() {
    static CompositePrivateKey<Composite, Backend> key;
    static CompositeLoadWorkspace<Composite, Backend> workspace;
    static ml_dsa::SignScratch<typename Composite::Set, Backend> scratch;
    const auto private_key = test::secret<std::array<std::uint8_t, 64>>(1);
    const auto randomness = test::secret<std::array<std::uint8_t, 32>>(2);
    std::array<std::uint8_t, Composite::signature_size> signature{};
    const bool loaded = key.load(private_key, workspace).has_value();
    std::size_t made = 0;
    // Several, so that attempts are refused for each reason.
    for (std::uint8_t i = 0; i < 5; ++i) {
        const std::array<std::uint8_t, 1> message{i};
        if (key.sign(message, {}, randomness, signature, scratch)) ++made;
        test::publish(signature);
    }
    test::must_work(loaded && made == 5);
}

// What signing makes of a secret half, read before it is public.
void composite_leak() {
    static CompositePrivateKey<MlDsa44Ed25519> key;
    static CompositeLoadWorkspace<MlDsa44Ed25519> workspace;
    static ml_dsa::SignScratch<ml_dsa::Set44> scratch;
    std::array<std::uint8_t, MlDsa44Ed25519::signature_size> signature{};
    const auto private_key = test::secret<std::array<std::uint8_t, 64>>(1);
    if (!key.load(private_key, workspace)) std::exit(1);
    if (!key.sign({}, {}, ml_dsa::deterministic, signature, scratch)) std::exit(1);
    if (signature.back() == 1) std::fputs("one\n", stderr);
}

// Asks whether half a secret is zero: valgrind must find it.
template <class Backend>
void leak() {
    const auto seed = test::secret<std::array<std::uint8_t, 32>>(1);
    static x_wing::Workspace<Backend> workspace;
    x_wing::expand(seed, workspace);
    if (workspace.x25519[0] == 0) std::fputs("zero\n", stderr);
}

template <class Backend>
void check_composites() {
    check_composite<MlDsa44Ed25519, Backend>();
    check_composite<MlDsa65Ed25519, Backend>();
}

bool run(std::string_view what) {
    if (what == "tls_group") return check_tls_group<Portable>(), true;
    if (what == "x_wing") return check_x_wing<Portable>(), true;
    if (what == "composite") return check_composites<Portable>(), true;
    if (what == "leak") return leak<Portable>(), true;
    if (what == "composite_leak") return composite_leak(), true;
    if constexpr (avx2_is_built) {
        if (what == "tls_group_avx2") return check_tls_group<Avx2>(), true;
        if (what == "x_wing_avx2") return check_x_wing<Avx2>(), true;
        if (what == "composite_avx2") return check_composites<Avx2>(), true;
        if (what == "leak_avx2") return leak<Avx2>(), true;
    }
    return false;
}

}  // namespace
}  // namespace quoin::core::hybrid

int main(int argument_count, char** arguments) {
    return quoin::core::test::run_check(argument_count, arguments, quoin::core::hybrid::run);
}
