#include "cli/plant/ports.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "host/descriptor.hpp"
#include "host/files/files.hpp"

namespace quoin::cli {
namespace {

constexpr const char* file_name = "run/ports.json";

// Listens, so that two calls cannot find the same one; port 0: any.
Result<std::pair<Descriptor, std::uint16_t>> hold(std::uint16_t port) {
    Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int yes = 1;
    setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (!socket || bind(socket.number(), generic, size) != 0 || listen(socket.number(), 1) != 0 ||
        getsockname(socket.number(), generic, &size) != 0) {
        return fail(Code::resource_unavailable, "cannot listen on 127.0.0.1:{}: {}", port,
                    std::strerror(errno));
    }
    return std::pair(std::move(socket), ntohs(address.sin_port));
}

Result<std::uint16_t> port_in(const nlohmann::json& record, const char* name) {
    const auto found = record.find(name);
    if (found == record.end() || !found->is_number_unsigned() ||
        found->get<std::uint64_t>() > 65535) {
        return fail(Code::integrity_mismatch, "{}: '{}' is not a port", file_name, name);
    }
    return found->get<std::uint16_t>();
}

}  // namespace

Result<Ports> Ports::find_free() {
    std::array<std::pair<Descriptor, std::uint16_t>, 4> held;
    for (auto& one : held) {
        QUOIN_TRY(one, hold(0));
    }
    return Ports{.mqtt = held[0].second,
                 .mqtt_next = held[3].second,
                 .https = held[1].second,
                 .http = held[2].second};
}

Result<Ports> Ports::load(const std::filesystem::path& home) {
    QUOIN_TRY(const std::string text, files::read(home / file_name));
    const auto record = nlohmann::json::parse(text, nullptr, false);
    if (!record.is_object()) {
        return fail(Code::integrity_mismatch, "{} is not a JSON object",
                    (home / file_name).string());
    }
    Ports ports;
    QUOIN_TRY(ports.mqtt, port_in(record, "mqtt"));
    QUOIN_TRY(ports.https, port_in(record, "https"));
    QUOIN_TRY(ports.http, port_in(record, "http"));
    return ports;
}

Result<void> Ports::check_free() const {
    for (const std::uint16_t port : {mqtt, https, http}) {
        if (auto held = hold(port); !held) {
            return fail(Code::resource_unavailable,
                        "{}; stop what uses it, or let quoin choose: --ports free",
                        held.error().message);
        }
    }
    return {};
}

}  // namespace quoin::cli
