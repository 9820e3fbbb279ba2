// The client of quoin-se: blocking, no Boost, no log. Fit for an OpenSSL provider.
//
//   QUOIN_TRY(auto se, se::Client::open({.socket = "/run/quoin/se.sock"}));
//   QUOIN_TRY(const auto key, se->describe("device"));
//   QUOIN_TRY(const auto signature, se->sign("device", message, {}));
//
// Threads: any number may use one client; requests go one after the other. A child made by fork()
// gets a connection of its own with its first request, and so does a client whose quoin-se was
// restarted. When a connection is lost before the answer came:
//   generate, remove, create and increment counters, zeroize   are not asked again:
//       resource_unavailable, which says that nobody knows whether it was done
//   all others   are asked again, once, on a new connection. If quoin-se had done it, the use of a
//       key with max_uses (or max_uses_per_minute) is counted twice: fewer are left, never more.
// Handles (ephemeral keys, sessions) end with their connection: input_not_found then.
//
// Errors: what quoin-se answered, with its reason and the socket's name; resource_unavailable: it
// cannot be reached; resource_timeout; peer_malformed: it answered nonsense.
// Secrets: a shared secret is the only one that comes here; buffers that held one are wiped.
#pragma once

#include <unistd.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "host/descriptor.hpp"
#include "host/keys/se/bus.hpp"
#include "host/keys/se/framing.hpp"
#include "host/keys/se/protocol.hpp"

namespace quoin::keys::se {

struct ClientOptions {
    std::string socket;  // path
    std::string label = "client";
    std::chrono::milliseconds timeout{30'000};  // for one answer: SLH-DSA takes its time
    // The socket speaks the bus framing (quoin-se --bus-socket), as slow as this says: *emulated*.
    const BusProfile* bus = nullptr;
};

struct PublicKeyInfo {
    KeyEntry entry;
    ByteVector public_key;  // raw; empty for AES
};

struct EphemeralKey {
    std::uint64_t handle = 0;
    ByteVector public_key;
};

struct SignedStatement {
    Algorithm algorithm = Algorithm::ml_dsa_65;
    ByteVector public_key;
    ByteVector statement;
    ByteVector signature;
};

class Client {
public:
    // Connects at once, so that a wrong path or a refusal shows here.
    static Result<std::unique_ptr<Client>> open(ClientOptions options);

    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() = default;

    const ClientOptions& options() const { return options_; }
    // Version of the quoin-se that answered last.
    std::string version();

    Result<ByteVector> generate(std::string_view name, Algorithm algorithm, const Policy& policy);
    Result<PublicKeyInfo> describe(std::string_view name);
    Result<std::vector<KeyEntry>> list();
    Result<void> remove(std::string_view name);

    // `quote`: for a key whose policy has a platform.
    Result<ByteVector> sign(std::string_view key, Bytes message, Bytes context,
                            const QuoteField& quote = {});
    Result<SharedSecret> decapsulate(const Target& key, Bytes ciphertext);
    Result<SharedSecret> agree(const Target& key, std::span<const std::uint8_t, 32> peer);

    Result<EphemeralKey> take_ephemeral(Algorithm algorithm);
    Result<std::uint64_t> derive_session(const Target& key, Bytes input, Bytes info);
    Result<ByteVector> seal(const Target& key, Bytes associated_data, Bytes plaintext);
    Result<ByteVector> open_sealed(const Target& key, Bytes associated_data, Bytes sealed);
    Result<void> drop(std::uint64_t handle);

    Result<std::uint64_t> create_counter(std::string_view name);
    Result<std::uint64_t> increment_counter(std::string_view name);
    Result<std::uint64_t> read_counter(std::string_view name);

    // `key`: one with may_attest; empty: quoin-se's own. attestation.hpp reads and verifies it.
    Result<SignedStatement> attest(std::string_view key, Bytes nonce);
    Result<void> zeroize();

private:
    class Connection;

    explicit Client(ClientOptions options);
    // Asks, and gives the reply to `use` while it is still in the buffer.
    template <class Message>
    Result<void> ask(const Message& message,
                     const std::function<void(const typename Message::Reply&)>& use);
    Result<void> connect();
    Result<void> exchange(Bytes request, bool twice_is_harmless);

    struct ConnectionDeleter {
        void operator()(Connection* connection) const noexcept;
    };

    ClientOptions options_;
    std::mutex mutex_;
    std::unique_ptr<Connection, ConnectionDeleter> connection_;
    std::string version_;
    pid_t process_ = 0;
    std::uint32_t last_id_ = 0;
};

}  // namespace quoin::keys::se
