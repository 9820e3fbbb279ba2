// For the tests of the roles: a temporary home with a database, a bus and an audit log.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "host/audit/audit.hpp"
#include "host/store/database.hpp"
#include "server/bus/bus.hpp"
#include "server/schema.hpp"

namespace quoin::server {

class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "quoin-test-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) std::abort();
        path_ = name;
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

template <class T>
T must(Result<T> result) {
    if (!result) {
        ADD_FAILURE() << result.error().message;
        std::abort();
    }
    return *std::move(result);
}
inline void must(const Result<void>& result) {
    if (!result) {
        ADD_FAILURE() << result.error().message;
        std::abort();
    }
}

// What every role is given. The default database is SQLite in the folder.
struct Fixture {
    explicit Fixture(const std::string& url = {})
        : database(must(store::Database::open(
              url.empty() ? "sqlite://" + (folder.path() / "quoin.sqlite").string() : url))),
          audit(must(
              audit::Log::open({.file = folder.path() / "audit" / "audit.jsonl"},
                               must(crypto::PrivateKey::generate(crypto::Algorithm::ml_dsa_65))))) {
        must(database->migrate(migrations()));
    }

    TemporaryFolder folder;
    std::unique_ptr<store::Database> database;
    std::unique_ptr<audit::Log> audit;
    Bus bus;

    // How often an event was recorded.
    std::uint64_t count(audit::Id id) const {
        return audit->counts().at(static_cast<std::size_t>(id)).second;
    }
};

}  // namespace quoin::server
