#include "host/keys/se/client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "host/keys/errors.hpp"

namespace quoin::keys::se {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds bus_block_timeout{2000};

std::string reason(int number) { return std::generic_category().message(number); }

Result<Descriptor> connect_socket(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) {
        return fail(Code::config_invalid, "\"{}\": a socket's path has 1 to {} characters", path,
                    sizeof address.sun_path - 1);
    }
    std::ranges::copy(path, address.sun_path);
    Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket || ::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address),
                             sizeof address) != 0) {
        if (errno == EACCES || errno == EPERM) {
            return fail(Code::peer_forbidden, "{}: this user may not use this quoin-se: {}", path,
                        reason(errno));
        }
        return fail(Code::resource_unavailable, "{}: cannot reach quoin-se: {}; is it running?",
                    path, reason(errno));
    }
    return socket;
}

// Commands that may be sent twice when nobody knows whether the first one was done (client.hpp).
template <class Message>
constexpr bool twice_is_harmless = true;
template <>
constexpr bool twice_is_harmless<Generate> = false;
template <>
constexpr bool twice_is_harmless<Remove> = false;
template <>
constexpr bool twice_is_harmless<CreateCounter> = false;
template <>
constexpr bool twice_is_harmless<IncrementCounter> = false;
template <>
constexpr bool twice_is_harmless<Zeroize> = false;

ByteVector copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

class Client::Connection {
public:
    Connection(Descriptor socket, const ClientOptions& options)
        : socket_(std::move(socket)), options_(options) {
        if (options.bus != nullptr) {
            framing_ = std::make_unique<BusFraming>(BusSide::host);
        } else {
            framing_ = std::make_unique<LengthFraming>(max_frame_size);
        }
    }

