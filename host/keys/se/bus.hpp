// The protocol's messages over a slow bus to a secure element, *emulated*: blocks like those of
// GlobalPlatform "APDU Transport over SPI/I2C" (T=1', what an SE050 speaks), over any stream.
//
//   block   u8 address | u8 control | u16 length <= 254 | information | u16 CRC-16/X-25
//   control 0 N M 00000     information block: sequence bit N, more blocks follow M
//           100 N 00 EE     ready for block N; EE: 0 fine, 1 wrong checksum, 2 other
//
// Zeros between blocks are idle. One block is under way at a time. A sender goes on when the other
// side is ready for the next sequence bit; the last block of a message is acknowledged by the first
// one of the answer. What was damaged is asked for again, at most max_bus_retries times in a row:
// peer_malformed then. What was lost the host asks for, after a time (timed_out()); the secure
// element only answers. Messages are at most max_bus_message bytes.
#pragma once

#include <chrono>
#include <span>

#include "host/error.hpp"
#include "host/keys/se/framing.hpp"

namespace quoin::keys::se {

inline constexpr std::size_t max_bus_information = 254;
inline constexpr std::size_t max_bus_message = 64U << 10U;
inline constexpr int max_bus_retries = 5;

enum class BusSide : std::uint8_t { host, secure_element };

std::uint16_t bus_checksum(Bytes bytes);

class BusFraming final : public Framing {
public:
    explicit BusFraming(BusSide side) : side_(side) {}
    core::Result<std::size_t> feed(Bytes input) override;
    core::Result<void> send(Bytes message) override;
    bool timed_out() override;

private:
    ByteVector make_block(std::uint8_t control, Bytes information) const;
    void queue(Bytes block);
    void emit_ready(std::uint8_t error);
    void emit_next_block();
    core::Result<void> ask_again(std::uint8_t error);
    void append_to_message(Bytes information);
    core::Result<void> complete_block();
    core::Result<void> take_information(std::uint8_t control, Bytes information);
    void take_ready(std::uint8_t control);

    BusSide side_;
    std::array<std::uint8_t, 6 + max_bus_information> block_{};  // the one that comes in
    std::size_t taken_ = 0;
    WipedBytes partial_;  // blocks of a message that is not complete
    WipedBytes sending_;
    std::size_t sending_at_ = 0;
    WipedBytes last_;            // the last information block, to send it again
    std::uint8_t next_out_ = 0;  // sequence bits
    std::uint8_t next_in_ = 0;
    int retries_ = 0;
};

// How slow. All figures are *emulated*: bus.cpp says where each comes from.
struct BusProfile {
    std::string_view name;
    std::chrono::nanoseconds per_byte;
    std::chrono::nanoseconds per_block;    // start, address, turn-around
    std::size_t secured_bytes;             // SCP03: what each message grows by
    std::chrono::nanoseconds per_message;  // SCP03: what the chip takes to check and encrypt
};
std::span<const BusProfile> bus_profiles();
Result<const BusProfile*> bus_profile(std::string_view name);

}  // namespace quoin::keys::se
