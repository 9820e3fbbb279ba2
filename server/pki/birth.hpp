// The manufacturer's part, for demonstrations and tests: a CA of its own, which no plant trusts
// until it is told to (trust_maker), and devices with a key, a birth certificate (IDevID) and a
// batch line.
//
// Threads: one owner. Processes: one at a time in a folder (a lock says so).
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>

#include "host/crypto/crypto.hpp"
#include "host/files/files.hpp"
#include "host/x509/certificate.hpp"

namespace quoin::server {

class Maker {
public:
    // Makes the folder and the CA when they are not there. What a crash left is put right:
    // unfinished devices are removed, finished ones that lack their batch line get it.
    static Result<Maker> open(const std::filesystem::path& folder);

    // devices/ID with unlock.key, birth.key (encrypted), birth.crt, and a line in batch.jsonl.
    // `device_class`: "mcu" or "mpu". An id that was born: input_conflict. `key_store`: the
    // device's quoin-se, where the key is made and stays; birth.key is a reference then. `foreign`:
    // its EST client is not our agent; the batch line says so (unless a crash came before the line:
    // then it is as for ours, which asks more of it).
    Result<void> birth(const std::string& id, std::string_view device_class,
                       const std::string& key_store = {}, bool foreign = false);
    bool is_born(const std::string& id) const { return born_.contains(id); }
    std::filesystem::path batch_file() const { return folder_ / "batch.jsonl"; }
    std::filesystem::path device_folder(const std::string& id) const;

private:
    Maker(std::filesystem::path folder, files::Lock lock, crypto::PrivateKey key,
          x509::Certificate ca)
        : folder_(std::move(folder)),
          lock_(std::move(lock)),
          key_(std::move(key)),
          ca_(std::move(ca)) {}
    Result<void> read_batch();
    Result<void> recover();
    Result<void> record(const std::string& id, bool foreign = false);

    std::filesystem::path folder_;
    files::Lock lock_;
    crypto::PrivateKey key_;
    x509::Certificate ca_;
    std::set<std::string, std::less<>> born_;
};

}  // namespace quoin::server
