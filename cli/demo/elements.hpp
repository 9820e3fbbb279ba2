// The secure elements of the demo's MPUs: each has a quoin-se of its own, whose key store is sealed
// by a software TPM of its own.
//
// Both run as `quoin-se` when we were started as root, under a keeper (cli/supervise). In a folder
// of /tmp, a part for each device:
//   tpm/      of quoin-se     the TPM: state/ and, for the plant's user too, tpm.sock
//   se/       of quoin-se     the element: home/ and, for the plant's user too, se.sock
//   sealing/  of the keeper   the element's key, sealed; nobody else can ask the TPM for it
// The device's own part of the TPM (another primary key) is in DEVICE/tpm, of the plant's user.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/supervise/account.hpp"
#include "cli/supervise/keeper.hpp"
#include "cli/supervise/programs.hpp"

namespace quoin::cli {

// How a device reaches them, for its agent.toml (host/keys/uri.hpp).
struct ElementUris {
    std::string store;  // quoin-se
    std::string tpm;    // the TPM that seals it: for quotes, and keys bound to its PCRs
};

class Elements {
public:
    // Before the plant's account is become, and before any thread. Returns before they run.
    // `account`: theirs; `devices`: names; `home`: the plant's.
    static Result<std::unique_ptr<Elements>> start(const Programs& programs, const Account& account,
                                                   const Account& plant,
                                                   std::vector<std::string> devices,
                                                   const std::filesystem::path& home);

    // Once: what the keeper has to say.
    void listen(Keeper::Say say) { keeper_->listen(std::move(say)); }
    // As the plant's user, when the devices' folders are there: waits until each element answers,
    // and makes the devices' part of the TPMs.
    Result<void> wait_until_usable() const;

    const std::vector<std::string>& devices() const { return devices_; }
    bool has(const std::string& device) const;
    ElementUris uris(const std::string& device) const;
    // For people.
    const std::string& facts() const { return facts_; }

private:
    Elements() = default;

    std::filesystem::path folder_, home_;
    std::vector<std::string> devices_;
    std::string facts_;
    std::unique_ptr<Keeper> keeper_;
};

}  // namespace quoin::cli
