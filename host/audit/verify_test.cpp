#include "host/audit/verify.hpp"

#include <gmock/gmock.h>

#include "host/audit/test_log.hpp"

namespace quoin::audit {
namespace {

using testing::HasSubstr;

class Verify : public test::LogTest {
protected:
    Verify() {
        make_log(4);  // created, checkpoint, 4 events, checkpoint
        lines_ = test::lines_of(test::read_file(file_));
    }
    Report check_with(const std::vector<std::string>& lines) {
        test::write_file(file_, test::joined(lines));
        return check();
    }
    void expect_problem(const std::vector<std::string>& lines, std::uint64_t line,
                        std::string_view reason = "") {
        const Report report = check_with(lines);
        ASSERT_TRUE(report.problem);
        EXPECT_EQ(report.problem->line, line) << report.problem->reason;
        EXPECT_THAT(report.problem->reason, HasSubstr(std::string(reason)));
        EXPECT_EQ(report.lines, line - 1);
    }
    // The same event with another value, in the right form: only the chain can tell.
    static std::string changed(const std::string& text, const std::function<void(Line&)>& change) {
        auto line = decode(text);
        change(*line);
        return encode(*line);
    }

    std::vector<std::string> lines_;
};

TEST_F(Verify, verify__untouched__holds) {
    const Report report = check();
    EXPECT_FALSE(report.problem);
    EXPECT_EQ(report.lines, 7U);
    EXPECT_EQ(report.checkpoints, 2U);
    EXPECT_EQ(report.covered_number, 7U);
    EXPECT_EQ(report.unfinished_bytes, 0U);
}

TEST_F(Verify, verify__each_field_of_an_event_changed__found_at_the_next_line) {
    const std::vector<std::function<void(Line&)>> changes{
        [](Line& line) { line.event.time_ms += 1; },
        [](Line& line) { line.event.id = Id::pki_certificate_revoked; },
        [](Line& line) { line.event.severity = Severity::debug; },
        [](Line& line) { line.event.subject = "mpu-2"; },
        [](Line& line) { line.event.subject.clear(); },
        [](Line& line) { line.event.detail = R"({"serial":9,"ok":true})"; },
        [](Line& line) { line.event.detail = R"({})"; },
    };
    for (const auto& change : changes) {
        auto lines = lines_;
        lines[3] = changed(lines[3], change);
        ASSERT_NE(lines[3], lines_[3]);
        expect_problem(lines, 5, "chain is broken");
    }
    auto lines = lines_;
    lines[3] = changed(lines[3], [](Line& line) { line.event.number = 40; });
    expect_problem(lines, 4, "number 40 where 4 must be");
    lines[3] = changed(lines_[3], [](Line& line) { line.previous[0] ^= 1; });
    expect_problem(lines, 4, "chain is broken");
}

TEST_F(Verify, verify__any_byte_of_a_line_flipped__found) {
    for (std::size_t at = 0; at < lines_[3].size(); ++at) {
        auto lines = lines_;
        lines[3][at] = static_cast<char>(lines[3][at] ^ 1);
        const Report report = check_with(lines);
        ASSERT_TRUE(report.problem) << at;
        EXPECT_LE(report.problem->line, 5U);
    }
}

TEST_F(Verify, verify__checkpoint_changed__signature_is_wrong) {
    auto lines = lines_;
    lines[6] = changed(lines[6], [](Line& line) { line.event.time_ms += 1; });
    expect_problem(lines, 7, "signature of the checkpoint is wrong");
    lines[6] = changed(lines_[6], [](Line& line) {
        auto checkpoint = checkpoint_of(line.event);
        checkpoint->signature[100] ^= 1;
        line.event.detail = checkpoint_detail(checkpoint->key_id, checkpoint->signature);
    });
    expect_problem(lines, 7, "signature of the checkpoint is wrong");
    lines[6] = changed(lines_[6], [](Line& line) {
        line.event.detail =
            checkpoint_detail(std::string(64, 'a'), checkpoint_of(line.event)->signature);
    });
    expect_problem(lines, 7, "not trusted here");
}

TEST_F(Verify, verify__chain_rebuilt_by_someone_without_the_key__signature_is_wrong) {
    auto lines = lines_;
    crypto::Sha3_512Digest head{};
    for (std::size_t i = 0; i < lines.size(); ++i) {
        lines[i] = changed(lines[i], [&](Line& line) {
            if (i == 3) line.event.subject = "mpu-9";
            if (i > 0) line.previous = head;
        });
        head = *crypto::sha3_512(bytes_of(lines[i]));
    }
    expect_problem(lines, 7, "signature of the checkpoint is wrong");
}

TEST_F(Verify, verify__checkpoint_of_another_place__refused) {
    auto lines = lines_;
    lines[6] =
        changed(lines[6], [&](Line& line) { line.event.detail = decode(lines_[1])->event.detail; });
    expect_problem(lines, 7, "signature of the checkpoint is wrong");
}

TEST_F(Verify, verify__line_deleted__found) {
    for (std::size_t i = 0; i + 1 < lines_.size(); ++i) {
        auto lines = lines_;
        lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(i));
        expect_problem(lines, i + 1, "lines are missing or moved");
    }
}

TEST_F(Verify, verify__two_lines_swapped__found) {
    for (std::size_t i = 0; i + 1 < lines_.size(); ++i) {
        auto lines = lines_;
        std::swap(lines[i], lines[i + 1]);
        expect_problem(lines, i + 1, "lines are missing or moved");
    }
}

TEST_F(Verify, verify__line_inserted_or_doubled__found) {
    auto lines = lines_;
    lines.insert(lines.begin() + 3, lines[3]);
    expect_problem(lines, 5, "lines are missing or moved");
    lines = lines_;
    lines.insert(lines.begin() + 3, "");
    expect_problem(lines, 4);
}

TEST_F(Verify, verify__cut_behind_an_event__the_end_is_not_covered) {
    const Report report = check_with({lines_.begin(), lines_.begin() + 5});
    EXPECT_FALSE(report.problem);
    EXPECT_EQ(report.last_number, 5U);
    EXPECT_EQ(report.covered_number, 2U);
}

TEST_F(Verify, verify__cut_at_a_checkpoint__only_the_last_number_tells) {
    // What a file alone cannot show, and what the output says it cannot.
    const Report report = check_with({lines_.begin(), lines_.begin() + 2});
    EXPECT_FALSE(report.problem);
    EXPECT_EQ(report.covered_number, 2U);
    EXPECT_EQ(report.last_number, 2U);
}

TEST_F(Verify, verify__unfinished_line__told_apart_from_damage) {
    const std::string content = test::read_file(file_);
    test::write_file(file_, content.substr(0, content.size() - 10));
    const Report report = check();
    EXPECT_FALSE(report.problem);
    EXPECT_EQ(report.last_number, 6U);
    EXPECT_EQ(report.unfinished_bytes, lines_[6].size() + 1 - 10);
}

TEST_F(Verify, verify__wrong_key__no_checkpoint_holds) {
    const auto other = test::make_key().public_key();
    const auto report = verify(file_, {}, *other);
    ASSERT_TRUE(report && report->problem);
    EXPECT_EQ(report->problem->line, 2U);
    EXPECT_THAT(report->problem->reason, HasSubstr("not trusted here"));
}

// A log that key_ began; then it was replaced, maybe.
class Renewed : public Verify {
protected:
    void go_on(const crypto::PrivateKey& key, int events = 1) {
        LogOptions given = options();
        given.earlier_keys = all_;
        given.burst = 1'000'000;
        const auto log = Log::open(given, key);
        ASSERT_TRUE(log) << log.error().message;
        for (int i = 0; i < events; ++i) {
            (*log)->append(Id::pki_certificate_issued, "mpu-9",
                           {{"serial", i}, {"filler", std::string(1000, 'x')}});
        }
    }
    // Whoever has `key` adds to the log, whatever is there.
    void forge(const crypto::PrivateKey& key, int events) {
        std::string content = test::read_file(file_);
        auto last = decode(test::lines_of(content).back());
        Line line{.event = last->event,
                  .previous = *crypto::sha3_512(bytes_of(last_line(content)))};
        for (int i = 0; i <= events; ++i) {
            ++line.event.number;
            line.event.id = Id::pki_certificate_issued;
            line.event.severity = row(line.event.id).severity;
            line.event.detail = R"({"filler":")" + std::string(1000, 'x') + R"("})";
            if (i % 100 == 0 || i == events) {
                line.event.id = Id::audit_chain_checkpoint;
                line.event.severity = row(line.event.id).severity;
                const std::string message =
                    checkpoint_message(line.event.number, line.event.time_ms, line.previous);
                line.event.subject.clear();
                line.event.detail =
                    checkpoint_detail(*key_id(*key.public_key()),
                                      *key.sign(bytes_of(message), bytes_of(checkpoint_context)));
            }
            const std::string text = encode(line);
            content += text + "\n";
            line.previous = *crypto::sha3_512(bytes_of(text));
        }
        test::write_file(file_, content);
    }
    static std::string last_line(const std::string& content) {
        return test::lines_of(content).back();
    }
    Report check_all() const {
        const auto report = verify(file_, all_, all_.back());
        EXPECT_TRUE(report) << report.error().message;
        return *report;
    }
    std::optional<Code> refusal(const crypto::PrivateKey& key) const {
        LogOptions given = options();
        given.earlier_keys = all_;
        const auto log = Log::open(given, key);
        return log ? std::nullopt : std::optional(log.error().code);
    }

