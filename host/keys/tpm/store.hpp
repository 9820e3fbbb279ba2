// A key store in a TPM 2.0: ECDSA P-256 keys that never leave it in clear, secrets sealed under a
// PCR policy, NV counters, quotes. Post-quantum keys it has none of: it seals theirs (quoin-se).
//
// Under the owner's hierarchy, for each store:
//   the primary key       persistent at `handle`; made from 64 random bytes that nobody keeps, so
//                         that nothing below it opens again once zeroize() has evicted it
//                         DIR/primary.name holds its TPM name: another key there is refused
//   keys                  DIR/NAME.tpmkey: wrapped by the primary key (object.hpp)
//   sealed secrets        the caller's blobs; they open only while the PCRs are as at seal()
//   counters              NV indices 0x01800000..0x01BFFFFF, by a digest of primary key and name
//
// The store's authorisation (auth=FILE) is the primary key's and the counters'; a wrong one counts
// towards the TPM's lockout (without auth= there is nothing to guess, and no lockout). Each
// function opens its own connection, so that programs take turns at a TPM that serves one.
// A crash in create() or zeroize() leaves what the same function, called again, completes.
// Not against: whoever can replace the TPM's answers at create(), or owns its owner authorisation
// and can undefine counters. The TSS logs to standard error: TSS2_LOG=all+none keeps it quiet.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "host/crypto/crypto.hpp"
#include "host/keys/security_provider.hpp"
#include "host/keys/tpm/quote.hpp"
#include "host/keys/uri.hpp"

namespace quoin::keys::tpm {

struct Config {
    std::string tcti = "device:/dev/tpmrm0";
    std::filesystem::path folder;                    // of wrapped keys
    std::vector<std::uint32_t> pcrs = {0, 2, 4, 7};  // 0..23, ascending, at least one
    std::uint32_t handle = 0x81015100;               // 0x81000000..0x817FFFFF
    crypto::Passphrase authorisation{""};            // at most 32 bytes
    crypto::Passphrase owner_authorisation{""};      // of create, counters and zeroize
};
// tpm:tcti=...;dir=DIR[;pcrs=0,2,4,7][;handle=0x81015100][;auth=FILE][;owner_auth=FILE]
Result<Config> config_of(const Uri& uri);

Result<std::unique_ptr<SecurityProvider>> create(const Uri& uri);
Result<std::unique_ptr<SecurityProvider>> open(const Uri& uri);
// `config` moves into the store.
Result<std::unique_ptr<SecurityProvider>> create(Config config);
Result<std::unique_ptr<SecurityProvider>> open(Config config);

// As they are now.
Result<PcrValues> read_pcrs(const std::string& tcti, const std::vector<std::uint32_t>& pcrs);

}  // namespace quoin::keys::tpm
