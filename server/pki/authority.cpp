#include "server/pki/authority.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>

#include "host/files/files.hpp"
#include "host/keys/program_key.hpp"
#include "host/store/bulk.hpp"
#include "server/bus/clock.hpp"
#include "server/pki/birth_key.hpp"

namespace quoin::server {
namespace {

using x509::Certificate;

constexpr std::int64_t retry_ms = 1000;  // after a list could not be published

Result<Certificate> load_one(const std::filesystem::path& file) {
    QUOIN_TRY(std::vector<Certificate> list, Certificate::load(file));
    if (list.size() != 1) {
        return fail(Code::config_invalid, "{} must hold one certificate and holds {}",
                    file.string(), list.size());
    }
    return list.front();
}

// The *.crt of a folder, in the order of their names; none if the folder is not there.
Result<std::vector<std::filesystem::path>> certificate_files(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    std::error_code error;
    if (!std::filesystem::exists(folder, error)) return files;
    for (std::filesystem::directory_iterator each(folder, error), end; !error && each != end;
         each.increment(error)) {
        if (each->path().extension() == ".crt") files.push_back(each->path());
    }
    if (error) return fail(Code::resource_unavailable, "{}: {}", folder.string(), error.message());
    std::ranges::sort(files);
    return files;
}

std::string_view kind_name(const Certificate& certificate) {
    const auto identity = certificate.identity();
    if (!identity) return "ca";
    switch (identity->kind) {
        case x509::Kind::device:
            return "device";
        case x509::Kind::attest:
            return "attest";
        case x509::Kind::service:
            return "service";
        case x509::Kind::operator_:
            return "operator";
        case x509::Kind::birth:
            return "birth";
    }
    return "ca";
}

// What is between the lines of dashes.
Result<std::string> der_of(std::string_view pem) {
    const std::size_t begin = pem.find('\n');
    const std::size_t end = pem.find("\n-----END");
    if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) {
        return fail(Code::internal, "the revocation list is not in PEM");
    }
    QUOIN_TRY(const crypto::ByteVector der, crypto::from_base64(pem.substr(begin, end - begin)));
    return std::string(text_of(der));
}

// SHA-256 in hex of the TPM quote key that it names; empty: none.
Result<std::string> quote_key_name(const Certificate& certificate) {
    QUOIN_TRY(const crypto::ByteVector key, certificate.quote_key());
    if (key.empty()) return std::string();
    QUOIN_TRY(const crypto::Sha256Digest digest, crypto::sha256(key));
    return crypto::to_hex(digest);
}

// The TPM of a device stays the same, and is no other device's: whoever holds its session key for
// a while can neither shed the TPM nor name one of his own. Before the first one there is only the
// device's word.
Result<void> check_quote_key(soci::session& session, const std::string& device,
                             const std::string& quote_key) {
    std::string bound;
    session << "SELECT quote_key FROM certificates WHERE subject_id = :d AND kind = 'attest' AND "
               "revoked_ms = 0 AND quote_key <> '' LIMIT 1",
        soci::use(device), soci::into(bound);
    if (session.got_data() && bound != quote_key) {
        return fail(Code::peer_forbidden,
                    "{} attests with the TPM {}, and asks for a certificate with {}; with another "
                    "TPM it is another device",
                    device, bound.substr(0, 16),
                    quote_key.empty() ? "none" : quote_key.substr(0, 16));
    }
    if (quote_key.empty()) return {};
    std::string other;
    session << "SELECT subject_id FROM certificates WHERE quote_key = :q AND subject_id <> :d AND "
               "revoked_ms = 0 LIMIT 1",
        soci::use(quote_key), soci::use(device), soci::into(other);
    if (!session.got_data()) return {};
    return fail(Code::peer_forbidden, "the TPM {} is that of {}, not of {}",
                quote_key.substr(0, 16), other, device);
}

// Inserts a row if the serial is not there yet.
Result<void> record(soci::session& session, const Certificate& certificate,
                    const std::string& key_residence = {}) {
    const auto identity = certificate.identity();
    QUOIN_TRY(const crypto::ByteVector der, certificate.der());
    QUOIN_TRY(const crypto::Sha3_512Digest digest, certificate.sha3_512());
    QUOIN_TRY(const std::string quote_key, quote_key_name(certificate));
    using Texts = std::vector<std::string>;
    using Numbers = std::vector<std::int64_t>;
    const std::array<store::Column, 10> columns{{
        {"serial", Texts{certificate.serial_hex()}},
        {"kind", Texts{std::string(kind_name(certificate))}},
        {"subject_id", Texts{identity ? identity->id : certificate.common_name()}},
        {"not_before_ms", Numbers{certificate.not_before_ms()}},
        {"not_after_ms", Numbers{certificate.not_after_ms()}},
        {"revoked_ms", Numbers{0}},
        {"sha3_512", Texts{crypto::to_hex(digest)}},
        {"der", Texts{crypto::to_base64(der)}},
        {"quote_key", Texts{quote_key}},
        {"key_residence", Texts{key_residence}},
    }};
    store::insert_new(session, "certificates", columns);
    return {};
}

Result<bool> same(const Certificate& one, const Certificate& other) {
    QUOIN_TRY(const crypto::Sha256Digest first, one.sha256());
    QUOIN_TRY(const crypto::Sha256Digest second, other.sha256());
    return first == second;
}

Result<void> check_time(const Certificate& certificate) {
    const std::int64_t now = now_ms();
    if (now > certificate.not_after_ms() || now < certificate.not_before_ms()) {
        return fail(Code::peer_unauthenticated,
                    "the client certificate {} is expired or not valid yet",
                    certificate.serial_hex());
    }
    return {};
}

Result<Enrolee> load_enrolee(soci::session& session, std::string_view column,
                             const std::string& value) {
    Enrolee found;
    const std::string statement =
        fmt::format("SELECT device_id, class, state FROM devices WHERE {} = :value", column);
    session << statement, soci::use(value), soci::into(found.device),
        soci::into(found.device_class), soci::into(found.state);
    if (!session.got_data()) {
        return fail(Code::peer_forbidden, "this device is not in the plant's inventory");
    }
    return found;
}

}  // namespace