    crypto::PrivateKey next_ = test::make_key();
    std::vector<crypto::PublicKey> all_{*key_.public_key(), *next_.public_key()};
};

TEST_F(Renewed, verify__renewed_key__log_goes_on_and_the_old_key_does_not_come_back) {
    EXPECT_EQ(Log::open(options(), next_).error().code, Code::integrity_mismatch);
    EXPECT_FALSE(check_all().by_present_key) << "the present key has signed nothing yet";
    EXPECT_EQ(check_all().signer, *key_id(all_[0]));
    go_on(next_);
    const Report whole = check_all();
    EXPECT_FALSE(whole.problem) << whole.problem->reason;
    EXPECT_TRUE(whole.by_present_key);
    EXPECT_GT(whole.covered_number, 7U);
    EXPECT_TRUE(verify(file_, {}, all_[1])->problem) << "the old key is not known";
    forge(key_, 1);
    const Report forged = check_all();
    ASSERT_TRUE(forged.problem);
    EXPECT_THAT(forged.problem->reason, HasSubstr("has replaced before"));
    EXPECT_GT(forged.problem->line, whole.covered_number);
    EXPECT_EQ(refusal(next_), Code::integrity_mismatch);
}

TEST_F(Renewed, open__more_of_an_earlier_key_than_is_read_back__refused) {
    go_on(next_);
    const std::string sound = test::read_file(file_);
    forge(key_, 3000);
    EXPECT_GT(std::filesystem::file_size(file_), 3U << 20U);
    EXPECT_EQ(refusal(next_), Code::integrity_mismatch);
    EXPECT_TRUE(check_all().problem);
    // The same length by the key that may.
    test::write_file(file_, sound);
    forge(next_, 3000);
    EXPECT_EQ(refusal(next_), std::nullopt);
}

TEST_F(Renewed, open__long_log_right_behind_a_renewal__goes_on) {
    forge(key_, 3000);
    EXPECT_EQ(refusal(next_), std::nullopt);
}

TEST_F(Renewed, verify__earlier_key_that_never_signed_here__not_behind_the_present_one) {
    const auto third = test::make_key();
    go_on(next_);
    all_.insert(all_.begin(), *third.public_key());
    forge(third, 1);
    ASSERT_TRUE(check_all().problem);
    EXPECT_EQ(refusal(next_), Code::integrity_mismatch);
}

TEST_F(Verify, verify__signature_for_another_purpose__refused) {
    // The same key and message without the log's context string.
    auto lines = lines_;
    lines[6] = changed(lines[6], [&](Line& line) {
        const std::string message =
            checkpoint_message(line.event.number, line.event.time_ms, line.previous);
        line.event.detail =
            checkpoint_detail(checkpoint_of(line.event)->key_id, *key_.sign(bytes_of(message)));
    });
    expect_problem(lines, 7, "signature of the checkpoint is wrong");
}

TEST_F(Verify, verify__endless_line__bounded) {
    test::write_file(file_, test::joined(lines_) + std::string(100'000, 'x'));
    const Report report = check();
    ASSERT_TRUE(report.problem);
    EXPECT_EQ(report.problem->line, 8U);
}

TEST_F(Verify, verify__missing_file__input_not_found) {
    const auto key = key_.public_key();
    const auto report = verify(folder_ / "none", {}, *key);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, Code::input_not_found);
}

}  // namespace
}  // namespace quoin::audit
