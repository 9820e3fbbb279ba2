#include "host/audit/audit.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>
#include <thread>

#include "host/audit/test_log.hpp"

namespace quoin::audit {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Audit = test::LogTest;

std::vector<std::string> names(const std::vector<Event>& events) {
    std::vector<std::string> out;
    for (const Event& event : events) out.emplace_back(row(event.id).name);
    return out;
}

TEST_F(Audit, open__new_log__created_signed_and_private) {
    open();
    const Report report = check();
    EXPECT_FALSE(report.problem);
    EXPECT_EQ(report.lines, 2U);
    EXPECT_EQ(report.covered_number, 2U);
    EXPECT_EQ(report.counts.at("audit.log.created"), 1U);
    struct stat status{};
    ASSERT_EQ(::stat(file_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(Audit, append__events__numbered_in_order_and_covered_when_closed) {
    make_log(20);
    const Report report = check();
    EXPECT_FALSE(report.problem);
    EXPECT_EQ(report.counts.at("pki.certificate.issued"), 20U);
    EXPECT_EQ(report.covered_number, report.last_number);
    const auto lines = test::lines_of(test::read_file(file_));
    ASSERT_EQ(lines.size(), 23U);
    for (int i = 0; i < 20; ++i) {
        EXPECT_THAT(lines[static_cast<std::size_t>(i) + 2],
                    HasSubstr("\"subject\":\"mpu-" + std::to_string(i) + "\""));
    }
}

TEST_F(Audit, open__again__the_chain_goes_on) {
    for (int i = 0; i < 3; ++i) make_log(3);
    const Report report = check();
    EXPECT_FALSE(report.problem);
    EXPECT_EQ(report.counts.at("audit.log.created"), 1U);
    EXPECT_EQ(report.counts.at("pki.certificate.issued"), 9U);
    EXPECT_EQ(report.lines, 2U + 3U * 4U);
}

TEST_F(Audit, replace_key__while_it_runs__signed_by_the_new_one_and_the_earlier_is_needed) {
    const crypto::PrivateKey next = test::make_key();
    const crypto::PublicKey before = *key_.public_key();
    {
        const auto log = open();
        log->append(Id::pki_certificate_issued, "mpu-1", {});
        ASSERT_TRUE(log->flush());
        ASSERT_TRUE(log->replace_key(next));
        log->append(Id::pki_certificate_issued, "mpu-2", {});
    }
    const auto report = verify(file_, std::span(&before, 1), *next.public_key());
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_FALSE(report->problem) << report->problem->reason;
    EXPECT_TRUE(report->by_present_key);
    const auto alone = verify(file_, {}, *next.public_key());
    ASSERT_TRUE(alone);
    EXPECT_TRUE(alone->problem) << "its beginning is of the key before";
    LogOptions given = options();
    given.earlier_keys = {before};
    EXPECT_TRUE(Log::open(std::move(given), next)) << "after a restart";
}

TEST_F(Audit, append__many_events__a_checkpoint_for_each_count) {
    auto given = options();
    given.checkpoint_events = 10;
    make_log(100, given);
    EXPECT_GE(check().checkpoints, 10U);
}

TEST_F(Audit, append__critical_event__signed_at_once) {
    const auto log = open();
    log->append(Id::verifier_evidence_trusted, "mpu-1");
    ASSERT_TRUE(log->flush());
    EXPECT_LT(check().covered_number, check().last_number);
    log->append(Id::verifier_evidence_untrusted, "mpu-1",
                {{"reason", "measurement_mismatch:agent"}});
    ASSERT_TRUE(log->flush());
    EXPECT_EQ(check().covered_number, check().last_number);
}

TEST_F(Audit, append__time_passes__a_checkpoint_without_further_events) {
    auto given = options();
    given.checkpoint_after = 50ms;
    const auto log = open(given);
    log->append(Id::quoind_process_started, "");
    const auto is_covered = [&] {
        const Report report = check();
        return report.last_number >= 4 && report.covered_number == report.last_number;
    };
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!is_covered() && std::chrono::steady_clock::now() < end)
        log->wait_after(UINT64_MAX, 1, 20ms);
    EXPECT_TRUE(is_covered());
}

TEST_F(Audit, append__large_log__reopened_by_its_end_alone) {
    auto given = options();
    given.checkpoint_events = 1'000'000;
    given.burst = 1'000'000;
    given.queue_events = 100'000;
    const std::string text(500, 'x');
    {
        const auto log = open(given);
        for (int i = 0; i < 6000; ++i)
            log->append(Id::api_action_done, "", {{"a", text}, {"b", text}, {"i", i}});
        ASSERT_TRUE(log->flush());
    }
    EXPECT_GT(std::filesystem::file_size(file_), 6U << 20U);
    // Damage far from the end is verify's to find, not a reason to refuse the start.
    std::string content = test::read_file(file_);
    content[content.find("\"i\":10}") + 4] = '9';
    test::write_file(file_, content);
    EXPECT_NE(open(), nullptr);
    EXPECT_TRUE(check().problem);
}

TEST_F(Audit, append__subject_that_is_no_id__kept_as_unchecked_text) {
    const auto log = open();
    log->append(Id::broker_session_refused, "evil\n\x1b[2J", {{"why", "unknown"}});
    ASSERT_TRUE(log->flush());
    const auto events = log->events_after(2, 10);
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].subject, "");
    EXPECT_EQ(events[0].detail, R"({"unchecked_subject":"evil\n\u001b[2J","why":"unknown"})");
}

TEST_F(Audit, append__flood_of_one_kind__counted_not_written) {
    {
        const auto log = open();
        for (int i = 0; i < 5000; ++i) log->append(Id::broker_access_denied, "mpu-1");
        const auto counts = log->counts();
        const auto denied = std::ranges::find(counts, "broker.access.denied",
                                              &std::pair<std::string_view, std::uint64_t>::first);
        ASSERT_NE(denied, counts.end());
        EXPECT_EQ(denied->second, 5000U);
    }
    const Report report = check();
    EXPECT_LT(report.counts.at("broker.access.denied"), 100U);
    EXPECT_EQ(report.counts.at("audit.events.suppressed"), 1U);
    const std::string content = test::read_file(file_);
    const auto written = report.counts.at("broker.access.denied");
    EXPECT_THAT(content, HasSubstr("\"count\":" + std::to_string(5000 - written)));
}

TEST_F(Audit, append__many_threads__every_event_once) {
    constexpr int threads = 4;
    constexpr int each = 200;
    {
        auto given = options();
        given.burst = 10'000;
        const auto log = open(given);
        std::vector<std::thread> workers;
        for (int t = 0; t < threads; ++t) {
            workers.emplace_back([&, t] {
                for (int i = 0; i < each; ++i)
                    log->append(Id::api_action_done, "t" + std::to_string(t), {{"i", i}});
            });
        }
        for (auto& worker : workers) worker.join();
        ASSERT_TRUE(log->flush());
    }
    EXPECT_FALSE(check().problem);
    std::map<std::string, int> next;
    for (const std::string& text : test::lines_of(test::read_file(file_))) {
        const auto line = decode(text);
        ASSERT_TRUE(line);
        if (line->event.id != Id::api_action_done) continue;
        EXPECT_EQ(line->event.detail, fmt::format("{{\"i\":{}}}", next[line->event.subject]++));
    }
    for (int t = 0; t < threads; ++t) EXPECT_EQ(next["t" + std::to_string(t)], each);
}

TEST_F(Audit, events_after__limit_and_memory__the_newest_in_order) {
    auto given = options();
    given.recent_events = 5;
    const auto log = open(given);
    for (int i = 0; i < 10; ++i) log->append(Id::api_action_done, "", {{"i", i}});
    ASSERT_TRUE(log->flush());
    const auto all = log->events_after(0, 100);
    ASSERT_EQ(all.size(), 5U);
    EXPECT_EQ(all.back().number, log->last_number());
    EXPECT_EQ(all.front().detail, R"({"i":5})");
    const auto some = log->events_after(all[1].number, 2);
    ASSERT_EQ(some.size(), 2U);
    EXPECT_EQ(some[0].number, all[2].number);
    EXPECT_TRUE(log->events_after(log->last_number(), 10).empty());
}

TEST_F(Audit, open__again__recent_events_are_there) {
    make_log(3);
    EXPECT_EQ(names(open()->events_after(0, 10)),
              (std::vector<std::string>{"audit.log.created", "pki.certificate.issued",
                                        "pki.certificate.issued", "pki.certificate.issued"}));
}

TEST_F(Audit, wait_after__an_event_comes__woken_with_it) {
    const auto log = open();
    const std::uint64_t before = log->last_number();
    std::thread writer([&] { log->append(Id::quoind_process_started, ""); });
    const auto events = log->wait_after(before, 10, 10s);
    writer.join();
    EXPECT_EQ(names(events), std::vector<std::string>{"quoind.process.started"});
    EXPECT_TRUE(log->wait_after(log->last_number(), 10, 1ms).empty());
}

TEST_F(Audit, open__second_holder__state_wrong_and_log_unchanged) {
    const auto log = open();
    const auto second = Log::open(options(), key_);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::state_wrong);
    EXPECT_THAT(second.error().message, HasSubstr(file_.string()));
    log->append(Id::quoind_process_started, "");
    ASSERT_TRUE(log->flush());
}

TEST_F(Audit, open__other_key__refused_and_unchanged) {
    make_log(3);
    const std::string before = test::read_file(file_);
    const auto opened = Log::open(options(), test::make_key());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::integrity_mismatch);
    EXPECT_THAT(opened.error().message, HasSubstr("quoin audit verify"));
    EXPECT_EQ(test::read_file(file_), before);
}

