#include "sim/flexim/server.hpp"

#include <modbus/modbus.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <vector>

namespace quoin::sim {
namespace {

using fieldbus::Kind;
using fieldbus::Register;
using Clock = std::chrono::steady_clock;

constexpr int tick_ms = 50;
constexpr std::size_t max_clients = 64;
constexpr std::uint32_t request_timeout_us = 500'000;  // for the rest of a request that has begun

struct ContextDeleter {
    void operator()(modbus_t* context) const noexcept { modbus_free(context); }
};
struct MappingDeleter {
    void operator()(modbus_mapping_t* mapping) const noexcept { modbus_mapping_free(mapping); }
};

// The number that a register of the map shows.
double number_of(const Register& reg, const Machine& machine) {
    const Reading& now = machine.reading();
    if (reg.name == "parts_good") return now.parts_good;
    if (reg.name == "parts_discarded") return now.parts_discarded;
    if (reg.name == "temperature_c") return now.temperature_c;
    if (reg.name == "state") return static_cast<double>(now.state);
    if (reg.name == "error_code") return now.error_code;
    if (reg.name == "cycle_ms") return now.cycle_ms;
    if (reg.name == "setpoint_c") return machine.setpoint_c();
    return now.door_closed ? 1 : 0;
}

class Server final : public FleximServer {
public:
    Server(std::unique_ptr<modbus_t, ContextDeleter> context,
           std::unique_ptr<modbus_mapping_t, MappingDeleter> mapping, int listener,
           std::uint16_t port, Machine machine, double speed)
        : context_(std::move(context)),
          mapping_(std::move(mapping)),
          listener_(listener),
          port_(port),
          machine_(std::move(machine)),
          speed_(speed) {}
    ~Server() override {
        for (const int client : clients_) ::close(client);
        ::close(listener_);
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    std::uint16_t port() const override { return port_; }
    Result<void> run(const std::atomic<bool>& stop,
                     const std::function<void(const Reading&)>& on_change) override;

private:
    Result<void> show();
    void take_setpoint();
    void accept_client();
    bool answer(int client);

    std::unique_ptr<modbus_t, ContextDeleter> context_;
    std::unique_ptr<modbus_mapping_t, MappingDeleter> mapping_;
    int listener_;
    std::uint16_t port_;
    Machine machine_;
    double speed_;
    std::vector<int> clients_;
};

Result<void> Server::show() {
    for (const Register& reg : fieldbus::flexim_map()) {
        const double number = number_of(reg, machine_);
        if (reg.kind == Kind::coil) {
            mapping_->tab_bits[reg.address] = number != 0 ? 1 : 0;
            continue;
        }
        std::uint16_t* const table =
            reg.kind == Kind::input ? mapping_->tab_input_registers : mapping_->tab_registers;
        QUOIN_CHECK(fieldbus::encode(reg, number,
                                     std::span(table + reg.address, fieldbus::words_of(reg.type))));
    }
    return {};
}

void Server::take_setpoint() {
    for (const Register& reg : fieldbus::flexim_map()) {
        if (reg.kind != Kind::holding) continue;
        const auto value = fieldbus::decode(
            reg, std::span(mapping_->tab_registers + reg.address, fieldbus::words_of(reg.type)));
        if (value) machine_.set_setpoint_c(std::get<double>(*value));
    }
}

void Server::accept_client() {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;  // it has gone again
    if (clients_.size() >= max_clients) {
        ::close(client);
        return;
    }
    clients_.push_back(client);
}

bool Server::answer(int client) {
    std::array<std::uint8_t, MODBUS_TCP_MAX_ADU_LENGTH> request{};
    modbus_set_socket(context_.get(), client);
    const int size = modbus_receive(context_.get(), request.data());
    if (size < 0) return false;
    if (size > 0 && modbus_reply(context_.get(), request.data(), size, mapping_.get()) < 0) {
        return errno != EPIPE && errno != ECONNRESET && errno != EBADF;
    }
    take_setpoint();
    return true;
}

Result<void> Server::run(const std::atomic<bool>& stop,
                         const std::function<void(const Reading&)>& on_change) {
    auto then = Clock::now();
    auto state = machine_.reading().state;
    while (!stop) {
        const auto now = Clock::now();
        machine_.advance(std::chrono::duration<double>(now - then).count() * speed_);
        then = now;
        if (machine_.reading().state != state) on_change(machine_.reading());
        state = machine_.reading().state;
        QUOIN_CHECK(show());
        std::vector<pollfd> waiting{{listener_, POLLIN, 0}};
        for (const int client : clients_) waiting.push_back({client, POLLIN, 0});
        if (::poll(waiting.data(), waiting.size(), tick_ms) <= 0) continue;
        for (std::size_t i = 1; i < waiting.size(); ++i) {
            if (waiting[i].revents == 0 || answer(waiting[i].fd)) continue;
            ::close(waiting[i].fd);
            std::erase(clients_, waiting[i].fd);
        }
        if (waiting.front().revents != 0) accept_client();
    }
    return {};
}

Result<std::uint16_t> port_of(int listener) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        return fail(Code::resource_unavailable, "getsockname: {}", std::strerror(errno));
    }
    return ntohs(address.sin_port);
}

}  // namespace

Result<std::unique_ptr<FleximServer>> FleximServer::listen(const std::string& address,
                                                           std::uint16_t port, Machine machine,
                                                           double speed) {
    std::unique_ptr<modbus_t, ContextDeleter> context(modbus_new_tcp(address.c_str(), port));
    // One more than the highest address of each table.
    int bits = 0;
    int holding = 0;
    int input = 0;
    for (const Register& reg : fieldbus::flexim_map()) {
        const int end = reg.address + fieldbus::words_of(reg.type);
        int& table = reg.kind == Kind::coil ? bits : reg.kind == Kind::input ? input : holding;
        table = std::max(table, end);
    }
    std::unique_ptr<modbus_mapping_t, MappingDeleter> mapping(
        modbus_mapping_new(bits, 0, holding, input));
    if (!context || !mapping) {
        return fail(Code::resource_unavailable, "Modbus: {}", modbus_strerror(errno));
    }
    modbus_set_indication_timeout(context.get(), 0, request_timeout_us);
    const int listener = modbus_tcp_listen(context.get(), 8);
    if (listener < 0) {
        return fail(Code::resource_unavailable, "cannot listen on {}:{}: {}", address, port,
                    modbus_strerror(errno));
    }
    auto bound = port_of(listener);
    if (!bound) {
        ::close(listener);
        return std::unexpected(bound.error());
    }
    return std::make_unique<Server>(std::move(context), std::move(mapping), listener, *bound,
                                    std::move(machine), speed);
}

}  // namespace quoin::sim
