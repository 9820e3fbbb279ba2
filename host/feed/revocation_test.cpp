#include "host/feed/revocation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>

namespace quoin::feed {
namespace {

Statement sample() {
    return {.site = "plant",
            .number = 7,
            .at_ms = 1'700'000'000'000,
            .reason = x509::Reason::key_compromise,
            .note = "stolen",
            .actor = "operator:anna",
            .previous = {1, 2, 3},
            .devices = {{"a", 1, {"0a", "0b01"}}, {"b", 2, {}}}};
}

rc::Gen<std::string> any_id() {
    return rc::gen::map(rc::gen::inRange(0, 1'000'000),
                        [](int number) { return fmt::format("device-{}", number); });
}

TEST(revocation, statement__any_devices__round_trip_in_one_form) {
    EXPECT_TRUE(rc::check([] {
        Statement statement = sample();
        statement.devices.clear();
        const auto ids = *rc::gen::nonEmpty(rc::gen::container<std::set<std::string>>(any_id()));
        for (const std::string& id : ids) {
            std::set<std::string> serials;
            for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
                serials.insert(fmt::format("{:04x}", *rc::gen::inRange(0, 0x10000)));
            }
            statement.devices.push_back(
                {id, *rc::gen::inRange<std::uint64_t>(1, 1000), {serials.begin(), serials.end()}});
        }
        const auto bytes = encode_statement(statement);
        RC_ASSERT(bytes.has_value());
        const auto read = decode_statement(*bytes);
        RC_ASSERT(read.has_value());
        RC_ASSERT(*read == statement);
        std::ranges::reverse(statement.devices);
        RC_ASSERT(*encode_statement(statement) == *bytes);
    }));
}

TEST(revocation, statement__cut_or_with_more_behind__refused) {
    const auto bytes = encode_statement(sample());
    ASSERT_TRUE(bytes);
    for (std::size_t size = 0; size < bytes->size(); ++size) {
        EXPECT_FALSE(decode_statement(Bytes(*bytes).first(size))) << size;
    }
    auto longer = *bytes;
    longer.push_back(0);
    EXPECT_FALSE(decode_statement(longer));
    EXPECT_FALSE(decode_head(*bytes)) << "another tag";
}

TEST(revocation, statement__devices_or_serials_twice__refused) {
    Statement statement = sample();
    statement.devices = {{"a", 1, {}}, {"a", 1, {}}};
    EXPECT_FALSE(decode_statement(*encode_statement(statement)));
    statement.devices = {{"a", 1, {"0a", "0a"}}};
    EXPECT_FALSE(decode_statement(*encode_statement(statement)));
    statement.devices = {};
    EXPECT_FALSE(decode_statement(*encode_statement(statement))) << "about nobody";
}

TEST(revocation, statement__bad_values__not_encoded) {
    Statement statement = sample();
    statement.devices = {{"a", 1, {"0"}}};
    EXPECT_FALSE(encode_statement(statement));
    statement.devices = {{"a", 1, {std::string(42, '0')}}};
    EXPECT_FALSE(encode_statement(statement));
    statement.devices.assign(2000, {std::string(100, 'a'), 1, {}});
    EXPECT_FALSE(encode_statement(statement)) << "too long";
}

TEST(revocation, head__round_trip) {
    const Head head{.site = "plant", .number = 9, .last = {4}, .nonce = {5}, .entries = {6}};
    const auto bytes = encode_head(head);
    ASSERT_TRUE(bytes);
    const auto read = decode_head(*bytes);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, head);
    EXPECT_FALSE(decode_statement(*bytes)) << "another tag";
}

// Whatever the devices: every portion fits a statement, and together they are what was there.
TEST(revocation, portions__fit_and_lose_nothing) {
    EXPECT_TRUE(rc::check([] {
        std::vector<Ending> devices;
        std::multiset<std::string> all;
        const int count = *rc::gen::inRange(1, 600);
        const int most = *rc::gen::element(0, 2, 3000);
        const std::size_t id_size = *rc::gen::element<std::size_t>(10, 128);
        for (int i = 0; i < count; ++i) {
            std::string id = fmt::format("{:0>{}}", i, id_size);
            std::vector<std::string> serials;
            const int own = most == 3000 && i > 2 ? 1 : most;
            for (int k = 0; k < own; ++k) {
                serials.push_back(fmt::format("{:040x}", k + 1));
                all.insert(id + serials.back());
            }
            all.insert(id);
            devices.push_back({std::move(id), 1, std::move(serials)});
        }
        std::set<std::string> named;
        while (!devices.empty()) {
            Statement statement = sample();
            statement.devices = take_portion(devices);
            RC_ASSERT(!statement.devices.empty());
            const auto bytes = encode_statement(statement);
            RC_ASSERT(bytes.has_value());
            RC_ASSERT(decode_statement(*bytes).has_value());
            for (const Ending& ending : statement.devices) {
                if (named.insert(ending.device).second) all.erase(all.find(ending.device));
                for (const std::string& serial : ending.serials) {
                    const auto found = all.find(ending.device + serial);
                    RC_ASSERT(found != all.end());
                    all.erase(found);
                }
            }
        }
        RC_ASSERT(all.empty());
    }));
}

TEST(revocation, entries_digest__counts_what_is_revoked_and_its_order) {
    const auto digest = [](const std::vector<std::tuple<std::string, bool, std::string>>& rows) {
        EntriesDigest entries;
        for (const auto& [id, ended, serial] : rows) {
            EXPECT_TRUE(entries.add(
                id, 1, ended,
                serial.empty() ? std::vector<std::string>{} : std::vector<std::string>{serial}));
        }
        return *entries.finish();
    };
    EXPECT_EQ(digest({}), digest({{"a", false, ""}}));
    EXPECT_NE(digest({}), digest({{"a", true, ""}}));
    EXPECT_NE(digest({{"a", false, "0a"}}), digest({{"a", true, "0a"}}));
    EXPECT_NE(digest({{"a", true, "0a"}}), digest({{"a", true, "0b"}}));
    EXPECT_NE(digest({{"a", true, ""}, {"b", true, ""}}),
              digest({{"b", true, ""}, {"a", true, ""}}));
}

}  // namespace
}  // namespace quoin::feed