TEST_F(Audit, open__last_line_torn_at_any_byte__repaired_and_said_so) {
    make_log(3);
    const std::string whole = test::read_file(file_);
    const auto last = whole.rfind('\n', whole.size() - 2) + 1;
    // The last line is a long checkpoint: every byte of its beginning and end, and some between.
    for (std::size_t size = last; size < whole.size();
         size += (size - last > 200 && whole.size() - size > 40) ? 97 : 1) {
        test::write_file(file_, whole.substr(0, size));
        open();
        const Report report = check();
        ASSERT_FALSE(report.problem) << size << ": " << report.problem->reason;
        EXPECT_EQ(report.counts.contains("audit.log.repaired"), size != last) << size;
        EXPECT_EQ(report.counts.at("pki.certificate.issued"), 3U);
        EXPECT_EQ(report.covered_number, report.last_number);
    }
}

TEST_F(Audit, open__torn_at_its_very_first_line__begun_again) {
    open();
    const std::string whole = test::read_file(file_);
    const auto first = whole.find('\n') + 1;
    for (std::size_t size = 0; size <= first; ++size) {
        test::write_file(file_, whole.substr(0, size));
        open();
        const Report report = check();
        ASSERT_FALSE(report.problem) << size;
        EXPECT_EQ(report.counts.at("audit.log.created"), 1U);
        EXPECT_EQ(report.counts.contains("audit.log.repaired"), size > 0 && size < first);
        EXPECT_EQ(report.covered_number, report.last_number);
    }
}

