// All interleavings of two machines that share an anchor: opening, reserving, crashes and failed
// steps at every step. Each opening finds any file that either machine has ever written: its own,
// an older one that was put back, or a copy of the other's.
#include "host/counters/protocol.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <optional>
#include <unordered_set>
#include <vector>

namespace quoin::counters {
namespace {

using Step = Protocol::Step;

struct File {
    std::uint64_t generation = 1;
    std::uint64_t next = 0;  // the first value that was never reserved
    bool operator==(const File&) const = default;
};

struct Machine {
    bool on = false;
    Protocol protocol;
    std::uint64_t claim = 0;
    std::uint64_t given = 0;  // the first value that this process may hand out
    std::uint64_t next = 0;   // and where its reservation ends
};

struct World {
    std::array<Machine, 2> machines;
    std::uint64_t claims = 0;
    std::uint64_t generation = 1;
    std::uint64_t handed_out = 0;  // a bit for each value
    std::uint64_t written = 0;     // a bit for each file that was ever made
    std::uint64_t failures = 0;
    bool is_twice = false;
};

struct Rules {
    std::uint64_t claims, generations, values, failures;  // the edge of the world
    // Canaries: a part of the protocol that is left out.
    bool confirms = true;
    bool opening_hands_out_nothing = true;
};

std::uint64_t bit_of(const Rules& rules, const File& file) {
    return std::uint64_t{1} << (file.generation * (rules.values + 1) + file.next);
}

struct Key {
    std::uint64_t machines, rest;
    bool operator==(const Key&) const = default;
};
struct KeyHash {
    std::size_t operator()(const Key& key) const {
        return (key.machines * 0x9E3779B97F4A7C15U) ^ std::rotl(key.rest * 0xC2B2AE3D27D4EB4FU, 31);
    }
};

Key key_of(const World& world) {
    Key key{0, 0};
    const auto put = [](std::uint64_t& to, std::uint64_t value, unsigned bits) {
        to = (to << bits) | value;
    };
    for (const Machine& machine : world.machines) {
        put(key.machines, machine.on, 1);
        if (!machine.on) continue;  // the memory of one that is off is gone
        put(key.machines, static_cast<std::uint64_t>(machine.protocol.next()), 3);
        put(key.machines, machine.protocol.is_serving(), 1);
        put(key.machines, machine.protocol.generation(), 4);
        put(key.machines, machine.claim, 3);
        put(key.machines, machine.given, 3);
        put(key.machines, machine.next, 3);
    }
    key.rest = world.written;
    put(key.rest, world.failures, 2);
    put(key.machines, world.claims, 3);
    put(key.machines, world.generation, 4);
    put(key.machines, world.handed_out, 4);
    return key;
}

class Checker {
public:
    explicit Checker(const Rules& rules) : rules_(rules) {
        World start;
        start.written = bit_of(rules_, File());
        add(start);
    }

    // How many states there are; nothing if in one of them a value was handed out twice.
    std::optional<std::size_t> run() {
        while (!open_.empty()) {
            const World world = open_.back();
            open_.pop_back();
            if (world.is_twice) return {};
            for (std::size_t who = 0; who < 2; ++who) expand(world, who);
        }
        return known_.size();
    }
    std::uint64_t most_handed_out() const { return most_; }

private:
    void add(const World& world) {
        if (world.claims > rules_.claims || world.generation > rules_.generations) return;
        most_ = std::max<std::uint64_t>(most_, std::popcount(world.handed_out));
        if (world.is_twice || known_.insert(key_of(world)).second) open_.push_back(world);
    }

    void expand(const World& from, std::size_t who) {
        if (!from.machines[who].on) return open(from, who);
        World crashed = from;
        crashed.machines[who] = Machine();
        add(crashed);
        if (from.machines[who].protocol.next() == Step::refused) return;
        if (from.machines[who].protocol.next() == Step::ready) {
            reserve(from, who);
        } else {
            work(from, who);
        }
    }

    void open(const World& from, std::size_t who) {
        for (std::uint64_t rest = from.written; rest != 0; rest &= rest - 1) {
            const auto number = static_cast<std::uint64_t>(std::countr_zero(rest));
            const std::uint64_t next = number % (rules_.values + 1);
            World world = from;
            const std::uint64_t reserves =
                !rules_.opening_hands_out_nothing && next < rules_.values ? 1 : 0;
            world.machines[who] = {true, Protocol(), 0, next, next + reserves};
            world.machines[who].protocol.begin(number / (rules_.values + 1));
            add(world);
        }
    }