bool may_enrol(std::string_view state) {
    constexpr std::array<std::string_view, 4> allowed{"expected", "onboarding", "active",
                                                      "degraded"};
    return std::ranges::find(allowed, state) != allowed.end();
}

Authority::Authority(AuthorityOptions options, store::Database& database, Bus& bus,
                     audit::Log& audit, Certificate root, Certificate issuing,
                     crypto::PrivateKey key)
    : options_(std::move(options)),
      database_(database),
      bus_(bus),
      audit_(audit),
      root_(std::move(root)),
      issuing_(std::move(issuing)),
      key_(std::move(key)) {
    bus_.certificates_revoked.listen([this](const CertificatesRevoked&) { try_publish_crl(); });
}

Result<std::unique_ptr<Authority>> Authority::open(AuthorityOptions options,
                                                   store::Database& database, Bus& bus,
                                                   audit::Log& audit) {
    const std::filesystem::path pki = options.home / "pki";
    QUOIN_TRY(const crypto::Passphrase unlock,
              crypto::existing_unlock_key(options.home / "unlock.key"));
    QUOIN_TRY(Certificate root, load_one(pki / "root.crt"));
    QUOIN_TRY(Certificate issuing, load_one(pki / "issuing.crt"));
    QUOIN_TRY(crypto::PrivateKey key,
              keys::load_program_key(options.keys, pki / "issuing.key", unlock));
    auto authority = std::unique_ptr<Authority>(new Authority(std::move(options), database, bus,
                                                              audit, std::move(root),
                                                              std::move(issuing), std::move(key)));
    QUOIN_TRY(authority->makers_, authority->load_makers());
    QUOIN_CHECK(authority->record_home());
    QUOIN_CHECK(authority->publish_crl());
    return authority;
}