TEST_F(Audit, open__altered_end__refused_and_unchanged) {
    make_log(5);
    const auto lines = test::lines_of(test::read_file(file_));
    const auto refuse = [&](const std::vector<std::string>& changed) {
        const std::string content = test::joined(changed);
        test::write_file(file_, content);
        const auto opened = Log::open(options(), key_);
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code, Code::integrity_mismatch);
        EXPECT_EQ(test::read_file(file_), content);
    };
    auto without = lines;
    without.erase(without.begin() + 3);
    refuse(without);
    auto swapped = lines;
    std::swap(swapped[3], swapped[4]);
    refuse(swapped);
    auto altered = lines;
    altered[3].replace(altered[3].find("mpu-1"), 5, "mpu-9");
    refuse(altered);
    auto unsigned_log = lines;
    unsigned_log.erase(unsigned_log.begin() + 1);
    unsigned_log.pop_back();
    refuse(unsigned_log);
}

TEST_F(Audit, append__killed_at_any_moment__what_a_listener_saw_is_there) {
    for (int round = 0; round < 5; ++round) {
        std::array<int, 2> reports{};
        ASSERT_EQ(::pipe(reports.data()), 0);
        const pid_t child = ::fork();
        if (child == 0) {
            auto given = options();
            given.burst = 1'000'000;
            given.checkpoint_events = 7;
            auto log = Log::open(given, key_);
            std::uint64_t seen = log ? (*log)->last_number() : 0;
            while (log) {
                (*log)->append(Id::api_action_done, "", {{"round", round}});
                for (const Event& event : (*log)->wait_after(seen, 100, 1s)) {
                    seen = event.number;
                    if (::write(reports[1], &seen, sizeof seen) != sizeof seen) ::_exit(1);
                }
            }
            ::_exit(2);
        }
        ::close(reports[1]);
        std::uint64_t last = 0;
        for (int i = 0; i < 5 + 13 * round; ++i)
            ASSERT_EQ(::read(reports[0], &last, sizeof last), ssize_t{sizeof last});
        ::kill(child, SIGKILL);
        while (::read(reports[0], &last, sizeof last) == ssize_t{sizeof last}) {
        }
        ::close(reports[0]);
        ::waitpid(child, nullptr, 0);
        open();
        const Report report = check();
        EXPECT_FALSE(report.problem);
        EXPECT_GE(report.last_number, last);
    }
}

