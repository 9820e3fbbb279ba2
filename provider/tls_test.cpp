// Handshakes with our groups on one side and the default provider's on the other, in memory, and
// what the sides say to shares that are wrong.
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <functional>
#include <ostream>

#include "provider/fixture.hpp"

namespace quoin::provider::test {
namespace {

using Context = Owner<SSL_CTX, SSL_CTX_free>;
using Session = Owner<SSL, SSL_free>;

enum class Side { ours, theirs };
void PrintTo(Side side, std::ostream* out) { *out << (side == Side::ours ? "ours" : "theirs"); }

Octets bytes_in(BIO* bio) {
    Octets bytes(static_cast<std::size_t>(BIO_ctrl_pending(bio)));
    if (!bytes.empty()) BIO_read(bio, bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
}

// One end of a connection.
class End {
public:
    End(const Library& library, const std::string& groups, bool is_server)
        : context_(SSL_CTX_new_ex(library, nullptr, TLS_method())) {
        EXPECT_EQ(SSL_CTX_set_min_proto_version(context_.get(), TLS1_3_VERSION), 1);
        EXPECT_EQ(SSL_CTX_set1_groups_list(context_.get(), groups.c_str()), 1)
            << groups << ": " << queued_errors();
        if (is_server) certify(library);
        session_.reset(SSL_new(context_.get()));
        SSL_set_bio(session_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        is_server ? SSL_set_accept_state(session_.get()) : SSL_set_connect_state(session_.get());
        SSL_set_app_data(session_.get(), this);
        SSL_set_info_callback(session_.get(), [](const SSL* session, int event, int value) {
            if ((event & SSL_CB_WRITE_ALERT) == SSL_CB_WRITE_ALERT) {
                static_cast<End*>(SSL_get_app_data(session))->alert_ = value & 0xFF;
            }
        });
    }

    End(const End&) = delete;
    End& operator=(const End&) = delete;
    ~End() = default;

    // Goes on with what the peer said; returns what is to be said to it.
    Octets step(const Octets& received) {
        if (!received.empty()) {
            BIO_write(SSL_get_rbio(session_.get()), received.data(),
                      static_cast<int>(received.size()));
        }
        const int result = SSL_do_handshake(session_.get());
        if (result != 1) failed_ |= SSL_get_error(session_.get(), result) == SSL_ERROR_SSL;
        return bytes_in(SSL_get_wbio(session_.get()));
    }

    // The alert (RFC 8446, section 6) that this end sent last; 0: none.
    int alert() const { return alert_; }
    bool is_done() const { return SSL_is_init_finished(session_.get()) == 1; }
    bool has_failed() const { return failed_; }
    std::string group() const {
        const char* const name = SSL_get0_group_name(session_.get());
        return name == nullptr ? "" : name;
    }
    // Whose key the peer's share became.
    std::string provider_of_peer_share() const {
        EVP_PKEY* key = nullptr;
        SSL_get_peer_tmp_key(session_.get(), static_cast<void*>(&key));
        return provider_of(Key(key).get());
    }

private:
    void certify(const Library& library) {
        const Key key(EVP_PKEY_Q_keygen(library, nullptr, "ED25519"));
        const Owner<X509, X509_free> certificate(X509_new_ex(library, nullptr));
        X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
        X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
        X509_set_pubkey(certificate.get(), key.get());
        EXPECT_GT(X509_sign(certificate.get(), key.get(), nullptr), 0) << queued_errors();
        EXPECT_EQ(SSL_CTX_use_certificate(context_.get(), certificate.get()), 1);
        EXPECT_EQ(SSL_CTX_use_PrivateKey(context_.get(), key.get()), 1);
    }

    Context context_;
    Session session_;
    bool failed_ = false;
    int alert_ = 0;
};

// What somebody on the way does to the bytes of one direction.
using Tamper = std::function<void(Octets&)>;

void handshake(End& client, End& server, const Tamper& to_server = {},
               const Tamper& to_client = {}) {
    Octets said = client.step({});
    for (int flight = 0; flight < 6 && !said.empty(); ++flight) {
        const bool at_server = flight % 2 == 0;
        if (const Tamper& tamper = at_server ? to_server : to_client; tamper) tamper(said);
        said = (at_server ? server : client).step(said);
        if (client.has_failed() || server.has_failed()) return;
    }
}

struct Libraries {
    const Library ours = Library::ours();
    const Library theirs = Library::theirs();
    const Library& of(Side side) const { return side == Side::ours ? ours : theirs; }
};

class Group : public testing::TestWithParam<std::tuple<const char*, Side, Side>> {
protected:
    const Libraries libraries;
    void TearDown() override { ERR_clear_error(); }
};
INSTANTIATE_TEST_SUITE_P(, Group,
                         testing::Combine(testing::Values("X25519MLKEM768", "MLKEM512", "MLKEM768",
                                                          "MLKEM1024", "SecP256r1MLKEM768",
                                                          "SecP384r1MLKEM1024", "x25519"),
                                          testing::Values(Side::ours, Side::theirs),
                                          testing::Values(Side::ours, Side::theirs)));

TEST_P(Group, handshake__each_provider_on_each_side__agrees) {
    const auto& [group, client_side, server_side] = GetParam();
    const std::string_view name = group;
    const bool is_ours = server_side == Side::ours && (name == "X25519MLKEM768" || name[0] == 'M');
    End client(libraries.of(client_side), group, false);
    End server(libraries.of(server_side), group, true);
    handshake(client, server);
    ASSERT_TRUE(client.is_done() && server.is_done()) << queued_errors();
    EXPECT_EQ(server.group(), group);
    EXPECT_EQ(server.provider_of_peer_share(), is_ours ? "quoin" : "default");
}

TEST(groups, default_list__nothing_configured__the_hybrid_of_ours_first) {
    const Libraries libraries;
    End client(libraries.ours, "DEFAULT", false);
    End server(libraries.ours, "DEFAULT", true);
    handshake(client, server);
    ASSERT_TRUE(client.is_done() && server.is_done()) << queued_errors();
    EXPECT_EQ(client.group(), "X25519MLKEM768");
    EXPECT_EQ(server.provider_of_peer_share(), "quoin");
}

// Where the share of a group begins in a hello; the hello without one ends the test.
std::uint8_t* share_in(Octets& hello, std::uint16_t group, std::size_t size) {
    const std::array header = {
        static_cast<std::uint8_t>(group >> 8), static_cast<std::uint8_t>(group),
        static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)};
    const auto found = std::ranges::search(hello, header);
    EXPECT_FALSE(found.empty()) << "no share of group " << group;
    return found.empty() ? nullptr : hello.data() + (found.end() - hello.begin());
}

// Overwrites bytes of a share, from `first` on.
Tamper overwrite(std::uint16_t group, std::size_t size, std::size_t first, std::size_t count,
                 std::uint8_t value) {
    return [=](Octets& hello) {
        if (std::uint8_t* const share = share_in(hello, group, size)) {
            std::fill_n(share + first, count, value);
        }
    };
}

// Gives a share to another group, for which it has the wrong length.
Tamper relabel(std::uint16_t from, std::size_t size, std::uint16_t to) {
    return [=](Octets& hello) {
        if (std::uint8_t* const share = share_in(hello, from, size)) {
            share[-4] = static_cast<std::uint8_t>(to >> 8);
            share[-3] = static_cast<std::uint8_t>(to);
        }
    };
}

struct Attack {
    const char* name;
    const char* client_groups;
    const char* server_groups;
    Tamper to_server;
    Tamper to_client;
};
void PrintTo(const Attack& attack, std::ostream* out) { *out << attack.name; }

constexpr std::uint16_t hybrid = 0x11EC;
constexpr std::uint16_t mlkem512 = 0x0200;
constexpr std::uint16_t mlkem768 = 0x0201;
constexpr std::uint16_t mlkem1024 = 0x0202;

class Refusal : public testing::TestWithParam<Attack> {};
INSTANTIATE_TEST_SUITE_P(, Refusal,
                         testing::Values(Attack{"hybrid_key_out_of_range",
                                                "X25519MLKEM768",
                                                "X25519MLKEM768",
                                                overwrite(hybrid, 1216, 0, 3, 0xFF),
                                                {}},
                                         Attack{"hybrid_x25519_of_the_client_zero",
                                                "X25519MLKEM768",
                                                "X25519MLKEM768",
                                                overwrite(hybrid, 1216, 1184, 32, 0),
                                                {}},
                                         Attack{"hybrid_x25519_of_the_server_zero",
                                                "X25519MLKEM768",
                                                "X25519MLKEM768",
                                                {},
                                                overwrite(hybrid, 1120, 1088, 32, 0)},
                                         Attack{"hybrid_ciphertext_damaged",
                                                "X25519MLKEM768",
                                                "X25519MLKEM768",
                                                {},
                                                overwrite(hybrid, 1120, 100, 8, 0x55)},
                                         Attack{"hybrid_key_too_short",
                                                "*MLKEM768:X25519MLKEM768",
                                                "X25519MLKEM768:MLKEM768",
                                                relabel(mlkem768, 1184, hybrid),
                                                {}},
                                         Attack{"hybrid_ciphertext_too_short",
                                                "*X25519MLKEM768:*MLKEM768",
                                                "MLKEM768",
                                                {},
                                                relabel(mlkem768, 1088, hybrid)},
                                         Attack{"mlkem512_key_out_of_range",
                                                "MLKEM512",
                                                "MLKEM512",
                                                overwrite(mlkem512, 800, 0, 3, 0xFF),
                                                {}},
                                         Attack{"mlkem768_key_out_of_range",
                                                "MLKEM768",
                                                "MLKEM768",
                                                overwrite(mlkem768, 1184, 1149, 3, 0xFF),
                                                {}},
                                         Attack{"mlkem1024_key_out_of_range",
                                                "MLKEM1024",
                                                "MLKEM1024",
                                                overwrite(mlkem1024, 1568, 3, 3, 0xFF),
                                                {}},
                                         Attack{"mlkem768_ciphertext_damaged",
                                                "MLKEM768",
                                                "MLKEM768",
                                                {},
                                                overwrite(mlkem768, 1088, 0, 1, 0x55)},
                                         Attack{"mlkem768_key_too_long",
                                                "*X25519MLKEM768:MLKEM768",
                                                "MLKEM768:X25519MLKEM768",
                                                relabel(hybrid, 1216, mlkem768),
                                                {}},
                                         Attack{"mlkem768_ciphertext_too_long",
                                                "*X25519MLKEM768:*MLKEM768",
                                                "X25519MLKEM768",
                                                {},
                                                relabel(hybrid, 1120, mlkem768)}),
                         [](const auto& attack) { return attack.param.name; });

TEST_P(Refusal, share_that_is_wrong__either_provider__the_same_alert) {
    const Libraries libraries;
    const Attack& attack = GetParam();
    const bool at_server = static_cast<bool>(attack.to_server);
    std::array<int, 2> alerts{};
    std::array<int, 2> reasons{};
    for (const Side side : {Side::ours, Side::theirs}) {
        // The attacked side is the one compared; the other is the default provider's.
        End client(libraries.of(at_server ? Side::theirs : side), attack.client_groups, false);
        End server(libraries.of(at_server ? side : Side::theirs), attack.server_groups, true);
        handshake(client, server, attack.to_server, attack.to_client);
        EXPECT_FALSE(client.is_done() && server.is_done()) << "nobody noticed";
        const End& attacked = at_server ? server : client;
        EXPECT_TRUE(attacked.has_failed());
        const auto which = static_cast<std::size_t>(side);
        alerts[which] = attacked.alert();
        reasons[which] = ERR_GET_REASON(ERR_peek_last_error());
        ERR_clear_error();
    }
    EXPECT_NE(alerts[0], 0);
    EXPECT_EQ(alerts[0], alerts[1]);
    EXPECT_EQ(reasons[0], reasons[1]);
}

}  // namespace
}  // namespace quoin::provider::test