    void reserve(World world, std::size_t who) {
        Machine& machine = world.machines[who];
        if (machine.next == rules_.values) return;
        ++machine.next;
        machine.protocol.change();
        add(world);
    }

    // One step, which works, or fails after its effect, or before it.
    void work(const World& from, std::size_t who) {
        World world = from;
        take_step(world, who, false);
        add(world);
        if (from.failures == rules_.failures) return;
        for (const bool has_effect : {false, true}) {
            World failed = from;
            ++failed.failures;
            if (has_effect) take_step(failed, who, true);
            Protocol& protocol = failed.machines[who].protocol;
            protocol.failed();
            protocol.change();
            add(failed);
        }
    }

    // `is_lost`: its answer does not arrive.
    void take_step(World& world, std::size_t who, bool is_lost) {
        Machine& machine = world.machines[who];
        Protocol answered = machine.protocol;
        switch (machine.protocol.next()) {
            case Step::claim:
                ++world.claims;
                if (!is_lost) machine.claim = world.claims;
                answered.claimed(world.claims);
                break;
            case Step::look:
                answered.seen(rules_.confirms ? world.claims : machine.claim, world.generation);
                break;
            case Step::write:
                world.written |= bit_of(rules_, {machine.protocol.target(), machine.next});
                answered.written();
                break;
            case Step::increment:
                answered.incremented(++world.generation);
                break;
            case Step::confirm:
                answered.confirmed(rules_.confirms ? world.claims : machine.claim);
                break;
            case Step::idle:
            case Step::ready:
            case Step::refused:
                FAIL() << "nothing to do";
        }
        if (is_lost) return;
        machine.protocol = answered;
        if (answered.next() == Step::ready && machine.given != machine.next) hand_out(world, who);
    }

    void hand_out(World& world, std::size_t who) {
        Machine& machine = world.machines[who];
        if (!machine.protocol.is_serving() && rules_.opening_hands_out_nothing) {
            machine.protocol.change();  // what a failure left over: only now reserved for good
            return;
        }
        for (; machine.given != machine.next; ++machine.given) {
            const std::uint64_t bit = std::uint64_t{1} << machine.given;
            world.is_twice |= (world.handed_out & bit) != 0;
            world.handed_out |= bit;
        }
    }

    Rules rules_;
    std::unordered_set<Key, KeyHash> known_;
    std::vector<World> open_;
    std::uint64_t most_ = 0;
};

TEST(protocol, all_interleavings__two_machines_restores_and_crashes__no_value_twice) {
    Checker checker({.claims = 4, .generations = 6, .values = 2, .failures = 0});
    const auto states = checker.run();
    ASSERT_TRUE(states) << "a value was handed out twice";
    EXPECT_EQ(checker.most_handed_out(), 2U);
    std::cout << *states << " states\n";
}

TEST(protocol, all_interleavings__failed_steps_too__no_value_twice) {
    Checker checker({.claims = 3, .generations = 6, .values = 2, .failures = 1});
    const auto states = checker.run();
    ASSERT_TRUE(states) << "a value was handed out twice";
    EXPECT_EQ(checker.most_handed_out(), 2U);
    std::cout << *states << " states\n";
}

// The checker can fail: each part that is left out is found.
TEST(protocol, canary__claims_not_confirmed__value_twice_is_found) {
    Checker checker({.claims = 4, .generations = 6, .values = 2, .failures = 0, .confirms = false});
    EXPECT_FALSE(checker.run());
}

TEST(protocol, canary__first_generation_hands_out__value_twice_is_found) {
    Checker checker({.claims = 4,
                     .generations = 6,
                     .values = 2,
                     .failures = 0,
                     .opening_hands_out_nothing = false});
    EXPECT_FALSE(checker.run());
}

TEST(protocol, without_anchor__opened_and_changed__each_generation_is_new) {
    Protocol protocol(false);
    protocol.begin(4);
    EXPECT_EQ(protocol.next(), Step::write);
    protocol.written();
    EXPECT_EQ(protocol.next(), Step::ready);
    EXPECT_FALSE(protocol.is_serving());
    protocol.change();
    EXPECT_EQ(protocol.target(), 6U);
    protocol.failed();
    protocol.change();
    EXPECT_EQ(protocol.target(), 7U);
}

}  // namespace
}  // namespace quoin::counters