    // The reply stays in message() until the next exchange.
    Result<void> exchange(Bytes request) {
        framing_->next_message();
        const auto deadline = Clock::now() + options_.timeout;
        QUOIN_CHECK(lift(framing_->send(request), options_.socket));
        emulate_security();
        for (;;) {
            QUOIN_CHECK(write_output(deadline));
            if (framing_->has_message()) break;
            QUOIN_CHECK(read_some(deadline));
        }
        emulate_security();
        return {};
    }
    Bytes message() const { return framing_->message(); }
    void wipe_message() { framing_->next_message(); }

private:
    Result<void> write_output(Clock::time_point deadline) {
        while (!framing_->output().empty()) {
            const Bytes rest = framing_->output();
            const ssize_t count =
                ::send(socket_.number(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (count >= 0) {
                framing_->sent(static_cast<std::size_t>(count));
                emulate_bus(static_cast<std::size_t>(count));
            } else if (errno == EAGAIN) {
                QUOIN_TRY(const bool in_time, wait_for(POLLOUT, deadline));
                if (!in_time) return too_late();
            } else if (errno == EPIPE || errno == ECONNRESET) {
                framing_->sent(rest.size());  // why it was closed may be there to read
            } else if (errno != EINTR) {
                return lost(reason(errno));
            }
        }
        return {};
    }

    Result<void> read_some(Clock::time_point deadline) {
        const bool bus = options_.bus != nullptr;
        const auto until = bus ? std::min(deadline, Clock::now() + bus_block_timeout) : deadline;
        // recv() waits by itself when the whole time is left: one system call instead of two.
        QUOIN_TRY(const bool in_time, wait_for(POLLIN, until));
        if (!in_time) {
            if (bus && Clock::now() < deadline && framing_->timed_out()) return {};
            return too_late();
        }
        const ssize_t count = ::recv(socket_.number(), piece_.data(), piece_.size(), 0);
        if (count < 0) return errno == EINTR ? Result<void>() : lost(reason(errno));
        if (count == 0) return lost("it closed the connection");
        const auto size = static_cast<std::size_t>(count);
        emulate_bus(size);
        const Bytes got = Bytes(piece_).first(size);
        const auto used = framing_->feed(got);
        core::ct::wipe(std::span(piece_).first(size));
        // What follows a message on the bus is a block that came twice.
        if (!used || (*used != size && !bus)) {
            return fail(Code::peer_malformed, "{}: does not speak the protocol of quoin-se",
                        options_.socket);
        }
        return {};
    }

    Result<bool> wait_for(short events, Clock::time_point until) {
        for (;;) {
            const auto left =
                std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
            pollfd waiting{socket_.number(), events, 0};
            const int ready = ::poll(&waiting, 1, std::max(0, static_cast<int>(left.count())));
            if (ready > 0) return true;
            if (ready == 0) return false;
            if (errno != EINTR) return lost(reason(errno));
        }
    }

    std::unexpected<Error> lost(std::string_view why) const {
        return fail(Code::resource_unavailable, "{}: lost quoin-se: {}", options_.socket, why);
    }
    std::unexpected<Error> too_late() const {
        return fail(Code::resource_timeout, "{}: quoin-se did not answer in {} ms", options_.socket,
                    options_.timeout.count());
    }

    void emulate_bus(std::size_t bytes) const {
        if (options_.bus == nullptr) return;
        wait(options_.bus->per_block + static_cast<std::int64_t>(bytes) * options_.bus->per_byte);
    }
    void emulate_security() const {
        if (options_.bus == nullptr) return;
        wait(options_.bus->per_message +
             static_cast<std::int64_t>(options_.bus->secured_bytes) * options_.bus->per_byte);
    }
    static void wait(std::chrono::nanoseconds time) {
        constexpr std::int64_t second = 1'000'000'000;
        const timespec wanted{time.count() / second, time.count() % second};
        if (time.count() > 0) static_cast<void>(::ppoll(nullptr, 0, &wanted, nullptr));
    }

    Descriptor socket_;
    const ClientOptions& options_;
    std::unique_ptr<Framing> framing_;
    std::array<std::uint8_t, 16U << 10U> piece_{};
};

void Client::ConnectionDeleter::operator()(Connection* connection) const noexcept {
    std::default_delete<Connection>()(connection);
}

Client::Client(ClientOptions options) : options_(std::move(options)) {}

Result<std::unique_ptr<Client>> Client::open(ClientOptions options) {
    std::unique_ptr<Client> client(new Client(std::move(options)));
    const std::scoped_lock lock(client->mutex_);
    QUOIN_CHECK(client->connect());
    return client;
}

std::string Client::version() {
    const std::scoped_lock lock(mutex_);
    return version_;
}

namespace {

// The reply in `frame`, or the error that it says.
template <class Message>
Result<typename Message::Reply> read_reply(Bytes frame, std::uint32_t id,
                                           const std::string& socket) {
    const auto head = read_reply_head(frame);
    const auto nonsense = [&socket] {
        return fail(Code::peer_malformed, "{}: quoin-se answered what is no answer", socket);
    };
    if (!head) return nonsense();
    if (head->status == Status::failed) {
        const auto refusal = codec::read_whole<Refusal>(head->body);
        if (!refusal) return nonsense();
        return std::unexpected(se_error(refusal->code, text_of(refusal->text.bytes), socket));
    }
    if (head->id != id) return nonsense();
    auto reply = codec::read_whole<typename Message::Reply>(head->body);
    if (!reply) return nonsense();
    return *std::move(reply);
}

}  // namespace

Result<void> Client::connect() {
    connection_.reset();
    QUOIN_TRY(Descriptor socket, connect_socket(options_.socket));
    std::unique_ptr<Connection, ConnectionDeleter> connection(
        new Connection(std::move(socket), options_));
    const std::string_view label = std::string_view(options_.label).substr(0, 64);
    const std::uint32_t id = ++last_id_;
    QUOIN_TRY(const ByteVector request,
              lift(write_request(id, Hello{{bytes_of(label)}}), options_.socket));
    QUOIN_CHECK(connection->exchange(request));
    QUOIN_TRY(const Hello::Reply reply,
              read_reply<Hello>(connection->message(), id, options_.socket));
    version_ = text_of(reply.version.bytes);
    connection_ = std::move(connection);
    process_ = ::getpid();
    return {};
}

// Sends a request and waits. The connection holds the reply.
Result<void> Client::exchange(Bytes request, bool twice_is_harmless) {
    const bool fresh = connection_ == nullptr || process_ != ::getpid();
    if (fresh) QUOIN_CHECK(connect());
    auto done = connection_->exchange(request);
    if (done) return {};
    connection_.reset();
    if (done.error().code != Code::resource_unavailable || fresh) return done;
    if (!twice_is_harmless) {
        done.error().message +=
            "; whether it did what was asked, nobody knows: look before asking "
            "again";
        return done;
    }
    QUOIN_CHECK(connect());
    auto second = connection_->exchange(request);
    if (!second) connection_.reset();
    return second;
}

template <class Message>
Result<void> Client::ask(const Message& message,
                         const std::function<void(const typename Message::Reply&)>& use) {
    const std::scoped_lock lock(mutex_);
    const std::uint32_t id = ++last_id_;
    auto written = write_request(id, message);
    if (!written) {
        return fail(Code::input_invalid, "{}: a name or a size is not what the protocol takes",
                    options_.socket);
    }
    WipedBytes request;
    request.assign(*std::move(written));
    QUOIN_CHECK(exchange(request.bytes(), twice_is_harmless<Message>));
    auto reply = read_reply<Message>(connection_->message(), id, options_.socket);
    if (reply) use(*reply);
    connection_->wipe_message();
    if (!reply) return std::unexpected(std::move(reply).error());
    return {};
}

Result<ByteVector> Client::generate(std::string_view name, Algorithm algorithm,
                                    const Policy& policy) {
    ByteVector key;
    QUOIN_CHECK(ask(Generate{{std::string(name)}, algorithm, policy},
                    [&](const auto& reply) { key = copy(reply.public_key.bytes); }));
    return key;
}

Result<PublicKeyInfo> Client::describe(std::string_view name) {
    PublicKeyInfo found;
    QUOIN_CHECK(ask(Describe{{std::string(name)}}, [&](const auto& reply) {
        found = {reply.entry, copy(reply.public_key.bytes)};
    }));
    return found;
}

Result<std::vector<KeyEntry>> Client::list() {
    std::vector<KeyEntry> keys;
    QUOIN_CHECK(ask(List{}, [&](const auto& reply) { keys = reply.keys.items; }));
    return keys;
}

Result<void> Client::remove(std::string_view name) {
    return ask(Remove{{std::string(name)}}, [](const auto&) {});
}

Result<ByteVector> Client::sign(std::string_view key, Bytes message, Bytes context,
                                const QuoteField& quote) {
    ByteVector signature;
    QUOIN_CHECK(ask(Sign{{std::string(key)}, {context}, {message}, quote},
                    [&](const auto& reply) { signature = copy(reply.signature.bytes); }));
    return signature;
}

Result<SharedSecret> Client::decapsulate(const Target& key, Bytes ciphertext) {
    SharedSecret secret;
    QUOIN_CHECK(ask(Decapsulate{key, {ciphertext}}, [&](const auto& reply) {
        std::ranges::copy(reply.secret.expose(), secret.expose_to_fill().begin());
    }));
    return secret;
}

Result<SharedSecret> Client::agree(const Target& key, std::span<const std::uint8_t, 32> peer) {
    SharedSecret secret;
    Agree request{key, {}};
    std::ranges::copy(peer, request.peer.begin());
    QUOIN_CHECK(ask(request, [&](const auto& reply) {
        std::ranges::copy(reply.secret.expose(), secret.expose_to_fill().begin());
    }));
    return secret;
}

Result<EphemeralKey> Client::take_ephemeral(Algorithm algorithm) {
    EphemeralKey key;
    QUOIN_CHECK(ask(TakeEphemeral{algorithm}, [&](const auto& reply) {
        key = {reply.handle, copy(reply.public_key.bytes)};
    }));
    return key;
}

Result<std::uint64_t> Client::derive_session(const Target& key, Bytes input, Bytes info) {
    std::uint64_t handle = 0;
    QUOIN_CHECK(ask(DeriveSession{key, {input}, {info}},
                    [&](const auto& reply) { handle = reply.handle; }));
    return handle;
}

Result<ByteVector> Client::seal(const Target& key, Bytes associated_data, Bytes plaintext) {
    ByteVector sealed;
    QUOIN_CHECK(ask(Seal{key, {associated_data}, {plaintext}},
                    [&](const auto& reply) { sealed = copy(reply.sealed.bytes); }));
    return sealed;
}

Result<ByteVector> Client::open_sealed(const Target& key, Bytes associated_data, Bytes sealed) {
    ByteVector plaintext;
    QUOIN_CHECK(ask(Open{key, {associated_data}, {sealed}},
                    [&](const auto& reply) { plaintext = copy(reply.plaintext.bytes); }));
    return plaintext;
}

Result<void> Client::drop(std::uint64_t handle) {
    return ask(Drop{handle}, [](const auto&) {});
}

Result<std::uint64_t> Client::create_counter(std::string_view name) {
    std::uint64_t value = 0;
    QUOIN_CHECK(
        ask(CreateCounter{{std::string(name)}}, [&](const auto& reply) { value = reply.value; }));
    return value;
}

Result<std::uint64_t> Client::increment_counter(std::string_view name) {
    std::uint64_t value = 0;
    QUOIN_CHECK(ask(IncrementCounter{{std::string(name)}},
                    [&](const auto& reply) { value = reply.value; }));
    return value;
}

Result<std::uint64_t> Client::read_counter(std::string_view name) {
    std::uint64_t value = 0;
    QUOIN_CHECK(
        ask(ReadCounter{{std::string(name)}}, [&](const auto& reply) { value = reply.value; }));
    return value;
}

Result<SignedStatement> Client::attest(std::string_view key, Bytes nonce) {
    SignedStatement statement;
    QUOIN_CHECK(ask(Attest{{bytes_of(key)}, {nonce}}, [&](const auto& reply) {
        statement = {reply.algorithm, copy(reply.public_key.bytes), copy(reply.statement.bytes),
                     copy(reply.signature.bytes)};
    }));
    return statement;
}

Result<void> Client::zeroize() {
    return ask(Zeroize{}, [](const auto&) {});
}

}  // namespace quoin::keys::se
