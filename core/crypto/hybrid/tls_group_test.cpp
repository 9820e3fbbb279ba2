// No vectors are published for the group alone: both sides against each other, and each half
// against OpenSSL.
#include "core/crypto/hybrid/tls_group.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <memory>

#include "core/crypto/curve25519/x25519.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_hex.hpp"

namespace quoin::core::hybrid::tls_group {
namespace {

using test::ByteVector;
using test::hex;
using test::random_bytes;

struct Exchange {
    ClientKey key;
    std::array<std::uint8_t, client_share_size> client_share{};
    std::array<std::uint8_t, server_share_size> server_share{};
    std::array<std::uint8_t, secret_size> servers{}, clients{};
    ByteVector server_randomness;
};

template <std::size_t Size>
std::span<const std::uint8_t, Size> fixed(const ByteVector& bytes) {
    return std::span<const std::uint8_t, Size>(bytes.data(), Size);
}

template <class Backend>
class tls_group : public testing::Test {
protected:
    void SetUp() override {
        if (!test::runs_here<Backend>()) {
            GTEST_SKIP() << "NOT RUN: this processor has no such instructions";
        }
    }
    void run(Exchange& exchange, std::mt19937_64& generator) {
        const ByteVector randomness = random_bytes(generator, client_randomness_size);
        exchange.server_randomness = random_bytes(generator, server_randomness_size);
        start<Backend>(exchange.key, exchange.client_share,
                       fixed<client_randomness_size>(randomness), workspace_);
        EXPECT_TRUE(server(exchange));
        EXPECT_TRUE(client(exchange));
    }
    Result<void> server(Exchange& exchange) {
        return answer<Backend>(exchange.client_share, exchange.server_share, exchange.servers,
                               fixed<server_randomness_size>(exchange.server_randomness),
                               workspace_);
    }
    Result<void> client(Exchange& exchange) {
        return finish<Backend>(exchange.key, exchange.server_share, exchange.clients, workspace_);
    }

    Workspace<Backend> workspace_{};
};

using Backends = testing::Types<Portable
#if defined(__x86_64__)
                                ,
                                Avx2, Avx512
#endif
                                >;
TYPED_TEST_SUITE(tls_group, Backends);

TYPED_TEST(tls_group, answer_and_finish__honest__the_same_secret) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE(seed);
    std::mt19937_64 generator(seed);
    for (int i = 0; i < 20; ++i) {
        Exchange exchange;
        this->run(exchange, generator);
        ASSERT_EQ(hex(exchange.servers), hex(exchange.clients));
        ASSERT_NE(hex(exchange.servers), std::string(128, '0'));
    }
}

// OpenSSL as the server, from the shares as they are on the wire.
TYPED_TEST(tls_group, finish__openssl_answers__the_same_secret) {
    std::mt19937_64 generator(1);
    Exchange exchange;
    this->run(exchange, generator);
    EVP_PKEY* const group = EVP_PKEY_new_raw_public_key_ex(
        nullptr, "X25519MLKEM768", nullptr, exchange.client_share.data(), client_share_size);
    ASSERT_NE(group, nullptr);
    EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new_from_pkey(nullptr, group, nullptr);
    ASSERT_EQ(EVP_PKEY_encapsulate_init(context, nullptr), 1);
    std::size_t share_size = server_share_size, size = secret_size;
    std::array<std::uint8_t, secret_size> openssls{};
    ASSERT_EQ(EVP_PKEY_encapsulate(context, exchange.server_share.data(), &share_size,
                                   openssls.data(), &size),
              1);
    EXPECT_EQ(share_size, server_share_size);
    EXPECT_EQ(size, secret_size);
    ASSERT_TRUE(this->client(exchange));
    EXPECT_EQ(hex(exchange.clients), hex(openssls));
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(group);
}

// What is given away is known to the attacker, who must guess the rest: zeros here.
TYPED_TEST(tls_group, secret__halves_given_away__only_both_give_the_secret) {
    std::mt19937_64 generator(2);
    Exchange exchange;
    this->run(exchange, generator);
    const auto plain = std::make_unique<Workspace<Portable>>();
    const auto attackers = [&](bool has_ml_kem, bool has_x25519) {
        ByteVector secret(secret_size);
        if (has_ml_kem) {
            ml_kem::decapsulate<ml_kem::Set768>(
                std::span<std::uint8_t, 32>(secret.data(), 32),
                ml_kem::DecapsulationKey<ml_kem::Set768>::danger_unchecked(exchange.key.ml_kem),
                std::span<const std::uint8_t, server_share_size>(exchange.server_share)
                    .template first<1088>(),
                *plain);
        }
        if (has_x25519) {
            EXPECT_TRUE(x25519::shared_secret(
                fixed<32>(ByteVector(exchange.server_randomness.begin() + 32,
                                     exchange.server_randomness.end())),
                std::span<const std::uint8_t, client_share_size>(exchange.client_share)
                    .template last<32>(),
                std::span<std::uint8_t, 32>(secret.data() + 32, 32)));
        }
        return hex(secret);
    };
    const std::string secret = hex(exchange.clients);
    EXPECT_NE(attackers(false, false), secret);
    EXPECT_NE(attackers(true, false), secret);
    EXPECT_NE(attackers(false, true), secret);
    EXPECT_EQ(attackers(true, true), secret);
}

TYPED_TEST(tls_group, finish__either_half_of_the_share_damaged__another_secret) {
    std::mt19937_64 generator(3);
    Exchange exchange;
    this->run(exchange, generator);
    for (const std::size_t at : {std::size_t{0}, std::size_t{1087}, std::size_t{1088}}) {
        exchange.server_share[at] ^= 1;
        ASSERT_TRUE(this->client(exchange));
        EXPECT_NE(hex(exchange.clients), hex(exchange.servers)) << at;
        exchange.server_share[at] ^= 1;
    }
}

TYPED_TEST(tls_group, answer_and_finish__malformed_shares__peer_malformed_and_no_secret) {
    std::mt19937_64 generator(4);
    Exchange exchange;
    this->run(exchange, generator);
    Exchange bad;
    bad.server_randomness = exchange.server_randomness;
    bad.client_share = exchange.client_share;
    bad.client_share[0] = 0xff;  // a coefficient above q
    bad.client_share[1] |= 0x0f;
    bad.servers.fill(1);
    EXPECT_EQ(this->server(bad).error(), Code::peer_malformed);
    EXPECT_EQ(hex(bad.servers), std::string(128, '0'));

    bad.client_share = exchange.client_share;
    std::fill_n(bad.client_share.end() - 32, 32, std::uint8_t{0});
    bad.servers.fill(1);
    EXPECT_EQ(this->server(bad).error(), Code::peer_malformed);
    EXPECT_EQ(hex(bad.servers), std::string(128, '0'));

    std::fill_n(exchange.server_share.end() - 32, 32, std::uint8_t{0});
    EXPECT_EQ(this->client(exchange).error(), Code::peer_malformed);
    EXPECT_EQ(hex(exchange.clients), std::string(128, '0'));
}

}  // namespace
}  // namespace quoin::core::hybrid::tls_group
