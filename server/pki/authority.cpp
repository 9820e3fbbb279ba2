#include "server/pki/authority.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>

#include "host/files/files.hpp"
#include "host/keys/program_key.hpp"
#include "host/store/bulk.hpp"
#include "server/bus/clock.hpp"
#include "server/pki/birth_key.hpp"
#include "server/pki/certificate_rows.hpp"

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

}  // namespace

Authority::Authority(AuthorityOptions options, store::Database& database, Bus& bus,
                     audit::Log& audit, Certificate root, Certificate issuing,
                     crypto::PrivateKey key)
    : options_(std::move(options)),
      database_(database),
      commits_(database),
      bus_(bus),
      audit_(audit),
      root_(std::move(root)),
      issuing_(std::move(issuing)),
      key_(std::move(key)) {
    bus_.broker_session.listen([this](const BrokerSession& session) {
        const auto* opened = std::get_if<feed::Connected>(&session.report);
        if (opened != nullptr) note_move(opened->id, opened->serial);
    });
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
    authority->load_next_again();
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
    std::vector<Certificate> anchors = makers_;
    anchors.push_back(root_);
    if (next_) anchors.push_back(next_->root);
    return anchors;
}

NextPointer Authority::next() const {
    const std::lock_guard lock(mutex_);
    return next_;
}

Result<bool> Authority::is_of_next(std::span<const Certificate> chain) const {
    const NextPointer second = next();
    if (!second || chain.empty()) return false;
    return same(chain.back(), second->root);
}

std::vector<Certificate> Authority::ca_certificates() const {
    std::vector<Certificate> all{root_, issuing_};
    if (const NextPointer second = next()) {
        all.push_back(second->root);
        all.push_back(second->issuing);
        all.push_back(second->new_with_old);
    }
    return all;
}

// What HOME/next is now. True: it changed.
bool Authority::load_next_again() {
    const NextPointer present = next();
    auto loaded = load_next(options_.home, options_.keys, options_.suite, present);
    if (!loaded) {
        spdlog::error("pki: migration: {}", loaded.error().message);
        return false;
    }
    if (*loaded == present) return false;
    const std::lock_guard lock(mutex_);
    next_ = *std::move(loaded);
    spdlog::info("pki: {}", next_ ? fmt::format("the plant migrates to suite {}",
                                                tls::info(next_->profile.suite).name)
                                  : "the plant does not migrate any more");
    return true;
}

// Leaves of services and operators, and the issuing CAs. Again at each start: one may have been
// added.
Result<void> Authority::record_home() {
    struct Found {
        Certificate certificate;
        std::string issuer;
    };
    std::vector<Found> found{{issuing_, root_.serial_hex()}};
    std::vector<std::filesystem::path> homes{options_.home};
    if (const NextPointer second = next()) {
        found.push_back({second->issuing, second->root.serial_hex()});
        homes.push_back(second->folder);
    }
    for (const std::filesystem::path& home : homes) {
        for (const std::string_view folder : {"services", "operator"}) {
            QUOIN_TRY(const auto files, certificate_files(home / folder));
            for (const std::filesystem::path& file : files) {
                QUOIN_TRY(const std::vector<Certificate> chain, Certificate::load(file));
                if (!chain.empty()) found.push_back({chain.front(), chain.back().serial_hex()});
            }
        }
    }
    return database_.transaction([&](soci::session& session) -> Result<void> {
        for (const Found& one : found) {
            QUOIN_CHECK(record(session, one.certificate, {.issuer = one.issuer}));
        }
        return {};
    });
}

// By the certificate itself, not by its serial alone, which whoever has an issuing CA's key may
// give to a certificate of his own. None: it is not there.
Result<std::optional<std::int64_t>> Authority::revoked_ms(const Certificate& leaf) {
    QUOIN_TRY(const crypto::Sha3_512Digest sha3_512, leaf.sha3_512());
    const std::string serial = leaf.serial_hex();
    const std::string digest = crypto::to_hex(sha3_512);
    return database_.read([&](soci::session& session) -> Result<std::optional<std::int64_t>> {
        std::int64_t revoked = 0;
        session << "SELECT revoked_ms FROM certificates WHERE serial = :serial AND sha3_512 = "
                   ":digest",
            soci::use(serial), soci::use(digest), soci::into(revoked);
        return session.got_data() ? std::optional(revoked) : std::nullopt;
    });
}