Result<std::vector<Certificate>> Authority::load_makers() const {
    std::vector<Certificate> makers;
    QUOIN_TRY(const auto files, certificate_files(options_.home / "pki" / "makers"));
    for (const std::filesystem::path& file : files) {
        QUOIN_TRY(const std::vector<Certificate> list, Certificate::load(file));
        makers.insert(makers.end(), list.begin(), list.end());
    }
    return makers;
}

std::vector<Certificate> Authority::client_anchors() const {
    const std::lock_guard lock(mutex_);
    std::vector<Certificate> anchors{root_};
    anchors.insert(anchors.end(), makers_.begin(), makers_.end());
    return anchors;
}

// Again at each start: one may have been added.
Result<void> Authority::record_home() {
    std::vector<Certificate> found{issuing_};
    for (const std::string_view folder : {"services", "operator"}) {
        QUOIN_TRY(const auto files, certificate_files(options_.home / folder));
        for (const std::filesystem::path& file : files) {
            QUOIN_TRY(const std::vector<Certificate> chain, Certificate::load(file));
            if (!chain.empty()) found.push_back(chain.front());
        }
    }
    return database_.transaction([&](soci::session& session) -> Result<void> {
        for (const Certificate& certificate : found) QUOIN_CHECK(record(session, certificate));
        return {};
    });
}

Result<std::int64_t> Authority::revoked_ms(const std::string& serial, bool& recorded) {
    return database_.read([&](soci::session& session) -> Result<std::int64_t> {
        std::int64_t revoked = 0;
        session << "SELECT revoked_ms FROM certificates WHERE serial = :serial", soci::use(serial),
            soci::into(revoked);
        recorded = session.got_data();
        return revoked;
    });
}

Result<x509::Identity> Authority::authenticate(std::span<const Certificate> chain) {
    if (chain.empty()) return fail(Code::peer_unauthenticated, "a client certificate is needed");
    QUOIN_TRY(const bool by_root, same(chain.back(), root_));
    if (!by_root) {
        return fail(Code::peer_unauthenticated, "the client certificate is not one of this plant");
    }
    const Certificate& leaf = chain.front();
    QUOIN_CHECK(check_time(leaf));
    QUOIN_TRY(x509::Identity identity, leaf.identity());
    if (identity.kind == x509::Kind::birth || identity.site != options_.site) {
        return fail(Code::peer_unauthenticated,
                    "the client certificate names nobody of the site {}", options_.site);
    }
    const std::string serial = leaf.serial_hex();
    bool recorded = false;
    QUOIN_TRY(std::int64_t revoked, revoked_ms(serial, recorded));
    if (!recorded && identity.kind != x509::Kind::device) {
        QUOIN_CHECK(record_home());  // an operator that was added since the start
        QUOIN_TRY(revoked, revoked_ms(serial, recorded));
    }
    if (!recorded) {
        return fail(Code::peer_unauthenticated,
                    "the client certificate {} is not in the plant's records", serial);
    }
    if (revoked > 0) {
        return fail(Code::peer_unauthenticated, "the client certificate {} is revoked", serial);
    }
    return identity;
}

