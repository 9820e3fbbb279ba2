#include "server/verifier/references.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "server/schema.hpp"

namespace quoin::verifier {
namespace {

using testing::HasSubstr;

std::string entry(const std::string& name, char digit, const std::string& more = "") {
    return R"({"name":")" + name + R"(","sha3_512":")" + std::string(128, digit) + "\"" + more +
           "}";
}
std::string manifest(const std::string& entries, const std::string& release = "1.0.0") {
    return R"({"release":")" + release + R"(","class":"mpu","measurements":[)" + entries + "]}";
}

class references : public testing::Test {
protected:
    references()
        : file_(testing::TempDir() + "quoin-references-" + std::to_string(::getpid()) + ".sqlite") {
        std::filesystem::remove(file_);
        database_ = *store::Database::open("sqlite://" + file_.string());
        EXPECT_TRUE(database_->migrate(server::migrations()));
    }
    void TearDown() override {
        database_.reset();
        for (const char* suffix : {"", "-wal", "-shm"})
            std::filesystem::remove(file_.string() + suffix);
    }
    std::map<std::string, std::string, std::less<>> load(const std::string& device,
                                                         const std::string& release = "1.0.0") {
        std::map<std::string, std::string, std::less<>> found;
        EXPECT_TRUE(database_->read([&](soci::session& session) -> Result<void> {
            found = load_references(session, release, "mpu", device);
            return {};
        }));
        return found;
    }
    std::filesystem::path file_;
    std::unique_ptr<store::Database> database_;
};

TEST_F(references, import__class_and_device_values__the_device_has_its_own) {
    const auto added =
        import_release(*database_, manifest(entry("agent", 'a') + "," + entry("config", 'b') + "," +
                                            entry("config", 'c', R"(,"device":"d1")") + "," +
                                            entry("extra", 'd', R"(,"device":"d2")")));
    ASSERT_TRUE(added) << added.error().message;
    EXPECT_EQ(*added, 4U);
    const auto d1 = load("d1");
    EXPECT_EQ(d1.size(), 2U);
    EXPECT_EQ(d1.at("agent"), std::string(128, 'a'));
    EXPECT_EQ(d1.at("config"), std::string(128, 'c'));
    EXPECT_EQ(load("d2").at("config"), std::string(128, 'b'));
    EXPECT_EQ(load("d2").size(), 3U);
    EXPECT_TRUE(load("d1", "2.0.0").empty());
}

TEST_F(references, import__again__adds_nothing_and_more_devices_may_follow) {
    EXPECT_EQ(*import_release(*database_, manifest(entry("agent", 'a'))), 1U);
    EXPECT_EQ(*import_release(*database_, manifest(entry("agent", 'a'))), 0U);
    EXPECT_EQ(*import_release(*database_, manifest(entry("agent", 'a') + "," +
                                                   entry("config", 'b', R"(,"device":"d1")"))),
              1U);
}

TEST_F(references, import__one_value_changed__conflict_and_nothing_is_added) {
    ASSERT_TRUE(import_release(*database_, manifest(entry("agent", 'a'))));
    const auto refused =
        import_release(*database_, manifest(entry("new", 'c') + "," + entry("agent", 'b')));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::input_conflict);
    EXPECT_THAT(refused.error().message, HasSubstr("measurement agent has another value already"));
    EXPECT_EQ(load("d1").size(), 1U);
}

TEST_F(references, import__upper_case_digest__same_as_lower) {
    ASSERT_TRUE(import_release(*database_, manifest(entry("agent", 'A'))));
    EXPECT_EQ(load("d1").at("agent"), std::string(128, 'a'));
}

TEST(manifest, parse__not_a_manifest__error_names_place_and_field) {
    const auto problem = [](const std::string& json) {
        const auto parsed = parse_manifest(json);
        return parsed ? std::string("accepted") : parsed.error().message;
    };
    EXPECT_EQ(problem(manifest(entry("a", '0'))), "accepted");
    EXPECT_EQ(problem(""), "manifest: is not JSON");
    EXPECT_EQ(problem("[]"), "manifest: must be an object");
    EXPECT_EQ(problem("{}"), "manifest: release is missing");
    EXPECT_EQ(problem(R"({"release":1})"), "manifest: release must be a text");
    EXPECT_EQ(problem(R"({"release":"1","release":"2"})"),
              "manifest: field \"release\" is there twice");
    EXPECT_EQ(problem(manifest(entry("a", '0'), "1 0")),
              "manifest: release is not [A-Za-z0-9_.+-]{1,64}");
    EXPECT_EQ(problem(R"({"release":"1","class":"x","measurements":[]})"),
              "manifest: class is not mpu or mcu");
    EXPECT_EQ(problem(manifest("")), "manifest: measurements must be a list of 1 .. 4096");
    EXPECT_EQ(problem(manifest("7")), "manifest: measurements[0]: must be an object");
    EXPECT_EQ(problem(manifest(entry("a", '0') + "," + entry("b c", '0'))),
              "manifest: measurements[1]: name is not [A-Za-z0-9_.:/-]{1,64}");
    EXPECT_EQ(problem(manifest(entry("a", 'x'))),
              "manifest: measurements[0]: sha3_512 is not 128 hex digits");
    EXPECT_EQ(problem(manifest(entry("a", '0', R"(,"device":"x/y")"))),
              "manifest: measurements[0]: device is not [A-Za-z0-9_.-]{1,128}");
    EXPECT_EQ(problem(manifest(entry("a", '0', R"(,"more":1)"))),
              "manifest: measurements[0]: unknown field \"more\"");
    EXPECT_EQ(problem(manifest(entry("a", '0') + "," + entry("a", '1'))),
              "manifest: measurements[1]: a is there twice");
    EXPECT_EQ(problem(manifest(entry("a", '0')).insert(1, R"("more":1,)")),
              "manifest: unknown field \"more\"");
    EXPECT_EQ(problem(std::string(max_manifest_size + 1, ' ')),
              "manifest of 1048577 bytes: the limit is 1048576");
}

}  // namespace
}  // namespace quoin::verifier
