#include "host/error.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace quoin {
namespace {

// No default: a new Code does not compile here (-Wswitch) until it is listed, and then the table of
// host/error.cpp must have it too.
bool is_a_code(Code code) {
    switch (code) {
        case Code::peer_malformed:
        case Code::peer_oversize:
        case Code::peer_unauthenticated:
        case Code::peer_forbidden:
        case Code::peer_replayed:
        case Code::peer_late:
        case Code::peer_too_fast:
        case Code::input_invalid:
        case Code::input_not_found:
        case Code::input_conflict:
        case Code::input_unsupported:
        case Code::input_unauthenticated:
        case Code::config_invalid:
        case Code::config_unknown_key:
        case Code::config_missing:
        case Code::state_wrong:
        case Code::state_stale:
        case Code::resource_unavailable:
        case Code::resource_timeout:
        case Code::resource_full:
        case Code::integrity_mismatch:
        case Code::integrity_signature:
        case Code::internal:
            return true;
    }
    return false;
}

std::vector<Code> all_codes() {
    std::vector<Code> codes;
    for (unsigned number = 0; number <= 0xFFFF; ++number) {
        const auto code = static_cast<Code>(number);
        if (is_a_code(code)) codes.push_back(code);
    }
    return codes;
}

// The block of a code, by who is to blame: the first word of its name.
std::string block_of(Code code) {
    const std::map<unsigned, std::string> blocks{{1, "peer"},    {2, "input"},    {3, "config"},
                                                 {4, "state"},   {5, "resource"}, {6, "integrity"},
                                                 {7, "internal"}};
    const auto block = blocks.find(static_cast<unsigned>(code) >> 8U);
    return block == blocks.end() ? "no block" : block->second;
}

TEST(Error, table__every_code__has_a_name_of_its_block) {
    ASSERT_EQ(all_codes().size(), 23U);
    for (const Code code : all_codes()) {
        EXPECT_TRUE(code_name(code).starts_with(block_of(code)))
            << static_cast<int>(code) << " is named " << code_name(code);
    }
}

TEST(Error, table__every_name__is_unique_and_snake_case) {
    std::set<std::string_view> names;
    for (const Code code : all_codes()) {
        const std::string_view name = code_name(code);
        EXPECT_TRUE(names.insert(name).second) << name;
        for (const char letter : name)
            EXPECT_TRUE(std::islower(letter) != 0 || letter == '_') << name;
    }
}

TEST(Error, table__every_code__has_an_http_error_and_a_failing_exit_code) {
    for (const Code code : all_codes()) {
        EXPECT_GE(http_status(code), 400) << code_name(code);
        EXPECT_LE(http_status(code), 599) << code_name(code);
        EXPECT_TRUE(exit_code(code) == 1 || exit_code(code) == 2) << code_name(code);
    }
}

TEST(Error, fail__with_arguments__is_a_code_and_a_sentence) {
    const Result<int> result = fail(Code::input_invalid, "{}: line {} is empty", "batch.jsonl", 3);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::input_invalid);
    EXPECT_EQ(result.error().message, "batch.jsonl: line 3 is empty");
}

TEST(Error, lift__core_error__says_what_was_being_done) {
    const core::Result<int> failed = std::unexpected(Code::peer_malformed);
    const Result<int> lifted = lift(failed, "reading the header");
    ASSERT_FALSE(lifted);
    EXPECT_EQ(lifted.error().code, Code::peer_malformed);
    EXPECT_EQ(lifted.error().message, "reading the header: peer_malformed");
}

TEST(Error, lift__core_value__keeps_it) {
    EXPECT_EQ(*lift(core::Result<int>(7), "counting"), 7);
    EXPECT_TRUE(lift(core::Result<void>(), "nothing"));
}

}  // namespace
}  // namespace quoin