Result<Enrolee> Authority::authenticate_birth(std::span<const Certificate> chain) {
    if (chain.empty()) return fail(Code::peer_unauthenticated, "a birth certificate is needed");
    const Certificate& leaf = chain.front();
    QUOIN_TRY(const x509::Identity identity, leaf.identity());
    if (identity.kind != x509::Kind::birth) {
        return fail(Code::peer_forbidden,
                    "the client certificate is no birth certificate; with an operational one use "
                    "simplereenroll");
    }
    const std::vector<Certificate> anchors = client_anchors();
    bool by_maker = false;
    for (const Certificate& maker : std::span(anchors).subspan(1)) {
        QUOIN_TRY(const bool this_one, same(chain.back(), maker));
        by_maker = by_maker || this_one;
    }
    if (!by_maker) {
        return fail(Code::peer_unauthenticated, "the birth certificate is of no maker known here");
    }
    QUOIN_CHECK(check_time(leaf));
    QUOIN_TRY(const crypto::Sha256Digest digest, leaf.sha256());
    QUOIN_TRY(Enrolee found, database_.read([&](soci::session& session) {
        return load_enrolee(session, "birth_cert_sha256", crypto::to_hex(digest));
    }));
    if (found.device != identity.id) {
        return fail(Code::peer_forbidden, "the birth certificate names {} and the inventory {}",
                    identity.id, found.device);
    }
    QUOIN_CHECK(check_birth_key(database_, leaf, crypto::to_hex(digest)));
    return found;
}

Result<Enrolee> Authority::enrolee(const std::string& device) {
    return database_.read(
        [&](soci::session& session) { return load_enrolee(session, "device_id", device); });
}

Result<Certificate> Authority::issue(const Enrolee& enrolee, x509::Profile profile,
                                     const x509::Request& request, bool renewal,
                                     const std::string& key_residence) {
    const bool attest = profile == x509::Profile::attest;
    const x509::Identity identity{.kind = attest ? x509::Kind::attest : x509::Kind::device,
                                  .site = options_.site,
                                  .id = enrolee.device,
                                  .role = std::nullopt};
    QUOIN_TRY(crypto::ByteVector quote_key, request.quote_key());
    if (!attest && !quote_key.empty()) {
        return fail(Code::peer_forbidden,
                    "only an attestation certificate names a TPM's quote key");
    }
    QUOIN_TRY(Certificate certificate, x509::issue(key_, issuing_, request.public_key(),
                                                   {.profile = profile,
                                                    .common_name = enrolee.device,
                                                    .identity = identity,
                                                    .names = {},
                                                    .lifetime = options_.device_lifetime,
                                                    .addresses = options_.addresses,
                                                    .quote_key = std::move(quote_key)}));
    QUOIN_TRY(const std::string quote_key_digest, quote_key_name(certificate));
    const auto committed = database_.transaction([&](soci::session& session) -> Result<void> {
        // In the transaction of the record: a revocation comes before or after, never in between.
        QUOIN_TRY(const Enrolee now, load_enrolee(session, "device_id", enrolee.device));
        if (!may_enrol(now.state)) {
            return fail(Code::state_wrong, "{} is {} and gets no certificate", now.device,
                        now.state);
        }
        if (attest) QUOIN_CHECK(check_quote_key(session, enrolee.device, quote_key_digest));
        return record(session, certificate, key_residence);
    });
    QUOIN_CHECK(committed);
    audit_.append(renewal ? audit::Id::pki_certificate_renewed : audit::Id::pki_certificate_issued,
                  enrolee.device,
                  {{"kind", attest ? "attest" : "device"},
                   {"serial", certificate.serial_hex()},
                   {"key_residence_claimed", key_residence},
                   {"not_after_ms", certificate.not_after_ms()},
                   {"quote_key", quote_key_digest.empty() ? "none" : quote_key_digest}});
    bus_.certificate_issued.publish({.device = enrolee.device,
                                     .kind = attest ? "attest" : "device",
                                     .serial = certificate.serial_hex()});
    return certificate;
}

Result<feed::Seal> Authority::seal(Bytes message) const {
    QUOIN_TRY(crypto::ByteVector signature, key_.sign(message));
    QUOIN_TRY(crypto::ByteVector issuer, issuing_.der());
    return feed::Seal{.signature = std::move(signature), .issuer = std::move(issuer)};
}

std::string Authority::crl_pem() const {
    const std::lock_guard lock(mutex_);
    return crl_pem_;
}

std::string Authority::crl_der() const {
    const std::lock_guard lock(mutex_);
    return crl_der_;
}