TEST_F(Audit, append__disk_full__nothing_lost_and_health_tells) {
    // A limit on the size of a file stands for a full disk: write() fails half-way.
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    {
        const auto log = open();
        const rlimit limit{.rlim_cur = std::filesystem::file_size(file_) + 700,
                           .rlim_max = before.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        for (int i = 0; i < 20; ++i) log->append(Id::api_action_done, "", {{"i", i}});
        const auto end = std::chrono::steady_clock::now() + 10s;
        while (log->health() && std::chrono::steady_clock::now() < end)
            log->wait_after(UINT64_MAX, 1, 10ms);
        const auto health = log->health();
        ::setrlimit(RLIMIT_FSIZE, &before);
        ASSERT_FALSE(health);
        EXPECT_EQ(health.error().code, Code::resource_full);
        EXPECT_TRUE(log->flush());
        EXPECT_TRUE(log->health());
    }
    const Report report = check();
    EXPECT_FALSE(report.problem);
    EXPECT_EQ(report.counts.at("api.action.done"), 20U);
}

TEST_F(Audit, append__queue_full__the_loss_is_recorded) {
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    {
        auto given = options();
        given.queue_events = 10;
        given.burst = 1000;
        const auto log = open(given);
        const rlimit limit{.rlim_cur = std::filesystem::file_size(file_),
                           .rlim_max = before.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        log->append(Id::api_action_done, "");
        const auto end = std::chrono::steady_clock::now() + 10s;
        while (log->health() && std::chrono::steady_clock::now() < end)
            log->wait_after(UINT64_MAX, 1, 10ms);
        for (int i = 0; i < 100; ++i) log->append(Id::api_action_done, "");
        ::setrlimit(RLIMIT_FSIZE, &before);
        EXPECT_TRUE(log->flush());
    }
    const Report report = check();
    EXPECT_FALSE(report.problem);
    EXPECT_EQ(report.counts.at("audit.events.lost"), 1U);
    EXPECT_LE(report.counts.at("api.action.done"), 20U);
}

}  // namespace
}  // namespace quoin::audit
