#include "server/fleet/intake.hpp"

#include <functional>
#include <unordered_map>

#include "host/store/bulk.hpp"
#include "server/fleet/revocation.hpp"

namespace quoin::server {
namespace {

constexpr std::size_t rows_asked_at_once = 500;

struct Known {
    DeviceClass device_class;
    State state;
    std::uint64_t epoch;
};

// Calls `take` with each row of `statement` for any of the values; {} in it stands for their list.
Result<void> each_row(soci::session& session, fmt::format_string<std::string&> statement,
                      const std::vector<std::string>& values,
                      const std::function<Result<void>(const soci::row&)>& take) {
    for (std::size_t at = 0; at < values.size(); at += rows_asked_at_once) {
        const auto first = values.begin() + static_cast<std::ptrdiff_t>(at);
        const auto last = values.begin() + static_cast<std::ptrdiff_t>(
                                               std::min(values.size(), at + rows_asked_at_once));
        QUOIN_TRY(std::string list, id_list({first, last}));
        const soci::rowset<soci::row> rows = (session.prepare << fmt::format(statement, list));
        for (const soci::row& row : rows) QUOIN_CHECK(take(row));
    }
    return {};
}

Result<Intake> admit(soci::session& session, const std::vector<InventoryLine>& lines,
                     bool readmit) {
    std::vector<std::string> ids;
    for (const InventoryLine& line : lines) ids.push_back(line.silicon_id);
    std::unordered_map<std::string, Known> known;
    QUOIN_CHECK(each_row(
        session, "SELECT device_id, class, state, epoch FROM devices WHERE device_id IN ({})", ids,
        [&](const soci::row& row) -> Result<void> {
            QUOIN_TRY(const DeviceClass device_class, class_by_name(row.get<std::string>(1)));
            QUOIN_TRY(const State state, state_by_name(row.get<std::string>(2)));
            known.emplace(
                row.get<std::string>(0),
                Known{device_class, state, static_cast<std::uint64_t>(row.get<long long>(3))});
            return {};
        }));
    Intake intake;
    for (const InventoryLine& line : lines) {
        const auto found = known.find(line.silicon_id);
        if (found == known.end()) {
            intake.push_back({.line = line});
            continue;
        }
        const Known& device = found->second;
        if (!readmit || !next_state(device.state, device.device_class, LifeEvent::readmit)) {
            return fail(Code::input_conflict,
                        "line {}: \"silicon_id\": \"{}\" is in the inventory already, {}{}; "
                        "nothing was added",
                        line.line, line.silicon_id, state_name(device.state),
                        device.state == State::revoked
                            ? " (--readmit takes a revoked device in again)"
                            : "");
        }
        if (device.device_class != line.device_class) {
            return fail(Code::input_conflict,
                        "line {}: \"{}\" was taken in as {}, not {}; nothing was added", line.line,
                        line.silicon_id, class_name(device.device_class),
                        class_name(line.device_class));
        }
        intake.push_back({.line = line, .epoch = device.epoch + 1});
    }
    return intake;
}

// A birth certificate serves once: one that was ended with its device never enrols again.
Result<void> refuse_known_births(soci::session& session, const Intake& intake) {
    std::vector<std::string> digests;
    std::unordered_map<std::string, std::size_t> lines;
    for (const Admission& admission : intake) {
        digests.push_back(admission.line.birth_cert_sha256);
        lines.emplace(admission.line.birth_cert_sha256, admission.line.line);
    }
    return each_row(session,
                    "SELECT birth_cert_sha256, device_id, epoch FROM births WHERE "
                    "birth_cert_sha256 IN ({})",
                    digests, [&](const soci::row& row) -> Result<void> {
                        const auto digest = row.get<std::string>(0);
                        return fail(Code::input_conflict,
                                    "line {}: \"birth_cert_sha256\": \"{}\" belongs to the device "
                                    "{} already (its epoch {}); nothing was added",
                                    lines[digest], digest, row.get<std::string>(1),
                                    row.get<long long>(2));
                    });
}

using Texts = std::vector<std::string>;
using Numbers = std::vector<std::int64_t>;

Result<void> insert_devices(soci::session& session, const Intake& intake, std::int64_t now) {
    Texts ids, classes, digests;
    Numbers foreign;
    for (const Admission& admission : intake) {
        if (admission.epoch > 1) continue;
        ids.push_back(admission.line.silicon_id);
        classes.emplace_back(class_name(admission.line.device_class));
        digests.push_back(admission.line.birth_cert_sha256);
        foreign.push_back(admission.line.foreign ? 1 : 0);
    }
    if (ids.empty()) return {};
    const Texts empty(ids.size());
    const Numbers zero(ids.size(), 0);
    const Numbers times(ids.size(), now);
    const std::vector<store::Column> columns{
        {"device_id", ids},
        {"silicon_id", ids},
        {"class", classes},
        {"birth_cert_sha256", digests},
        {"foreign_client", foreign},
        {"state", Texts(ids.size(), "expected")},
        {"reason", Texts(ids.size(), std::string(not_enrolled))},
        {"release_version", empty},
        {"boot_counter", zero},
        {"verdict", empty},
        {"verdict_reason", empty},
        {"verdict_level", empty},
        {"verdict_ms", zero},
        {"last_pass_ms", zero},
        {"created_ms", times},
        {"updated_ms", times}};
    const auto rows = store::insert_new(session, "devices", columns);
    if (rows == static_cast<std::int64_t>(ids.size())) return {};
    return fail(Code::input_conflict, "the list contradicts the inventory; nothing was added");
}

// As if it were new, but for its id, its streams and its history. Its counters may begin anew:
// the keys that are to vouch for them do.
void readmit_devices(soci::session& session, const Intake& intake, std::int64_t now) {
    for (const Admission& admission : intake) {
        if (admission.epoch == 1) continue;
        const auto epoch = static_cast<std::int64_t>(admission.epoch);
        const std::string reason(not_back);
        const int foreign = admission.line.foreign ? 1 : 0;
        session << "UPDATE devices SET birth_cert_sha256 = :digest, state = 'expected', reason = "
                   ":why, release_version = '', boot_counter = 0, verdict = '', verdict_reason = "
                   "'', verdict_level = '', verdict_ms = 0, last_pass_ms = 0, updated_ms = :now, "
                   "epoch = :epoch, foreign_client = :foreign WHERE device_id = :id",
            soci::use(admission.line.birth_cert_sha256), soci::use(reason), soci::use(now),
            soci::use(epoch), soci::use(foreign), soci::use(admission.line.silicon_id);
    }
}

void insert_births(soci::session& session, const Intake& intake) {
    Texts digests, ids;
    Numbers epochs;
    for (const Admission& admission : intake) {
        digests.push_back(admission.line.birth_cert_sha256);
        ids.push_back(admission.line.silicon_id);
        epochs.push_back(static_cast<std::int64_t>(admission.epoch));
    }
    const Texts unknown_keys(ids.size());
    const std::vector<store::Column> columns{{"birth_cert_sha256", digests},
                                             {"device_id", ids},
                                             {"epoch", epochs},
                                             {"key_sha256", unknown_keys}};
    store::insert_new(session, "births", columns);
}

}  // namespace

Result<Intake> take_in(soci::session& session, const std::vector<InventoryLine>& lines,
                       bool readmit, std::int64_t now_ms) {
    QUOIN_TRY(const Intake intake, admit(session, lines, readmit));
    QUOIN_CHECK(refuse_known_births(session, intake));
    QUOIN_CHECK(insert_devices(session, intake, now_ms));
    readmit_devices(session, intake, now_ms);
    insert_births(session, intake);
    return intake;
}

}  // namespace quoin::server
