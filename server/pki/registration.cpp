#include "server/pki/registration.hpp"

#include <algorithm>
#include <optional>

#include "host/keys/program_key.hpp"
#include "host/store/bulk.hpp"
#include "server/bus/clock.hpp"
#include "server/pki/birth_key.hpp"

namespace quoin::server {

// Of `enrolments`; digests as bytes, the rest as in the columns.
struct RegistrationAuthority::Row {
    std::int64_t number = 0;
    std::string device = {};
    std::string kind = {};
    bool renewal = false;
    crypto::Sha256Digest key = {};
    crypto::ByteVector quote_key = {};  // digest; no column: the request names it
    crypto::ByteVector request = {};    // DER
    std::string key_residence = {};
    std::string state = {};
    std::int64_t decided_ms = 0;
    std::string actor = {};
    std::string reason = {};
    crypto::ByteVector approval = {};
};

namespace {

constexpr std::size_t max_actor = 128;   // the column's
constexpr std::size_t max_reason = 256;  // likewise
constexpr std::string_view columns =
    "number, device_id, kind, renewal, key_sha256, request, key_residence, state, decided_ms, "
    "actor, reason, approval";

// By rule_for(): what decides where no operator has.
constexpr std::string_view by_rule = "rule:";

template <class Row>
Result<Row> row_from(const soci::row& columns_of_row) {
    Row row;
    row.number = columns_of_row.get<long long>(0);
    row.device = columns_of_row.get<std::string>(1);
    row.kind = columns_of_row.get<std::string>(2);
    row.renewal = columns_of_row.get<int>(3) != 0;
    QUOIN_TRY(const auto key, crypto::from_hex(columns_of_row.get<std::string>(4)));
    if (key.size() != row.key.size()) {
        return fail(Code::integrity_mismatch, "enrolment {}: key_sha256 is no SHA-256", row.number);
    }
    std::ranges::copy(key, row.key.begin());
    QUOIN_TRY(row.request, crypto::from_base64(columns_of_row.get<std::string>(5)));
    row.key_residence = columns_of_row.get<std::string>(6);
    row.state = columns_of_row.get<std::string>(7);
    row.decided_ms = columns_of_row.get<long long>(8);
    row.actor = columns_of_row.get<std::string>(9);
    row.reason = columns_of_row.get<std::string>(10);
    QUOIN_TRY(row.approval, crypto::from_base64(columns_of_row.get<std::string>(11)));
    return row;
}

template <class Row>
Result<std::optional<Row>> first_row(const soci::rowset<soci::row>& rows) {
    const auto at = rows.begin();  // each begin() fetches: call it once
    if (at == rows.end()) return std::optional<Row>();
    QUOIN_TRY(Row row, row_from<Row>(*at));
    return std::optional<Row>(std::move(row));
}

template <class Row>
Result<std::optional<Row>> find_by_key(soci::session& session, const std::string& device,
                                       const crypto::Sha256Digest& key) {
    const std::string digest = crypto::to_hex(key);
    const std::string statement = fmt::format(
        "SELECT {} FROM enrolments WHERE device_id = :d AND key_sha256 = :k ORDER BY number DESC "
        "LIMIT 1",
        columns);
    const soci::rowset<soci::row> rows =
        (session.prepare << statement, soci::use(device), soci::use(digest));
    return first_row<Row>(rows);
}

template <class Row>
Result<Row> find(soci::session& session, std::int64_t number) {
    const std::string statement =
        fmt::format("SELECT {} FROM enrolments WHERE number = :n", columns);
    const soci::rowset<soci::row> rows = (session.prepare << statement, soci::use(number));
    QUOIN_TRY(std::optional<Row> found, first_row<Row>(rows));
    if (!found) return fail(Code::input_not_found, "there is no enrolment {}", number);
    return *std::move(found);
}

// In the transaction that decides: nothing about the device has changed since it was looked at.
Result<void> check_unchanged(soci::session& session, const Enrolee& before) {
    QUOIN_TRY(const Enrolee now, load_enrolee(session, "device_id", before.device));
    if (!may_enrol(now.state)) {
        return fail(Code::state_wrong, "{} is {} and gets no certificate", now.device, now.state);
    }
    if (now.epoch != before.epoch || now.device_class != before.device_class) {
        return fail(Code::state_wrong, "{} has changed meanwhile; ask again", now.device);
    }
    return {};
}

// I5: one stolen key must not fill the database and the revocation list. A device that renews at
// two thirds of a lifetime has two.
constexpr std::int64_t max_valid = 64;

Result<void> check_count(soci::session& session, const std::string& device,
                         const std::string& kind) {
    const std::int64_t now = now_ms();
    std::int64_t valid = 0;
    session << "SELECT COUNT(*) FROM certificates WHERE subject_id = :d AND kind = :k AND "
               "revoked_ms = 0 AND not_after_ms > :now",
        soci::use(device), soci::use(kind), soci::use(now), soci::into(valid);
    if (valid < max_valid) return {};
    return fail(Code::state_wrong,
                "{} has {} valid certificates, and gets another when one has expired; if it should "
                "not have so many, revoke it and take it in again",
                device, valid);
}

template <class Row>
void insert_row(soci::session& session, const Row& row) {
    using Texts = std::vector<std::string>;
    using Numbers = std::vector<std::int64_t>;
    const std::array<store::Column, 14> values{{
        {"number", Numbers{row.number}},
        {"device_id", Texts{row.device}},
        {"kind", Texts{row.kind}},
        {"renewal", Numbers{row.renewal ? 1 : 0}},
        {"key_sha256", Texts{crypto::to_hex(row.key)}},
        {"request", Texts{crypto::to_base64(row.request)}},
        {"key_residence", Texts{row.key_residence}},
        {"state", Texts{row.state}},
        {"created_ms", Numbers{now_ms()}},
        {"decided_ms", Numbers{row.decided_ms}},
        {"actor", Texts{row.actor}},
        {"reason", Texts{row.reason}},
        {"approval", Texts{crypto::to_base64(row.approval)}},
        {"serial", Texts{std::string()}},
    }};
    store::insert_new(session, "enrolments", values);
}

// input_conflict: there is a request with this key already.
template <class Row>
Result<void> write(soci::session& session, const Row& row, const Enrolee& enrolee) {
    QUOIN_CHECK(check_unchanged(session, enrolee));
    QUOIN_TRY(const std::optional<Row> first, find_by_key<Row>(session, row.device, row.key));
    if (first) {
        return fail(Code::input_conflict, "request {} of {} is for the same key", first->number,
                    row.device);
    }
    QUOIN_CHECK(check_count(session, row.device, row.kind));
    if (row.kind == "attest") {
        QUOIN_CHECK(check_quote_key(session, row.device, crypto::to_hex(row.quote_key)));
    }
    if (enrolee.birth) QUOIN_CHECK(remember_birth_key(session, *enrolee.birth));
    // A device that has lost the key of its last request: one waits at a time.
    const std::string reason = fmt::format("superseded by request {}", row.number);
    const std::int64_t now = now_ms();
    session << "UPDATE enrolments SET state = 'refused', reason = :why, decided_ms = :now "
               "WHERE device_id = :d AND kind = :k AND state = 'pending'",
        soci::use(reason), soci::use(now), soci::use(row.device), soci::use(row.kind);
    insert_row(session, row);
    return {};
}

template <class Row>
Result<Submitted> answer(const Row& row, const x509::Request& request, const Issue& issue) {
    if (row.state == "refused") {
        return fail(Code::peer_forbidden,
                    "request {} of {} was refused: {}; it may ask again with a new key", row.number,
                    row.device, row.reason);
    }
    Submitted submitted{.number = row.number};
    if (row.state != "pending") {
        QUOIN_TRY(submitted.certificate, issue(row.approval, request, {}));
    }
    return submitted;
}

}  // namespace

RegistrationAuthority::RegistrationAuthority(RegistrationOptions options, store::Database& database,
                                             audit::Log& audit, tls::Credentials own)
    : options_(std::move(options)),
      database_(database),
      commits_(database),
      audit_(audit),
      own_(std::make_shared<const tls::Credentials>(std::move(own))) {}

std::shared_ptr<const tls::Credentials> RegistrationAuthority::own() const {
    const std::lock_guard lock(mutex_);
    return own_;
}

void RegistrationAuthority::replace(tls::Credentials own) {
    auto fresh = std::make_shared<const tls::Credentials>(std::move(own));
    const std::lock_guard lock(mutex_);
    own_ = std::move(fresh);
}

Result<std::unique_ptr<RegistrationAuthority>> RegistrationAuthority::open(
    RegistrationOptions options, store::Database& database, audit::Log& audit) {
    const std::filesystem::path services = options.home / "services";
    QUOIN_TRY(const crypto::Passphrase unlock,
              crypto::existing_unlock_key(options.home / "unlock.key"));
    QUOIN_TRY(std::vector<x509::Certificate> chain, x509::Certificate::load(services / "ra.crt"));
    QUOIN_TRY(crypto::PrivateKey key,
              keys::load_program_key(options.keys, services / "ra.key", unlock));
    QUOIN_TRY(const std::int64_t last,
              database.read([](soci::session& session) -> Result<std::int64_t> {
                  std::int64_t number = 0;
                  session << "SELECT COALESCE(MAX(number), 0) FROM enrolments", soci::into(number);
                  return number;
              }));
    auto made = std::unique_ptr<RegistrationAuthority>(new RegistrationAuthority(
        std::move(options), database, audit, {std::move(chain), std::move(key)}));
    made->next_number_ = last + 1;
    return made;
}

Result<RegistrationAuthority::Row> RegistrationAuthority::row_of(const Submission& submission) {
    const bool attest = submission.profile == x509::Profile::attest;
    Row row{.device = submission.enrolee.device,
            .kind = attest ? "attest" : "device",
            .renewal = submission.renewal,
            .key_residence = submission.key_residence};
    QUOIN_TRY(row.key, key_digest(submission.request.public_key()));
    QUOIN_TRY(const crypto::ByteVector quote_key, submission.request.quote_key());
    if (!attest && !quote_key.empty()) {
        return fail(Code::peer_forbidden,
                    "only an attestation certificate names a TPM's quote key");
    }
    QUOIN_TRY(row.quote_key, quote_key_digest(quote_key));
    QUOIN_TRY(row.request, submission.request.der());
    return row;
}

Result<Rule> RegistrationAuthority::rule_for(const Row& row, std::string& name) {
    if (row.renewal) {
        name = "renewal";
        return options_.policy.renewal;
    }
    QUOIN_TRY(const std::int64_t not_after_ms,
              database_.read([&](soci::session& session) -> Result<std::int64_t> {
                  std::int64_t latest = 0;
                  session << "SELECT COALESCE(MAX(not_after_ms), 0) FROM certificates WHERE "
                             "subject_id = :d AND kind = :k AND revoked_ms = 0",
                      soci::use(row.device), soci::use(row.kind), soci::into(latest);
                  return latest;
              }));
    const bool expired = not_after_ms > 0 && not_after_ms <= now_ms();
    name = expired ? "after_expiry" : "first";
    return expired ? options_.policy.after_expiry : options_.policy.first;
}

Result<crypto::ByteVector> RegistrationAuthority::sign(const Row& row,
                                                       const Enrolee& enrolee) const {
    const auto signer = own();
    return sign_approval({.number = row.number,
                          .site = options_.site,
                          .device = row.device,
                          .device_class = enrolee.device_class,
                          .kind = row.kind,
                          .key = row.key,
                          .quote_key = row.quote_key,
                          .renewal = row.renewal,
                          .by = row.actor,
                          .at_ms = row.decided_ms,
                          .epoch = enrolee.epoch},
                         signer->key, signer->chain.front().serial_hex());
}

void RegistrationAuthority::tell(const Row& row) {
    const bool waits = row.state == "pending";
    audit_.append(waits ? audit::Id::pki_enrolment_pending : audit::Id::pki_enrolment_approved,
                  row.device,
                  {{"number", row.number},
                   {"kind", row.kind},
                   {"by", row.actor},
                   {"key_sha256", crypto::to_hex(row.key)}});
}

Result<Submitted> RegistrationAuthority::submit(const Submission& submission, const Issue& issue) {
    auto submitted = submit_once(submission, issue);
    // Another thread was first with the same key: its answer is the answer.
    if (!submitted && submitted.error().code == Code::input_conflict) {
        return submit_once(submission, issue);
    }
    return submitted;
}

Result<Submitted> RegistrationAuthority::submit_once(const Submission& submission,
                                                     const Issue& issue) {
    QUOIN_TRY(Row row, row_of(submission));
    QUOIN_TRY(const std::optional<Row> known, database_.read([&](soci::session& session) {
        return find_by_key<Row>(session, row.device, row.key);
    }));
    if (known) return answer(*known, submission.request, issue);
    std::string rule_name;
    QUOIN_TRY(const Rule rule, rule_for(row, rule_name));
    if (rule == Rule::refuse) {
        return fail(Code::peer_forbidden,
                    "the certificate of {} has expired, and this plant does not take it in again "
                    "by itself; ask its operator",
                    row.device);
    }
    row.number = next_number_.fetch_add(1);
    row.actor = fmt::format("{}{}", by_rule, rule_name);
    row.state = rule == Rule::manual ? "pending" : "approved";
    const Recording recording{
        .write = [&](soci::session& session) { return write(session, row, submission.enrolee); },
        .written = [&] { tell(row); }};
    Submitted submitted{.number = row.number};
    if (rule == Rule::manual) {
        QUOIN_CHECK(commits_.run(recording.write));
        recording.written();
    } else {
        row.decided_ms = now_ms();
        QUOIN_TRY(row.approval, sign(row, submission.enrolee));
        QUOIN_TRY(submitted.certificate, issue(row.approval, submission.request, recording));
    }
    return submitted;
}

Result<void> RegistrationAuthority::approve(std::int64_t number, std::string_view actor) {
    QUOIN_TRY(Row row,
              database_.read([&](soci::session& session) { return find<Row>(session, number); }));
    if (row.state == "approved" || row.state == "issued") return {};
    const auto refused = [&](const Row& there) {
        return fail(Code::state_wrong, "enrolment {} was refused: {}", number, there.reason);
    };
    if (row.state != "pending") return refused(row);
    QUOIN_TRY(const x509::Request request, x509::Request::from_der(row.request));
    QUOIN_TRY(const crypto::ByteVector quote_key, request.quote_key());
    QUOIN_TRY(row.quote_key, quote_key_digest(quote_key));
    QUOIN_TRY(const Enrolee enrolee, database_.read([&](soci::session& session) {
        return load_enrolee(session, "device_id", row.device);
    }));
    row.state = "approved";
    row.actor = actor.substr(0, max_actor);
    row.decided_ms = now_ms();
    QUOIN_TRY(row.approval, sign(row, enrolee));
    const std::string approval = crypto::to_base64(row.approval);
    QUOIN_TRY(const bool is_new, database_.transaction([&](soci::session& session) -> Result<bool> {
        QUOIN_CHECK(check_unchanged(session, enrolee));
        QUOIN_TRY(const Row now, find<Row>(session, number));
        if (now.state == "approved" || now.state == "issued") return false;
        if (now.state != "pending") return refused(now);
        if (row.kind == "attest") {
            QUOIN_CHECK(check_quote_key(session, row.device, crypto::to_hex(row.quote_key)));
        }
        session << "UPDATE enrolments SET state = 'approved', decided_ms = :at, actor = :actor, "
                   "approval = :approval WHERE number = :n",
            soci::use(row.decided_ms), soci::use(row.actor), soci::use(approval), soci::use(number);
        return true;
    }));
    if (is_new) tell(row);
    return {};
}

Result<void> RegistrationAuthority::refuse(std::int64_t number, std::string_view reason,
                                           std::string_view actor) {
    if (reason.empty() || reason.size() > max_reason ||
        std::ranges::any_of(reason, [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
        return fail(Code::input_invalid, "\"reason\" must be 1 to {} bytes of text", max_reason);
    }
    const std::string why(reason);
    const std::string who(actor.substr(0, max_actor));
    const std::int64_t now = now_ms();
    bool is_new = false;
    QUOIN_TRY(const Row row, database_.transaction([&](soci::session& session) -> Result<Row> {
        QUOIN_TRY(Row there, find<Row>(session, number));
        if (there.state == "refused") return there;
        if (there.state == "issued") {
            return fail(Code::state_wrong,
                        "enrolment {} has its certificate; revoke the device to end that", number);
        }
        is_new = true;
        // An approved one, too: it is worth nothing to the CA from now on.
        session << "UPDATE enrolments SET state = 'refused', decided_ms = :at, actor = :actor, "
                   "reason = :why WHERE number = :n",
            soci::use(now), soci::use(who), soci::use(why), soci::use(number);
        return there;
    }));
    if (is_new) {
        audit_.append(audit::Id::pki_enrolment_refused, row.device,
                      {{"number", number}, {"by", who}, {"reason", why}});
    }
    return {};
}

}  // namespace quoin::server
