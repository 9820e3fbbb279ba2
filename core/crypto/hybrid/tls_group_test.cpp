// No vectors are published for the group alone: both sides against each other, and each half
// against OpenSSL.
#include "core/crypto/hybrid/tls_group.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <optional>

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

// Changes one bit, but not the one that X25519 ignores, the last.
void damage(MutableBytes share, std::mt19937_64& generator) {
    const std::size_t bit = generator() % (8 * share.size() - 1);
    share[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
}

// A key of OpenSSL's, or what it has of a peer's. What it refuses is empty.
class Peer {
public:
    using Secret = std::array<std::uint8_t, secret_size>;

    static std::optional<Peer> generate() {
        return of(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519MLKEM768"));
    }
    static std::optional<Peer> of_share(Bytes share) {
        return of(EVP_PKEY_new_raw_public_key_ex(nullptr, "X25519MLKEM768", nullptr, share.data(),
                                                 share.size()));
    }
    std::array<std::uint8_t, client_share_size> share() const {
        std::array<std::uint8_t, client_share_size> share{};
        std::size_t size = share.size();
        EXPECT_EQ(EVP_PKEY_get_raw_public_key(key_.get(), share.data(), &size), 1);
        EXPECT_EQ(size, share.size());
        return share;
    }
    void write_key(ClientKey& key) const {
        ByteVector both(key.ml_kem.size() + key.x25519.size());
        std::size_t size = both.size();
        EXPECT_EQ(EVP_PKEY_get_raw_private_key(key_.get(), both.data(), &size), 1);
        EXPECT_EQ(size, both.size());
        std::copy_n(both.begin(), key.ml_kem.size(), key.ml_kem.begin());
        std::copy_n(both.end() - 32, key.x25519.size(), key.x25519.begin());
    }
    std::optional<Secret> answer(std::span<std::uint8_t, server_share_size> share) const {
        Secret secret{};
        std::size_t share_size = share.size(), size = secret.size();
        const auto context = new_context();
        if (EVP_PKEY_encapsulate_init(context.get(), nullptr) != 1 ||
            EVP_PKEY_encapsulate(context.get(), share.data(), &share_size, secret.data(), &size) !=
                1) {
            return {};
        }
        EXPECT_EQ(share_size, share.size());
        EXPECT_EQ(size, secret.size());
        return secret;
    }
    std::optional<Secret> finish(Bytes share) const {
        Secret secret{};
        std::size_t size = secret.size();
        const auto context = new_context();
        if (EVP_PKEY_decapsulate_init(context.get(), nullptr) != 1 ||
            EVP_PKEY_decapsulate(context.get(), secret.data(), &size, share.data(), share.size()) !=
                1) {
            return {};
        }
        EXPECT_EQ(size, secret.size());
        return secret;
    }

private:
    struct Free {
        void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
        void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
    };
    explicit Peer(EVP_PKEY* key) : key_(key) {}
    static std::optional<Peer> of(EVP_PKEY* key) {
        if (key == nullptr) return {};
        return Peer(key);
    }
    std::unique_ptr<EVP_PKEY_CTX, Free> new_context() const {
        return std::unique_ptr<EVP_PKEY_CTX, Free>(
            EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
    }
    std::unique_ptr<EVP_PKEY, Free> key_;
};

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

// OpenSSL as the server: from a share as it is on the wire.
TYPED_TEST(tls_group, finish__openssl_answers__the_same_secret) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE(seed);
    std::mt19937_64 generator(seed);
    for (int i = 0; i < 20; ++i) {
        Exchange exchange;
        this->run(exchange, generator);
        const auto openssl = Peer::of_share(exchange.client_share);
        ASSERT_TRUE(openssl);
        const auto openssls = openssl->answer(exchange.server_share);
        ASSERT_TRUE(openssls);
        ASSERT_TRUE(this->client(exchange));
        ASSERT_EQ(hex(exchange.clients), hex(*openssls));

        // A damaged answer of OpenSSL's: implicit rejection, or another secret of X25519's.
        damage(exchange.server_share, generator);
        ASSERT_TRUE(this->client(exchange));
        ASSERT_NE(hex(exchange.clients), hex(*openssls));
        std::ranges::fill(std::span(exchange.server_share).template last<32>(), 0);
        ASSERT_EQ(this->client(exchange).error(), Code::peer_malformed);
    }
}

// OpenSSL as the client: its share answered, and what it makes of the answer.
TYPED_TEST(tls_group, answer__openssl_starts__the_same_secret) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE(seed);
    std::mt19937_64 generator(seed);
    for (int i = 0; i < 20; ++i) {
        const auto openssl = Peer::generate();
        ASSERT_TRUE(openssl);
        Exchange exchange;
        exchange.client_share = openssl->share();
        exchange.server_randomness = random_bytes(generator, server_randomness_size);
        ASSERT_TRUE(this->server(exchange));
        const auto openssls = openssl->finish(exchange.server_share);
        ASSERT_TRUE(openssls);
        ASSERT_EQ(hex(exchange.servers), hex(*openssls));

        // Both of one key: also the secret of the implicit rejection is the same.
        openssl->write_key(exchange.key);
        damage(exchange.server_share, generator);
        const auto rejected = openssl->finish(exchange.server_share);
        ASSERT_TRUE(rejected);
        ASSERT_NE(hex(exchange.servers), hex(*rejected));
        ASSERT_TRUE(this->client(exchange));
        ASSERT_EQ(hex(exchange.clients), hex(*rejected));
        std::ranges::fill(std::span(exchange.server_share).template last<32>(), 0);
        ASSERT_FALSE(openssl->finish(exchange.server_share));
        ASSERT_EQ(this->client(exchange).error(), Code::peer_malformed);
    }
}

// A damaged share of the client's: refused by both, or by neither and then no secret is shared.
TYPED_TEST(tls_group, answer__client_share_damaged__as_openssl_does) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE(seed);
    std::mt19937_64 generator(seed);
    for (int i = 0; i < 200; ++i) {
        Exchange exchange;
        this->run(exchange, generator);
        damage(exchange.client_share, generator);
        const auto openssl = Peer::of_share(exchange.client_share);
        const auto answered = this->server(exchange);
        ASSERT_EQ(answered.has_value(), openssl.has_value());
        if (!answered) {
            ASSERT_EQ(answered.error(), Code::peer_malformed);
            continue;
        }
        ASSERT_TRUE(this->client(exchange));
        ASSERT_NE(hex(exchange.clients), hex(exchange.servers));
        const auto openssls = openssl->answer(exchange.server_share);
        ASSERT_TRUE(openssls);
        ASSERT_TRUE(this->client(exchange));
        ASSERT_NE(hex(exchange.clients), hex(*openssls));
    }
}

TYPED_TEST(tls_group, answer__client_share_malformed__refused_as_by_openssl) {
    std::mt19937_64 generator(5);
    Exchange exchange;
    this->run(exchange, generator);
    const auto good = exchange.client_share;
    exchange.client_share[0] = 0xff;  // a coefficient above q
    exchange.client_share[1] |= 0x0f;
    EXPECT_FALSE(Peer::of_share(exchange.client_share));
    EXPECT_EQ(this->server(exchange).error(), Code::peer_malformed);

    exchange.client_share = good;
    std::ranges::fill(std::span(exchange.client_share).template last<32>(), 0);
    const auto openssl = Peer::of_share(exchange.client_share);
    EXPECT_FALSE(openssl && openssl->answer(exchange.server_share));
    EXPECT_EQ(this->server(exchange).error(), Code::peer_malformed);
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
