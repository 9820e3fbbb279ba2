// Mutual TLS with composite certificates, many times over: what the process holds does not grow.
// QUOIN_HANDSHAKES says how many of each (README.md: the long run). Without GLIBC_TUNABLES as in
// CMakeLists.txt, blocks that glibc keeps at hand for a thread count as held.
#include <malloc.h>

#include <cstdlib>

#include "provider/tls_fixture.hpp"

namespace quoin::provider::test {
namespace {

class Handshakes : public testing::TestWithParam<const char*> {
protected:
    struct Holder {
        Key key;
        Certificate certificate;
    };
    Holder make(const char* name) const {
        Holder made{generate(ours_, GetParam()), nullptr};
        made.certificate = certify(ours_, made.key, name);
        return made;
    }
    static int wanted() {
        const char* const text = std::getenv("QUOIN_HANDSHAKES");
        return text == nullptr ? 500 : std::stoi(text);
    }
    // A connection, a byte each way, the end.
    void connect(const Holder& client_of, const Holder& server_of) const {
        End client(ours_, client_of.key, client_of.certificate, server_of.certificate, false);
        End server(ours_, server_of.key, server_of.certificate, client_of.certificate, true);
        for (int flight = 0; flight < 2; ++flight) {
            SSL_do_handshake(client.session.get());
            carry(client, server);
            SSL_do_handshake(server.session.get());
            carry(server, client);
        }
        ASSERT_TRUE(say(client, server) && say(server, client)) << queued_errors();
        ASSERT_STREQ(SSL_get0_group_name(client.session.get()), "X25519MLKEM768");
    }
    static bool say(End& from, End& to) {
        char byte = 0;
        if (SSL_write(from.session.get(), "x", 1) != 1) return false;
        carry(from, to);
        return SSL_read(to.session.get(), &byte, 1) == 1;
    }

    const Library ours_ = Library::ours();
};
INSTANTIATE_TEST_SUITE_P(, Handshakes,
                         testing::Values("id-MLDSA44-Ed25519-SHA512", "id-MLDSA65-Ed25519-SHA512"),
                         [](const auto& one) { return std::string(one.param).substr(3, 7); });

TEST_P(Handshakes, memory__many__does_not_grow) {
    const Holder client = make("client"), server = make("server");
    const auto work = [&](int handshakes) {
        for (int i = 0; i < handshakes && !HasFatalFailure(); ++i) connect(client, server);
    };
    work(50);  // OpenSSL's caches fill
    const std::size_t before = ::mallinfo2().uordblks;
    work(wanted());
    const std::size_t after = ::mallinfo2().uordblks;
    RecordProperty("handshakes", wanted());
    RecordProperty("bytes_before", std::to_string(before));
    RecordProperty("bytes_after", std::to_string(after));
    EXPECT_LE(after, before + 4096) << wanted() << " handshakes";
}

}  // namespace
}  // namespace quoin::provider::test
