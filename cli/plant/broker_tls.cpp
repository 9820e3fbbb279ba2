#include "cli/plant/broker_tls.hpp"

#include "cli/supervise/programs.hpp"
#include "core/base/constant_time.hpp"
#include "host/crypto/crypto.hpp"
#include "host/files/files.hpp"
#include "host/keys/program_key.hpp"
#include "host/x509/certificate.hpp"

namespace quoin::cli {
namespace {

// A chain of two with SLH-DSA signatures has 70 KiB.
constexpr std::size_t certificate_size = 128U << 10U;
constexpr std::size_t key_size = 16U << 10U;

Result<void> check_pair(const x509::Certificate& certificate, const crypto::PrivateKey& key) {
    QUOIN_TRY(const auto named, certificate.public_key());
    QUOIN_TRY(const auto named_der, named.spki_der());
    QUOIN_TRY(const auto held, key.public_key());
    QUOIN_TRY(const auto held_der, held.spki_der());
    if (named_der == held_der) return {};
    return fail(Code::integrity_mismatch, "services/broker.key is not the key of broker.crt");
}

}  // namespace

Result<BrokerTls> BrokerTls::open(std::filesystem::path home, std::filesystem::path hierarchy,
                                  keys::Choice choice) {
    QUOIN_TRY(RewritableFile certificate,
              RewritableFile::make("quoin-broker-certificate", certificate_size));
    QUOIN_TRY(RewritableFile key, RewritableFile::make("quoin-broker-key", key_size));
    BrokerTls made(std::move(home), std::move(hierarchy), std::move(choice), std::move(certificate),
                   std::move(key));
    QUOIN_CHECK(made.refresh());
    return made;
}

std::string BrokerTls::certificate_path() const {
    return descriptor_path(certificate_.descriptor());
}

std::string BrokerTls::key_path() const { return descriptor_path(key_.descriptor()); }

std::vector<int> BrokerTls::descriptors() const {
    return {certificate_.descriptor().number(), key_.descriptor().number()};
}

Result<bool> BrokerTls::refresh() {
    const std::filesystem::path services = hierarchy_ / "services";
    QUOIN_TRY(const std::string pem, files::read(services / "broker.crt"));
    QUOIN_TRY(const auto chain, x509::Certificate::list_from_pem(pem));
    if (chain.empty()) return fail(Code::config_invalid, "services/broker.crt: is empty");
    const std::string serial_hex = chain.front().serial_hex();
    if (serial_hex == serial_hex_) return false;
    QUOIN_TRY(const auto unlock, crypto::existing_unlock_key(home_ / "unlock.key"));
    QUOIN_TRY(const auto key, keys::load_program_key(choice_, services / "broker.key", unlock));
    QUOIN_CHECK(check_pair(chain.front(), key));
    QUOIN_TRY(std::string clear, key.danger_to_clear_pem());
    auto written = certificate_.write(pem);
    if (written) written = key_.write(clear);
    core::ct::wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(clear.data()), clear.size()));
    QUOIN_CHECK(written);
    serial_hex_ = serial_hex;
    return true;
}

}  // namespace quoin::cli