Result<x509::Identity> Authority::authenticate(std::span<const Certificate> chain) {
    if (chain.empty()) return fail(Code::peer_unauthenticated, "a client certificate is needed");
    QUOIN_TRY(const bool by_root, same(chain.back(), root_));
    QUOIN_TRY(const bool by_next, is_of_next(chain));
    if (!by_root && !by_next) {
        return fail(Code::peer_unauthenticated, "the client certificate is not one of this plant");
    }
    const Certificate& leaf = chain.front();
    QUOIN_CHECK(check_time(leaf));
    QUOIN_TRY(x509::Identity identity, leaf.identity());
    if (identity.kind == x509::Kind::birth || identity.site != options_.site) {
        return fail(Code::peer_unauthenticated,
                    "the client certificate names nobody of the site {}", options_.site);
    }
    QUOIN_TRY(std::optional<std::int64_t> revoked, revoked_ms(leaf));
    if (!revoked && identity.kind != x509::Kind::device) {
        QUOIN_CHECK(record_home());  // an operator that was added since the start
        QUOIN_TRY(revoked, revoked_ms(leaf));
    }
    if (!revoked) {
        return fail(Code::peer_unauthenticated,
                    "the client certificate {} is not in the plant's records", leaf.serial_hex());
    }
    if (*revoked > 0) {
        return fail(Code::peer_unauthenticated, "certificate {} is revoked", leaf.serial_hex());
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
    std::vector<Certificate> makers;
    {
        const std::lock_guard lock(mutex_);
        makers = makers_;
    }
    bool by_maker = false;
    for (const Certificate& maker : makers) {
        QUOIN_TRY(const bool this_one, same(chain.back(), maker));
        by_maker = by_maker || this_one;
    }
    if (!by_maker) {
        return fail(Code::peer_unauthenticated, "the birth certificate is of no maker known here");
    }
    QUOIN_CHECK(check_time(leaf));
    QUOIN_TRY(const crypto::Sha256Digest digest, leaf.sha256());
    QUOIN_TRY(const crypto::PublicKey public_key, leaf.public_key());
    QUOIN_TRY(const crypto::Sha256Digest key, key_digest(public_key));
    const BirthKey birth{.certificate = crypto::to_hex(digest), .key = crypto::to_hex(key)};
    QUOIN_TRY(Enrolee found, database_.read([&](soci::session& session) -> Result<Enrolee> {
        QUOIN_TRY(Enrolee one, load_enrolee(session, "birth_cert_sha256", birth.certificate));
        QUOIN_TRY(const bool is_known, check_birth_key(session, birth));
        if (!is_known) one.birth = birth;
        return one;
    }));
    if (found.device != identity.id) {
        return fail(Code::peer_forbidden, "the birth certificate names {} and the inventory {}",
                    identity.id, found.device);
    }
    return found;
}

Result<Enrolee> Authority::enrolee(const std::string& device) {
    return database_.read(
        [&](soci::session& session) { return load_enrolee(session, "device_id", device); });
}

// Null: the present hierarchy. A device certificate is of the hierarchy whose suite its key is of;
// an attestation certificate, whose key is the same in all suites, of that of the device's newest.
Result<NextPointer> Authority::issuer_of(const std::string& device, x509::Profile profile,
                                         const x509::Request& request) {
    const NextPointer second = next();
    if (!second) return second;
    if (profile == x509::Profile::device) {
        QUOIN_TRY(const crypto::Algorithm key, request.public_key().algorithm());
        const PkiProfile::Algorithms& algorithms = second->profile.algorithms;
        return key == algorithms.mcu || key == algorithms.mpu ? second : nullptr;
    }
    const std::string issuer = second->issuing.serial_hex();
    return database_.read([&](soci::session& session) -> Result<NextPointer> {
        std::string newest;
        session << "SELECT issuer FROM certificates WHERE subject_id = :d AND kind = 'device' AND "
                   "revoked_ms = 0 ORDER BY not_before_ms DESC, CASE WHEN issuer = :i THEN 0 ELSE "
                   "1 END LIMIT 1",
            soci::use(device), soci::use(issuer), soci::into(newest);
        return newest == issuer ? second : nullptr;
    });
}

// A device is on the broker with a certificate of the new hierarchy: it has moved, for good.
void Authority::note_move(const std::string& device, const std::string& serial) {
    const NextPointer second = next();
    if (!second) return;
    const std::string issuer = second->issuing.serial_hex();
    const auto noted = database_.transaction([&](soci::session& session) -> Result<void> {
        int ours = 0;
        session << "SELECT COUNT(*) FROM certificates WHERE serial = :s AND subject_id = :d AND "
                   "kind = 'device' AND issuer = :i",
            soci::use(serial), soci::use(device), soci::use(issuer), soci::into(ours);
        if (ours == 0) return {};
        const std::array<store::Column, 3> columns{
            {{"device_id", std::vector<std::string>{device}},
             {"issuer", std::vector<std::string>{issuer}},
             {"at_ms", std::vector<std::int64_t>{now_ms()}}}};
        store::insert_new(session, "moves", columns);
        return {};
    });
    if (!noted) spdlog::error("pki: {} has moved: {}", device, noted.error().message);
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

Result<std::vector<x509::Revoked>> Authority::revoked_of(const Certificate& issuer,
                                                         std::int64_t oldest_ms) {
    const std::string serial = issuer.serial_hex();
    return database_.read([&](soci::session& session) -> Result<std::vector<x509::Revoked>> {
        std::vector<x509::Revoked> list;
        // Unordered, or SQLite would walk the whole table by its key; the list is sorted.
        const soci::rowset<soci::row> rows =
            (session.prepare << "SELECT serial, revoked_ms, reason FROM certificates WHERE "
                                "revoked_ms > 0 AND not_after_ms > :oldest AND issuer IN ('', :i)",
             soci::use(oldest_ms), soci::use(serial));
        for (const soci::row& row : rows) {
            const auto reason = x509::reason_by_number(static_cast<std::uint64_t>(row.get<int>(2)));
            list.push_back({.serial_hex = row.get<std::string>(0),
                            .revoked_ms = row.get<long long>(1),
                            .reason = reason.value_or(x509::Reason::unspecified)});
        }
        return list;
    });
}

Result<void> Authority::publish_crl() {
    const std::lock_guard order(publishing_);
    const std::int64_t lifetime_ms = options_.crl_lifetime.count() * 1000;
    const std::int64_t now = now_ms();
    const std::int64_t oldest = now - lifetime_ms;  // an expired one stays on one list more
    QUOIN_TRY(const std::uint64_t number, next_crl_number());
    QUOIN_TRY(const auto revoked, revoked_of(issuing_, oldest));
    QUOIN_TRY(std::string pem,
              x509::issue_crl_pem(key_, issuing_, revoked, number, options_.crl_lifetime));
    // Of both issuers, in one file: whoever checks looks for the list by the issuer's key.
    if (const NextPointer second = next()) {
        QUOIN_TRY(const auto of_next, revoked_of(second->issuing, oldest));
        QUOIN_TRY(const std::string list, x509::issue_crl_pem(second->key, second->issuing, of_next,
                                                              number, options_.crl_lifetime));
        pem += list;
    }
    QUOIN_TRY(std::string der, der_of(pem));
    {
        const std::lock_guard lock(mutex_);
        crl_pem_ = pem;
        crl_der_ = std::move(der);
    }
    QUOIN_CHECK(files::write_atomically(options_.home / "pki" / "crl.pem", pem, 0644));
    {
        const std::lock_guard lock(mutex_);
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

void Authority::list_revocations() {
    bus_.certificates_revoked.listen([this](const CertificatesRevoked&) { try_publish_crl(); });
}

bool Authority::tick() {
    const bool next_changed = load_next_again();
    if (next_changed) {
        const auto recorded = record_home();
        if (!recorded) spdlog::error("pki: migration: {}", recorded.error().message);
    }
    bool due = next_changed;
    {
        const std::lock_guard lock(mutex_);
        due = due || now_ms() >= crl_due_ms_;
    }
    if (due) try_publish_crl();
    auto makers = load_makers();
    if (!makers) {
        spdlog::error("pki: makers are as they were: {}", makers.error().message);
        return next_changed;
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
    return changed || next_changed;
}

}  // namespace quoin::server
