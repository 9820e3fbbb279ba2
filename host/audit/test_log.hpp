// A folder with an audit log and its key, for the tests of host/audit.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "host/audit/audit.hpp"
#include "host/audit/verify.hpp"

namespace quoin::audit::test {

inline crypto::PrivateKey make_key() {
    auto key = crypto::PrivateKey::generate(crypto::Algorithm::ml_dsa_65);
    if (!key) throw std::runtime_error(key.error().message);
    return *std::move(key);
}

inline std::string read_file(const std::filesystem::path& file) {
    std::ostringstream out;
    out << std::ifstream(file, std::ios::binary).rdbuf();
    return out.str();
}

inline void write_file(const std::filesystem::path& file, std::string_view content) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
}

inline std::vector<std::string> lines_of(const std::string& content) {
    std::vector<std::string> lines;
    std::istringstream in(content);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

inline std::string joined(const std::vector<std::string>& lines) {
    std::string out;
    for (const std::string& line : lines) out += line + "\n";
    return out;
}

class LogTest : public testing::Test {
protected:
    LogTest() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "quoin-audit-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
        file_ = folder_ / "audit" / "audit.jsonl";
    }
    ~LogTest() override { std::filesystem::remove_all(folder_); }

    LogOptions options() const {
        LogOptions given;
        given.file = file_;
        return given;
    }
    std::unique_ptr<Log> open(LogOptions given) const {
        auto opened = Log::open(std::move(given), key_);
        EXPECT_TRUE(opened) << (opened ? "" : opened.error().message);
        return opened ? *std::move(opened) : nullptr;
    }
    std::unique_ptr<Log> open() const { return open(options()); }
    // A log of `events` events, closed.
    void make_log(int events, LogOptions given) const {
        const auto log = open(std::move(given));
        for (int i = 0; i < events; ++i) {
            log->append(Id::pki_certificate_issued, "mpu-" + std::to_string(i),
                        {{"serial", i}, {"ok", true}});
        }
    }
    void make_log(int events) const { make_log(events, options()); }
    Report check() const {
        auto public_key = key_.public_key();
        auto report = verify(file_, {}, *public_key);
        EXPECT_TRUE(report) << (report ? "" : report.error().message);
        return report ? *report : Report{};
    }

    crypto::PrivateKey key_ = make_key();
    std::filesystem::path folder_;
    std::filesystem::path file_;
};

}  // namespace quoin::audit::test
