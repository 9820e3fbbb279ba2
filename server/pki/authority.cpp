#include "server/pki/authority.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>

#include "host/files/files.hpp"
#include "host/store/bulk.hpp"
#include "server/bus/clock.hpp"
#include "server/pki/birth_key.hpp"
#include "server/pki/certificate_rows.hpp"
#include "server/pki/rotation.hpp"

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
                     audit::Log& audit, Certificate root, IssuersPointer issuers)
    : options_(std::move(options)),
      database_(database),
      commits_(database),
      bus_(bus),
      audit_(audit),
      root_(std::move(root)),
      issuers_(std::move(issuers)) {
    bus_.broker_session.listen([this](const BrokerSession& session) {
        const auto* opened = std::get_if<feed::Connected>(&session.report);
        if (opened != nullptr) note_move(opened->id, opened->serial);
    });
}

Result<std::unique_ptr<Authority>> Authority::open(AuthorityOptions options,
                                                   store::Database& database, Bus& bus,
                                                   audit::Log& audit) {
    const std::filesystem::path pki = options.home / "pki";
    QUOIN_TRY(Certificate root, load_one(pki / "root.crt"));
    QUOIN_TRY(IssuersPointer issuers, load_issuers(options.home, options.keys, nullptr));
    auto authority = std::unique_ptr<Authority>(new Authority(
        std::move(options), database, bus, audit, std::move(root), std::move(issuers)));
    QUOIN_TRY(authority->makers_, authority->load_makers());
    authority->load_next_again();
    QUOIN_CHECK(authority->name_issuers());
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

IssuersPointer Authority::issuers() const {
    const std::lock_guard lock(mutex_);
    return issuers_;
}

std::vector<IssuerPointer> Authority::all_issuers() const {
    const std::lock_guard lock(mutex_);
    std::vector<IssuerPointer> all{issuers_->present};
    all.insert(all.end(), issuers_->earlier.begin(), issuers_->earlier.end());
    if (next_) all.push_back(next_->issuer);
    return all;
}

bool Authority::must_renew(std::span<const Certificate> chain) const {
    if (chain.size() < 2) return false;
    const IssuersPointer all = issuers();
    const std::string serial = chain[1].serial_hex();
    return std::ranges::any_of(all->earlier, [&](const IssuerPointer& one) {
        return one->renew_now && one->certificate.serial_hex() == serial;
    });
}

Result<bool> Authority::is_of_next(std::span<const Certificate> chain) const {
    const NextPointer second = next();
    if (!second || chain.empty()) return false;
    return same(chain.back(), second->root);
}

std::vector<Certificate> Authority::ca_certificates() const {
    std::vector<Certificate> all{root_, issuing()};
    if (const NextPointer second = next()) {
        all.push_back(second->root);
        all.push_back(second->issuer->certificate);
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
    const NextPointer now = *std::move(loaded);
    {
        const std::lock_guard lock(mutex_);
        next_ = now;
    }
    const NextHierarchy& which = now ? *now : *present;
    audit_.append(now ? audit::Id::pki_migration_begun : audit::Id::pki_migration_aborted, "",
                  {{"suite", tls::info(which.profile.suite).name},
                   {"issuing_serial", which.issuer->certificate.serial_hex()}});
    return true;
}

// The issuing CAs of the root, as they are on disk now. True: they changed.
bool Authority::load_issuers_again() {
    const IssuersPointer before = issuers();
    auto loaded = load_issuers(options_.home, options_.keys, before);
    if (!loaded) {
        spdlog::error("pki: issuing CAs are as they were: {}", loaded.error().message);
        return false;
    }
    if (*loaded == before) return false;
    const Certificate present = (*loaded)->present->certificate;
    const bool is_new = present.serial_hex() != before->present->certificate.serial_hex();
    {
        const std::lock_guard lock(mutex_);
        issuers_ = *std::move(loaded);
    }
    if (is_new) {
        audit_.append(audit::Id::pki_issuing_rotated, "",
                      {{"name", present.common_name()},
                       {"serial", present.serial_hex()},
                       {"earlier", before->present->certificate.serial_hex()}});
    }
    return true;
}

// Rows of before there were several: of the first issuing CA, which is the only one then.
Result<void> Authority::name_issuers() {
    const std::string present = issuing().serial_hex();
    return database_.transaction([&](soci::session& session) -> Result<void> {
        session << "UPDATE certificates SET issuer = :i WHERE issuer = '' AND kind <> 'ca'",
            soci::use(present);
        return {};
    });
}

// Leaves of services and operators, and the issuing CAs. Again at each start: one may have been
// added.
Result<void> Authority::record_home() {
    struct Found {
        Certificate certificate;
        std::string issuer;
    };
    std::vector<Found> found{{issuing(), root_.serial_hex()}};
    std::vector<std::filesystem::path> homes{options_.home};
    if (const NextPointer second = next()) {
        found.push_back({second->issuer->certificate, second->root.serial_hex()});
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

// While the plant migrates, a device certificate is of the hierarchy whose suite its key is of; an
// attestation certificate, whose key is the same in all suites, of that of the device's newest.
Result<IssuerPointer> Authority::issuer_for(const std::string& device, x509::Profile profile,
                                            const x509::Request& request) {
    const IssuerPointer present = issuers()->present;
    const NextPointer second = next();
    if (!second) return present;
    if (profile == x509::Profile::device) {
        QUOIN_TRY(const crypto::Algorithm key, request.public_key().algorithm());
        const PkiProfile::Algorithms& algorithms = second->profile.algorithms;
        return key == algorithms.mcu || key == algorithms.mpu ? second->issuer : present;
    }
    const std::string issuer = second->issuer->certificate.serial_hex();
    return database_.read([&](soci::session& session) -> Result<IssuerPointer> {
        std::string newest;
        session << "SELECT issuer FROM certificates WHERE subject_id = :d AND kind = 'device' AND "
                   "revoked_ms = 0 ORDER BY not_before_ms DESC, CASE WHEN issuer = :i THEN 0 ELSE "
                   "1 END LIMIT 1",
            soci::use(device), soci::use(issuer), soci::into(newest);
        return newest == issuer ? second->issuer : present;
    });
}

// A device is on the broker with a certificate of the new hierarchy: it has moved, for good.
void Authority::note_move(const std::string& device, const std::string& serial) {
    const NextPointer second = next();
    if (!second) return;
    const std::string issuer = second->issuer->certificate.serial_hex();
    const auto noted = database_.transaction([&](soci::session& session) -> Result<bool> {
        int ours = 0;
        session << "SELECT COUNT(*) FROM certificates WHERE serial = :s AND subject_id = :d AND "
                   "kind = 'device' AND issuer = :i AND NOT EXISTS (SELECT 1 FROM moves WHERE "
                   "device_id = :e AND moves.issuer = :j)",
            soci::use(serial), soci::use(device), soci::use(issuer), soci::use(device),
            soci::use(issuer), soci::into(ours);
        if (ours == 0) return false;
        const std::array<store::Column, 3> columns{
            {{"device_id", std::vector<std::string>{device}},
             {"issuer", std::vector<std::string>{issuer}},
             {"at_ms", std::vector<std::int64_t>{now_ms()}}}};
        store::insert_new(session, "moves", columns);
        return true;
    });
    if (!noted) {
        spdlog::error("pki: {} has moved: {}", device, noted.error().message);
    } else if (*noted) {
        audit_.append(audit::Id::pki_migration_moved, device,
                      {{"suite", tls::info(second->profile.suite).name}, {"serial", serial}});
    }
}

Result<feed::Seal> Authority::seal(Bytes message) const {
    const IssuerPointer by = issuers()->present;
    QUOIN_TRY(crypto::ByteVector signature, by->key.sign(message));
    QUOIN_TRY(crypto::ByteVector issuer, by->certificate.der());
    return feed::Seal{.signature = std::move(signature), .issuer = std::move(issuer)};
}

std::string Authority::crl_pem() const {
    const std::lock_guard lock(mutex_);
    return crl_pem_;
}

std::string Authority::crl_der(const std::string& issuer) const {
    const std::lock_guard lock(mutex_);
    const auto found = crl_ders_.find(issuer);
    return found == crl_ders_.end() ? std::string() : found->second;
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
                                "revoked_ms > 0 AND not_after_ms > :oldest AND issuer = :i",
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
    std::string pem;
    std::map<std::string, std::string> ders;
    std::size_t count = 0;
    // In one file: whoever checks looks for the list by the issuer's name and key.
    for (const IssuerPointer& issuer : all_issuers()) {
        QUOIN_TRY(const auto revoked, revoked_of(issuer->certificate, oldest));
        QUOIN_TRY(const std::string list,
                  x509::issue_crl_pem(issuer->key, issuer->certificate, revoked, number,
                                      options_.crl_lifetime));
        QUOIN_TRY(ders[issuer->certificate.serial_hex()], der_of(list));
        pem += list;
        count += revoked.size();
    }
    {
        const std::lock_guard lock(mutex_);
        crl_pem_ = pem;
        crl_ders_ = std::move(ders);
    }
    QUOIN_CHECK(files::write_atomically(options_.home / "pki" / "crl.pem", pem, 0644));
    {
        const std::lock_guard lock(mutex_);
        crl_due_ms_ = now + lifetime_ms / 2;
    }
    audit_.append(audit::Id::pki_crl_published, "", {{"crl", number}, {"revoked", count}});
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

// All that it has issued has expired, and was on one list more.
Result<bool> Authority::has_certificates(const Certificate& issuer) {
    const std::string serial = issuer.serial_hex();
    const std::int64_t oldest = now_ms() - options_.crl_lifetime.count() * 1000;
    return database_.read([&](soci::session& session) -> Result<bool> {
        std::int64_t left = 0;
        session << "SELECT COUNT(*) FROM certificates WHERE issuer = :i AND not_after_ms > :o",
            soci::use(serial), soci::use(oldest), soci::into(left);
        return left > 0;
    });
}

// By ourselves, because only the records say when, and a key that nobody needs is one that nobody
// watches.
void Authority::retire_earlier() {
    for (const IssuerPointer& one : issuers()->earlier) {
        const std::string serial = one->certificate.serial_hex();
        const auto retired = [&]() -> Result<bool> {
            QUOIN_TRY(const bool is_needed, has_certificates(one->certificate));
            return is_needed ? false : retire_issuing(options_.home, serial);
        }();
        if (!retired) {
            spdlog::error("pki: the key of {} stays: {}", one->certificate.common_name(),
                          retired.error().message);
        } else if (*retired) {
            audit_.append(audit::Id::pki_issuing_retired, "",
                          {{"name", one->certificate.common_name()}, {"serial", serial}});
        }
    }
}

bool Authority::load_makers_again() {
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

bool Authority::tick() {
    const bool next_changed = load_next_again();
    const bool issuers_changed = load_issuers_again();
    if (next_changed || issuers_changed) {
        const auto recorded = record_home();
        if (!recorded) spdlog::error("pki: new certificates: {}", recorded.error().message);
    }
    bool due = next_changed || issuers_changed;
    {
        const std::lock_guard lock(mutex_);
        due = due || now_ms() >= crl_due_ms_;
    }
    if (due) {
        try_publish_crl();
        retire_earlier();
    }
    return load_makers_again() || next_changed || issuers_changed;
}

}  // namespace quoin::server