Result<std::uint64_t> Authority::next_crl_number() {
    return database_.transaction([](soci::session& session) -> Result<std::uint64_t> {
        std::int64_t number = 0;
        session << "SELECT number FROM meta WHERE name = 'crl_number'", soci::into(number);
        const bool first = !session.got_data();
        // Seconds as the floor: a database restored from a backup cannot make the number step back.
        number = std::max(number + 1, now_ms() / 1000);
        if (first) {
            session << "INSERT INTO meta (name, number) VALUES ('crl_number', :number)",
                soci::use(number);
        } else {
            session << "UPDATE meta SET number = :number WHERE name = 'crl_number'",
                soci::use(number);
        }
        return static_cast<std::uint64_t>(number);
    });
}

Result<void> Authority::publish_crl() {
    const std::lock_guard order(publishing_);
    const std::int64_t lifetime_ms = options_.crl_lifetime.count() * 1000;
    const std::int64_t now = now_ms();
    const std::int64_t oldest = now - lifetime_ms;  // an expired one stays on one list more
    QUOIN_TRY(const std::uint64_t number, next_crl_number());
    QUOIN_TRY(const auto revoked,
              database_.read([&](soci::session& session) -> Result<std::vector<x509::Revoked>> {
                  std::vector<x509::Revoked> list;
                  // Unordered, or SQLite would walk the whole table by its key; the list is sorted.
                  const soci::rowset<soci::row> rows =
                      (session.prepare
                           << "SELECT serial, revoked_ms, reason FROM certificates WHERE "
                              "revoked_ms > 0 AND not_after_ms > :oldest",
                       soci::use(oldest));
                  for (const soci::row& row : rows) {
                      const auto reason =
                          x509::reason_by_number(static_cast<std::uint64_t>(row.get<int>(2)));
                      list.push_back({.serial_hex = row.get<std::string>(0),
                                      .revoked_ms = row.get<long long>(1),
                                      .reason = reason.value_or(x509::Reason::unspecified)});
                  }
                  return list;
              }));
    QUOIN_TRY(std::string pem,
              x509::issue_crl_pem(key_, issuing_, revoked, number, options_.crl_lifetime));
    QUOIN_CHECK(files::write_atomically(options_.home / "pki" / "crl.pem", pem, 0644));
    QUOIN_TRY(std::string der, der_of(pem));
    {
        const std::lock_guard lock(mutex_);
        crl_pem_ = std::move(pem);
        crl_der_ = std::move(der);
        crl_due_ms_ = now + lifetime_ms / 2;
    }
    audit_.append(audit::Id::pki_crl_published, "", {{"crl", number}, {"revoked", revoked.size()}});
    return {};
}

void Authority::try_publish_crl() {
    const auto published = publish_crl();
    if (published) return;
    spdlog::error("pki: the revocation list was not published: {}", published.error().message);
    audit_.append(audit::Id::pki_crl_failed, "", {{"reason", published.error().message}});
    const std::lock_guard lock(mutex_);
    crl_due_ms_ = now_ms() + retry_ms;
}

bool Authority::tick() {
    bool due = false;
    {
        const std::lock_guard lock(mutex_);
        due = now_ms() >= crl_due_ms_;
    }
    if (due) try_publish_crl();
    auto makers = load_makers();
    if (!makers) {
        spdlog::error("pki: makers are as they were: {}", makers.error().message);
        return false;
    }
    const auto differs = [](const Certificate& one, const Certificate& other) {
        const auto equal = same(one, other);
        return !equal || !*equal;
    };
    const std::lock_guard lock(mutex_);
    bool changed = makers->size() != makers_.size();
    for (std::size_t i = 0; !changed && i < makers_.size(); ++i)
        changed = differs(makers_[i], (*makers)[i]);
    if (changed) makers_ = *std::move(makers);
    return changed;
}

}  // namespace quoin::server
