#include <modbus/modbus.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <numeric>

#include "agent/source.hpp"

namespace quoin::agent {
namespace {

using fieldbus::Kind;
using fieldbus::Register;
using Clock = std::chrono::steady_clock;

constexpr int max_span = 100;  // words or bits in one request; the protocol allows 125 words
constexpr auto repeat_state = std::chrono::seconds(60);

struct ContextDeleter {
    void operator()(modbus_t* context) const noexcept {
        modbus_close(context);
        modbus_free(context);
    }
};

// Neighbouring registers of one kind, read with one request. A gap ends it: a device may refuse
// addresses that it does not have.
struct Span {
    Kind kind;
    int first;
    int count;
    std::vector<std::size_t> registers;  // indices
};

std::vector<Span> plan(const std::vector<Register>& registers) {
    std::vector<std::size_t> order(registers.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, {}, [&](std::size_t i) {
        return std::pair(registers[i].kind, registers[i].address);
    });
    std::vector<Span> spans;
    for (const std::size_t i : order) {
        const Register& reg = registers[i];
        const int words = fieldbus::words_of(reg.type);
        const bool joins = !spans.empty() && spans.back().kind == reg.kind &&
                           reg.address <= spans.back().first + spans.back().count &&
                           reg.address + words - spans.back().first <= max_span;
        if (!joins) spans.push_back({reg.kind, reg.address, 0, {}});
        Span& span = spans.back();
        span.count = std::max(span.count, reg.address + words - span.first);
        span.registers.push_back(i);
    }
    return spans;
}

class ModbusSource final : public Source {
public:
    ModbusSource(ModbusOptions options, Queue& queue)
        : options_(std::move(options)), queue_(queue), spans_(plan(options_.registers)) {}
    const std::string& name() const override { return options_.name; }
    void run(const std::stop_token& stop) override;

private:
    Result<void> connect();
    Result<Sample> poll();
    Result<void> read(const Span& span, std::span<std::uint16_t> words);
    bool report(std::string_view state, const std::stop_token& stop);

    const ModbusOptions options_;
    Queue& queue_;
    const std::vector<Span> spans_;
    std::unique_ptr<modbus_t, ContextDeleter> context_;
    std::string state_ = "ok";
    Clock::time_point state_said_;
};

Result<void> ModbusSource::connect() {
    if (context_) return {};
    const std::string port = std::to_string(options_.port);
    std::unique_ptr<modbus_t, ContextDeleter> context(
        modbus_new_tcp_pi(options_.host.c_str(), port.c_str()));
    if (!context) {
        return fail(Code::resource_unavailable, "{}:{}: {}", options_.host, port,
                    modbus_strerror(errno));
    }
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(options_.timeout);
    const std::chrono::microseconds rest = options_.timeout - seconds;
    modbus_set_response_timeout(context.get(), static_cast<std::uint32_t>(seconds.count()),
                                static_cast<std::uint32_t>(rest.count()));
    if (modbus_set_slave(context.get(), options_.unit) != 0 || modbus_connect(context.get()) != 0) {
        return fail(Code::resource_unavailable, "{}:{}: {}", options_.host, port,
                    modbus_strerror(errno));
    }
    context_ = std::move(context);
    return {};
}

Result<void> ModbusSource::read(const Span& span, std::span<std::uint16_t> words) {
    std::array<std::uint8_t, max_span> bits{};
    int got = -1;
    switch (span.kind) {
        case Kind::holding:
            got = modbus_read_registers(context_.get(), span.first, span.count, words.data());
            break;
        case Kind::input:
            got = modbus_read_input_registers(context_.get(), span.first, span.count, words.data());
            break;
        case Kind::coil:
            got = modbus_read_bits(context_.get(), span.first, span.count, bits.data());
            break;
        case Kind::discrete:
            got = modbus_read_input_bits(context_.get(), span.first, span.count, bits.data());
            break;
    }
    if (got != span.count) {
        return fail(Code::peer_malformed, "{}:{}: reading {} at {}: {}", options_.host,
                    options_.port, span.count, span.first,
                    got < 0 ? modbus_strerror(errno) : "another count than asked for");
    }
    if (fieldbus::is_bit(span.kind)) std::ranges::copy_n(bits.begin(), span.count, words.begin());
    return {};
}

Result<Sample> ModbusSource::poll() {
    std::vector<fieldbus::Value> values(options_.registers.size());
    for (const Span& span : spans_) {
        std::array<std::uint16_t, max_span> words{};
        QUOIN_CHECK(read(span, words));
        for (const std::size_t i : span.registers) {
            const Register& reg = options_.registers[i];
            const auto at = static_cast<std::size_t>(reg.address - span.first);
            QUOIN_TRY(values[i], fieldbus::decode(reg, std::span(words).subspan(
                                                           at, fieldbus::words_of(reg.type))));
        }
    }
    Sample sample{options_.stream, now_ms(), {}};
    for (std::size_t i = 0; i < values.size(); ++i) {
        sample.values.emplace_back(options_.registers[i].name, std::move(values[i]));
    }
    return sample;
}

// A sample that says how the source is, when that changes and now and then while it is not well.
bool ModbusSource::report(std::string_view state, const std::stop_token& stop) {
    const bool changed = state != state_;
    if (!changed && (state == "ok" || Clock::now() - state_said_ < repeat_state)) return true;
    state_ = state;
    state_said_ = Clock::now();
    const Sample sample{options_.stream, now_ms(), {{"source_state", state_}}};
    return store(queue_, {sample}, std::nullopt, options_.name, stop);
}

void ModbusSource::run(const std::stop_token& stop) {
    for (auto next = Clock::now(); wait_until(stop, next);) {
        const auto connected = connect();
        const Result<Sample> sample = connected ? poll() : std::unexpected(connected.error());
        if (sample) {
            if (state_ != "ok") spdlog::info("source_ok source={}", options_.name);
            if (!report("ok", stop) ||
                !store(queue_, {*sample}, std::nullopt, options_.name, stop)) {
                return;
            }
        } else {
            const std::string_view state = connected ? "read_error" : "unreachable";
            if (state_ != state) {
                spdlog::warn("source_failed source={} state={} error=\"{}\"", options_.name, state,
                             sample.error().message);
            }
            // After an error a late answer could be taken for the next one: a new connection.
            context_.reset();
            if (!report(state, stop)) return;
        }
        // Keeps the period; what was missed while the device or the queue was slow is not made up.
        next = std::max(next + options_.period, Clock::now());
    }
}

}  // namespace

std::unique_ptr<Source> make_modbus_source(ModbusOptions options, Queue& queue) {
    return std::make_unique<ModbusSource>(std::move(options), queue);
}

}  // namespace quoin::agent
