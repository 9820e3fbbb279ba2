#include "host/keys/se/bus.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace quoin::keys::se {
namespace {

ByteVector message_of(std::size_t size, std::uint8_t first = 1) {
    ByteVector message(size);
    for (std::size_t i = 0; i < size; ++i) {
        message[i] = static_cast<std::uint8_t>(first + 31 * i + i / 256);
    }
    return message;
}

// What one side has to say, through `damage`, to the other.
template <class Damage>
bool carry(Framing& from, Framing& to, Damage damage) {
    if (from.output().empty()) return false;
    ByteVector bytes(from.output().begin(), from.output().end());
    from.sent(bytes.size());
    damage(bytes);
    Bytes rest = bytes;
    while (!rest.empty()) {
        const auto used = to.feed(rest);
        EXPECT_TRUE(used) << "given up";
        if (!used || *used == 0) break;
        rest = rest.subspan(*used);
    }
    return true;
}
void nothing(ByteVector&) {}

// Host asks, secure element answers. How many times somebody had to ask again for lost bytes.
template <class Damage>
int exchange(Framing& host, Framing& element, std::size_t size, Damage damage) {
    const ByteVector request = message_of(size);
    const ByteVector answer = message_of(size / 2 + 1, 7);
    int timeouts = 0;
    EXPECT_TRUE(host.send(request));
    while (!host.has_message()) {
        const bool out = carry(host, element, damage);
        const bool back = carry(element, host, damage);
        const bool moved = out || back;
        if (element.has_message()) {
            EXPECT_TRUE(std::ranges::equal(element.message(), request));
            element.next_message();
            EXPECT_TRUE(element.send(answer));
        } else if (!moved && !host.has_message()) {
            if (!host.timed_out() || ++timeouts > 10'000) {
                ADD_FAILURE() << "stuck";
                return timeouts;
            }
        }
    }
    EXPECT_TRUE(std::ranges::equal(host.message(), answer));
    host.next_message();
    return timeouts;
}

TEST(Bus, checksum__check_value_of_x25__0x906E) {
    EXPECT_EQ(bus_checksum(bytes_of("123456789")), 0x906E);
}

TEST(Bus, exchange__every_size_around_a_block__whole) {
    BusFraming host(BusSide::host);
    BusFraming element(BusSide::secure_element);
    for (const std::size_t size : {1U, 2U, 253U, 254U, 255U, 508U, 509U, 5000U, 65536U}) {
        EXPECT_EQ(exchange(host, element, size, nothing), 0) << size;
    }
    EXPECT_EQ(host.send(message_of(max_bus_message + 1)).error(), Code::resource_full);
}

TEST(Bus, exchange__bits_flip_and_blocks_vanish__whole_after_retries) {
    std::mt19937 generator(1);
    for (int round = 0; round < 2000; ++round) {
        BusFraming host(BusSide::host);
        BusFraming element(BusSide::secure_element);
        int damaged = 0;
        exchange(host, element, 2000, [&](ByteVector& bytes) {
            if (generator() % 16 != 0) return;
            ++damaged;
            if (generator() % 2 == 0) {
                bytes.clear();
            } else {
                bytes[generator() % bytes.size()] ^=
                    static_cast<std::uint8_t>(1U << generator() % 8);
            }
        });
        if (HasFailure()) {
            ADD_FAILURE() << "round " << round << ", " << damaged << " damaged";
            break;
        }
    }
}

TEST(Bus, exchange__a_wire_that_is_cut__given_up_after_the_retries) {
    BusFraming host(BusSide::host);
    ASSERT_TRUE(host.send(message_of(10)));
    for (int i = 0; i < max_bus_retries; ++i) {
        host.sent(host.output().size());
        EXPECT_TRUE(host.timed_out());
    }
    EXPECT_FALSE(host.timed_out());
}

TEST(Length, feed__bytes_one_by_one__messages_as_sent) {
    LengthFraming from(1000);
    LengthFraming to(1000);
    for (const std::size_t size : {1U, 5U, 1000U}) {
        ASSERT_TRUE(from.send(message_of(size)));
        const ByteVector bytes(from.output().begin(), from.output().end());
        from.sent(bytes.size());
        for (const std::uint8_t byte : bytes) {
            ASSERT_FALSE(to.has_message());
            ASSERT_EQ(*to.feed({&byte, 1}), 1U);
        }
        ASSERT_TRUE(to.has_message());
        EXPECT_TRUE(std::ranges::equal(to.message(), message_of(size)));
        to.next_message();
    }
    EXPECT_EQ(from.send(message_of(1001)).error(), Code::resource_full);
    const ByteVector too_long{0, 0, 3, 0xE9};
    EXPECT_EQ(to.feed(too_long).error(), Code::peer_oversize);
    const ByteVector empty{0, 0, 0, 0};
    EXPECT_EQ(LengthFraming(10).feed(empty).error(), Code::peer_malformed);
}

}  // namespace
}  // namespace quoin::keys::se
