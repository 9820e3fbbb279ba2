#include "server/fleet/revocation.hpp"

#include <algorithm>
#include <map>

#include "host/x509/certificate.hpp"
#include "server/fleet/lifecycle.hpp"

namespace quoin::server {
namespace {

bool has_control_character(std::string_view text) {
    return std::ranges::any_of(text, [](char character) {
        return static_cast<unsigned char>(character) < 0x20 || character == 0x7f;
    });
}

using Endings = std::map<std::string, DeviceEnding, std::less<>>;

Result<void> find_devices(soci::session& session, const std::string& ids,
                          RevocationOutcome& outcome, Endings& endings) {
    const soci::rowset<soci::row> rows =
        (session.prepare << "SELECT device_id, class, state, epoch FROM devices WHERE device_id "
                            "IN (" +
                                ids + ")");
    for (const soci::row& row : rows) {
        auto id = row.get<std::string>(0);
        QUOIN_TRY(const DeviceClass device_class, class_by_name(row.get<std::string>(1)));
        QUOIN_TRY(const State state, state_by_name(row.get<std::string>(2)));
        if (state == State::revoked) {
            outcome.already.push_back(std::move(id));
        } else if (!next_state(state, device_class, LifeEvent::revoke)) {
            outcome.gone.push_back(std::move(id));
        } else {
            endings.emplace(
                id, DeviceEnding{.device = id,
                                 .device_class = row.get<std::string>(1),
                                 .state = row.get<std::string>(2),
                                 .epoch = static_cast<std::uint64_t>(row.get<long long>(3))});
        }
    }
    return {};
}

void find_certificates(soci::session& session, const std::string& ids, std::int64_t now_ms,
                       Endings& endings) {
    const soci::rowset<soci::row> rows =
        (session.prepare << "SELECT subject_id, serial, kind FROM certificates WHERE subject_id "
                            "IN (" +
                                ids +
                                ") AND kind IN ('device', 'attest') AND revoked_ms = 0 AND "
                                "not_after_ms > :now",
         soci::use(now_ms));
    for (const soci::row& row : rows) {
        const auto found = endings.find(row.get<std::string>(0));
        if (found == endings.end()) continue;
        found->second.certificates.push_back(
            {.serial = row.get<std::string>(1), .kind = row.get<std::string>(2)});
    }
}

void find_enrolments(soci::session& session, const std::string& ids, Endings& endings) {
    const soci::rowset<soci::row> rows =
        (session.prepare << "SELECT device_id, number FROM enrolments WHERE device_id IN (" + ids +
                                ") AND state IN ('pending', 'approved') ORDER BY number");
    for (const soci::row& row : rows) {
        const auto found = endings.find(row.get<std::string>(0));
        if (found != endings.end()) found->second.enrolments.push_back(row.get<long long>(1));
    }
}

std::vector<std::string> ids_of(const std::vector<DeviceEnding>& endings) {
    std::vector<std::string> ids;
    ids.reserve(endings.size());
    for (const DeviceEnding& ending : endings) ids.push_back(ending.device);
    return ids;
}

Result<void> insert(soci::session& session, const feed::SealedStatement& sealed,
                    std::int64_t now_ms) {
    QUOIN_TRY(const x509::Certificate issuer, x509::Certificate::from_der(sealed.seal.issuer));
    const auto number = static_cast<std::int64_t>(sealed.number);
    const std::string statement = crypto::to_base64(sealed.statement);
    const std::string signature = crypto::to_base64(sealed.seal.signature);
    const std::string serial = issuer.serial_hex();
    session << "INSERT INTO revocations (seq, at_ms, statement, signature, issuer) VALUES (:seq, "
               ":now, :statement, :signature, :issuer)",
        soci::use(number), soci::use(now_ms), soci::use(statement), soci::use(signature),
        soci::use(serial);
    return {};
}

}  // namespace

Result<std::string> id_list(const std::vector<std::string>& ids) {
    std::string list;
    for (const std::string& id : ids) {
        if (!x509::is_valid_id(id)) {
            return fail(Code::input_invalid, "a device id has 1 to 128 of A-Z a-z 0-9 _ . -");
        }
        list += fmt::format("{}'{}'", list.empty() ? "" : ",", id);
    }
    return list;
}

Result<void> check_request(const RevocationRequest& request) {
    if (request.devices.empty() || request.devices.size() > max_revoked_at_once) {
        return fail(Code::input_invalid, "1 to {} devices are revoked at once, not {}",
                    max_revoked_at_once, request.devices.size());
    }
    if (request.note.size() > feed::max_note_bytes || has_control_character(request.note)) {
        return fail(Code::input_invalid,
                    "\"note\" must be at most {} bytes, without control characters",
                    feed::max_note_bytes);
    }
    if (request.actor.size() > feed::max_actor_bytes) {
        return fail(Code::input_invalid, "the actor's name is too long");
    }
    return {};
}

Result<RevocationOutcome> find_endings(soci::session& session, const RevocationRequest& request,
                                       std::int64_t now_ms) {
    RevocationOutcome outcome;
    Endings endings;
    QUOIN_TRY(const std::string ids, id_list(request.devices));
    QUOIN_CHECK(find_devices(session, ids, outcome, endings));
    std::vector<std::string> asked = request.devices;
    std::ranges::sort(asked);
    const auto twice = std::ranges::unique(asked);
    asked.erase(twice.begin(), twice.end());
    for (const std::string& id : asked) {
        const bool known = endings.contains(id) || std::ranges::contains(outcome.already, id) ||
                           std::ranges::contains(outcome.gone, id);
        if (!known) outcome.unknown.push_back(id);
    }
    if (!endings.empty()) {
        find_certificates(session, ids, now_ms, endings);
        find_enrolments(session, ids, endings);
    }
    for (auto& [id, ending] : endings) outcome.ended.push_back(std::move(ending));
    return outcome;
}

std::string revocation_text(const RevocationRequest& request) {
    const std::string_view name = x509::reason_name(request.reason);
    return request.note.empty() ? std::string(name) : fmt::format("{}: {}", name, request.note);
}

Result<void> end_rows(soci::session& session, const RevocationRequest& request,
                      const RevocationOutcome& found, std::int64_t now_ms) {
    if (found.ended.empty()) return {};
    QUOIN_TRY(const std::string ids, id_list(ids_of(found.ended)));
    const std::string text = revocation_text(request);
    const int reason = std::to_underlying(request.reason);
    // Expired ones, too: a clock that was set back must not bring them to life.
    session << "UPDATE certificates SET revoked_ms = :now, reason = :reason WHERE subject_id IN (" +
                   ids + ") AND kind IN ('device', 'attest') AND revoked_ms = 0",
        soci::use(now_ms), soci::use(reason);
    session << "UPDATE devices SET state = 'revoked', reason = :why, updated_ms = :now WHERE "
               "device_id IN (" +
                   ids + ")",
        soci::use(text), soci::use(now_ms);
    session << "UPDATE enrolments SET state = 'refused', decided_ms = :now, actor = :actor, reason "
               "= 'the device is revoked' WHERE device_id IN (" +
                   ids + ") AND state IN ('pending', 'approved')",
        soci::use(now_ms), soci::use(request.actor);
    return {};
}

Result<LastStatement> last_statement(soci::session& session) {
    long long number = 0;
    std::string statement;
    session << "SELECT seq, statement FROM revocations ORDER BY seq DESC LIMIT 1",
        soci::into(number), soci::into(statement);
    if (!session.got_data()) return LastStatement{};
    QUOIN_TRY(const crypto::ByteVector bytes, crypto::from_base64(statement));
    QUOIN_TRY(const crypto::Sha3_512Digest digest, crypto::sha3_512(bytes));
    return LastStatement{.number = static_cast<std::uint64_t>(number), .digest = digest};
}

std::vector<feed::Ending> endings_of(const RevocationOutcome& found) {
    std::vector<feed::Ending> endings;
    for (const DeviceEnding& device : found.ended) {
        feed::Ending ending{.device = device.device, .epoch = device.epoch};
        for (const EndedCertificate& certificate : device.certificates) {
            ending.serials.push_back(certificate.serial);
        }
        endings.push_back(std::move(ending));
    }
    return endings;
}

std::vector<std::string> end_named_rows(soci::session& session, const NamedRevocation& request,
                                        std::int64_t now_ms) {
    std::vector<std::string> ended;
    const soci::rowset<std::string> rows =
        (session.prepare << "SELECT serial FROM certificates WHERE kind = :kind AND subject_id = "
                            ":name AND +revoked_ms = 0 ORDER BY serial",
         soci::use(request.kind), soci::use(request.name));
    for (const std::string& serial : rows) {
        if (request.serial.empty() || serial == request.serial) ended.push_back(serial);
    }
    const int reason = std::to_underlying(request.reason);
    for (const std::string& serial : ended) {
        session << "UPDATE certificates SET revoked_ms = :now, reason = :reason WHERE serial = "
                   ":serial",
            soci::use(now_ms), soci::use(reason), soci::use(serial);
    }
    return ended;
}

Result<std::vector<feed::SealedStatement>> record_statements(
    soci::session& session, const RevocationRequest& request, std::vector<feed::Ending> endings,
    const std::string& site, const feed::Sign& sign, std::int64_t now_ms) {
    std::vector<feed::SealedStatement> statements;
    QUOIN_TRY(LastStatement last, last_statement(session));
    while (!endings.empty()) {
        feed::SealedStatement sealed{.number = last.number + 1, .statement = {}, .seal = {}};
        QUOIN_TRY(sealed.statement, feed::encode_statement({.site = site,
                                                            .number = sealed.number,
                                                            .at_ms = now_ms,
                                                            .reason = request.reason,
                                                            .note = request.note,
                                                            .actor = request.actor,
                                                            .previous = last.digest,
                                                            .devices = take_portion(endings)}));
        QUOIN_TRY(sealed.seal, sign(sealed.statement));
        QUOIN_CHECK(insert(session, sealed, now_ms));
        last.number = sealed.number;
        QUOIN_TRY(last.digest, crypto::sha3_512(sealed.statement));
        statements.push_back(std::move(sealed));
    }
    return statements;
}

}  // namespace quoin::server
