#include "host/keys/se/bus.hpp"

namespace quoin::keys::se {
namespace {

constexpr std::uint8_t sequence_bit = 0x40;
constexpr std::uint8_t more_bit = 0x20;
constexpr std::uint8_t ready = 0x80;
constexpr std::uint8_t ready_sequence_bit = 0x10;
constexpr std::uint8_t wrong_checksum = 1;
constexpr std::uint8_t other_error = 2;
constexpr std::size_t head_bytes = 4;
constexpr std::uint8_t idle = 0;  // between blocks

// Node addresses of GlobalPlatform's T=1': from the host, and from the secure element.
constexpr std::uint8_t address(BusSide from) { return from == BusSide::host ? 0x5A : 0xA5; }
constexpr BusSide other(BusSide side) {
    return side == BusSide::host ? BusSide::secure_element : BusSide::host;
}

using namespace std::chrono_literals;

// All *emulated*; the processor that computes is this machine's, not a secure element's.
//  i2c-400k   NXP UM10204: fast mode, 400 kbit/s, 8 bits and an acknowledgement: 9 clocks a byte =
//             22.5 us. Per block: start, address byte, stop, bus-free time 1.3 us: about 30 us.
//  spi-10m    8 clocks a byte at 10 MHz = 0.8 us; per block 10 us for chip select and turn-around
//             (assumed).
//  *-scp03    GlobalPlatform Card Specification, Amendment D: command and response each get a MAC
//             of 8 bytes and padding of at most 16. 2 ms a message for the chip's AES and CMAC and
//             the host's: assumed, no data sheet says it.
constexpr std::array profiles{
    BusProfile{"i2c-400k", 22'500ns, 30us, 0, 0ns},
    BusProfile{"i2c-400k-scp03", 22'500ns, 30us, 24, 2ms},
    BusProfile{"spi-10m", 800ns, 10us, 0, 0ns},
    BusProfile{"spi-10m-scp03", 800ns, 10us, 24, 2ms},
};

}  // namespace

std::span<const BusProfile> bus_profiles() { return profiles; }

Result<const BusProfile*> bus_profile(std::string_view name) {
    const auto* found = std::ranges::find(profiles, name, &BusProfile::name);
    if (found != profiles.end()) return found;
    return fail(Code::input_invalid,
                "\"{}\" is no bus profile: i2c-400k, i2c-400k-scp03, spi-10m, spi-10m-scp03", name);
}

// CRC-16/X-25 (ISO/IEC 13239): polynomial 0x1021, bits reversed, all ones before and after.
std::uint16_t bus_checksum(Bytes bytes) {
    std::uint16_t crc = 0xFFFF;
    for (const std::uint8_t byte : bytes) {
        crc = static_cast<std::uint16_t>(crc ^ byte);
        for (int bit = 0; bit < 8; ++bit) {
            crc = static_cast<std::uint16_t>((crc >> 1U) ^ ((crc & 1U) != 0 ? 0x8408U : 0U));
        }
    }
    return static_cast<std::uint16_t>(~crc);
}

void BusFraming::queue(Bytes block) {
    ByteVector all(output().begin(), output().end());
    all.insert(all.end(), block.begin(), block.end());
    sent_ = 0;
    output_.assign(std::move(all));
}

ByteVector BusFraming::make_block(std::uint8_t control, Bytes information) const {
    ByteVector block(head_bytes + information.size() + 2);
    core::Writer writer(block);
    const bool written = writer.put_unsigned<1>(address(side_)) &&
                         writer.put_unsigned<1>(control) &&
                         writer.put_unsigned<2>(information.size()) && writer.put(information) &&
                         writer.put_unsigned<2>(bus_checksum(writer.written()));
    static_cast<void>(written);  // the vector is as long as what is written
    return block;
}

void BusFraming::emit_ready(std::uint8_t error) {
    const unsigned sequence = next_in_ != 0 ? ready_sequence_bit : 0;
    queue(make_block(static_cast<std::uint8_t>(ready | sequence | error), {}));
}

void BusFraming::emit_next_block() {
    const Bytes rest = Bytes(sending_.bytes()).subspan(sending_at_);
    const Bytes piece = rest.first(std::min(rest.size(), max_bus_information));
    const bool more = piece.size() < rest.size();
    last_.assign(make_block(
        static_cast<std::uint8_t>((next_out_ != 0 ? sequence_bit : 0) | (more ? more_bit : 0)),
        piece));
    queue(last_.bytes());
    next_out_ ^= 1U;
    sending_at_ += piece.size();
    if (!more) {
        sending_.clear();
        sending_at_ = 0;
    }
}

core::Result<void> BusFraming::send(Bytes message) {
    if (message.size() > max_bus_message) return std::unexpected(Code::resource_full);
    if (sending_.size() != 0) return std::unexpected(Code::state_wrong);
    sending_.assign(ByteVector(message.begin(), message.end()));
    emit_next_block();
    return {};
}

core::Result<void> BusFraming::ask_again(std::uint8_t error) {
    taken_ = 0;
    if (++retries_ > max_bus_retries) return std::unexpected(Code::peer_malformed);
    emit_ready(error);
    return {};
}

// Idle bytes first: they end a block whose length was damaged, for which the other side waits.
bool BusFraming::timed_out() {
    queue(ByteVector(block_.size(), idle));
    return ask_again(other_error).has_value();
}

core::Result<std::size_t> BusFraming::feed(Bytes input) {
    std::size_t used = 0;
    while (used < input.size() && !has_message_) {
        if (taken_ == 0 && input[used] == idle) {
            ++used;
            continue;
        }
        block_[taken_++] = input[used++];
        if (taken_ < head_bytes) continue;
        const std::size_t length = (std::size_t{block_[2]} << 8U) | block_[3];
        if (block_[0] != address(other(side_)) || length > max_bus_information) {
            // Nobody knows where the next block begins: the sender waits, so it is not in here.
            QUOIN_CHECK(ask_again(other_error));
            return input.size();
        }
        if (taken_ == head_bytes + length + 2) QUOIN_CHECK(complete_block());
    }
    return used;
}

core::Result<void> BusFraming::complete_block() {
    const Bytes block = Bytes(block_).first(std::exchange(taken_, 0));
    const Bytes covered = block.first(block.size() - 2);
    const std::size_t sum = (std::size_t{block[block.size() - 2]} << 8U) | block.back();
    if (sum != bus_checksum(covered)) return ask_again(wrong_checksum);
    const std::uint8_t control = block[1];
    if ((control & 0x80U) == 0) return take_information(control, covered.subspan(head_bytes));
    take_ready(control);
    return {};
}

void BusFraming::append_to_message(Bytes information) {
    ByteVector all;
    all.reserve(partial_.size() + information.size());
    all.insert(all.end(), partial_.bytes().begin(), partial_.bytes().end());
    all.insert(all.end(), information.begin(), information.end());
    partial_.assign(std::move(all));
}

core::Result<void> BusFraming::take_information(std::uint8_t control, Bytes information) {
    const bool more = (control & more_bit) != 0;
    const std::uint8_t sequence = (control & sequence_bit) != 0 ? 1 : 0;
    // Seen before. If what we sent since was lost, the host will say so: it alone has a clock.
    if (sequence != next_in_) return {};
    if (partial_.size() + information.size() > max_bus_message) {
        return std::unexpected(Code::peer_oversize);
    }
    retries_ = 0;
    next_in_ ^= 1U;
    append_to_message(information);
    if (more) {
        emit_ready(0);
        return {};
    }
    if (partial_.size() == 0) return std::unexpected(Code::peer_malformed);
    message_.assign(ByteVector(partial_.bytes().begin(), partial_.bytes().end()));
    partial_.clear();
    has_message_ = true;
    return {};
}

void BusFraming::take_ready(std::uint8_t control) {
    const std::uint8_t wanted = (control & ready_sequence_bit) != 0 ? 1 : 0;
    if (wanted != next_out_ && last_.size() != 0) {  // it did not get the last one
        queue(last_.bytes());
    } else if (sending_.size() != 0) {
        retries_ = 0;
        emit_next_block();
    } else if (side_ == BusSide::secure_element) {
        emit_ready(0);  // it has all we said: the lost one was its own
    }
}

}  // namespace quoin::keys::se
