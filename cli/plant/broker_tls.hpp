// The broker's certificate and key in memory files (decisions 3 and 10), followed as they are
// renewed in the home: Mosquitto reads them again on SIGHUP, and its sessions stay.
//
// Threads: one at a time.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/supervise/sealed_file.hpp"
#include "host/keys/choice.hpp"

namespace quoin::cli {

class BrokerTls {
public:
    // `hierarchy`: the home, or the second one in it (server/pki/migration.hpp).
    static Result<BrokerTls> open(std::filesystem::path home, std::filesystem::path hierarchy,
                                  keys::Choice choice);

    // For mosquitto.conf, in the process that inherits the descriptors.
    std::string certificate_path() const;
    std::string key_path() const;
    std::vector<int> descriptors() const;
    // True: the home had others, and the files have them now. They are exchanged together, and
    // only if they belong together; after an error they are as they were.
    Result<bool> refresh();
    const std::string& serial_hex() const { return serial_hex_; }

private:
    BrokerTls(std::filesystem::path home, std::filesystem::path hierarchy, keys::Choice choice,
              RewritableFile certificate, RewritableFile key)
        : home_(std::move(home)),
          hierarchy_(std::move(hierarchy)),
          choice_(std::move(choice)),
          certificate_(std::move(certificate)),
          key_(std::move(key)) {}

    std::filesystem::path home_;
    std::filesystem::path hierarchy_;
    keys::Choice choice_;
    RewritableFile certificate_;
    RewritableFile key_;
    std::string serial_hex_;  // of what is in the files
};

}  // namespace quoin::cli
