// A software TPM that a test starts, and ends by its own pid.
#pragma once

#include <sys/types.h>

#include <string>

#include "host/keys/test_folder.hpp"

namespace quoin::keys::tpm {

class Swtpm {
public:
    Swtpm();
    Swtpm(const Swtpm&) = delete;
    Swtpm& operator=(const Swtpm&) = delete;
    ~Swtpm();

    // As a power cycle does: PCRs are zero again, what is persistent stays.
    void restart();
    void stop();
    void extend(std::uint32_t pcr) const;
    void clear_lockout() const;

    bool is_running() const { return pid_ > 0; }
    std::string tcti() const { return "swtpm:path=" + socket_.string(); }
    const std::filesystem::path& folder() const { return folder_.path(); }

private:
    void start();

    TestFolder folder_;
    std::filesystem::path socket_;
    pid_t pid_ = -1;
};

}  // namespace quoin::keys::tpm
