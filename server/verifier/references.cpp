#include "server/verifier/references.hpp"

#include <array>

#include "host/store/bulk.hpp"

namespace quoin::verifier {
namespace {

Result<void> check_conflicts(soci::session& session, const Manifest& manifest) {
    for (const Reference& one : manifest.measurements) {
        std::string present;
        session << "SELECT sha3_512 FROM releases WHERE release_version = :r AND class = :c AND "
                   "device_id = :d AND name = :n",
            soci::into(present), soci::use(manifest.release), soci::use(manifest.device_class),
            soci::use(one.device), soci::use(one.name);
        if (!session.got_data() || present == one.sha3_512) continue;
        return fail(Code::input_conflict,
                    "release {}: measurement {}{}{} has another value already, and values never "
                    "change: give the new firmware a new version",
                    manifest.release, one.name, one.device.empty() ? "" : " of ", one.device);
    }
    return {};
}

}  // namespace

Result<std::size_t> import_release(store::Database& database, std::string_view json) {
    QUOIN_TRY(const Manifest manifest, parse_manifest(json));
    const std::size_t size = manifest.measurements.size();
    std::vector<std::string> devices, names, digests;
    for (const Reference& one : manifest.measurements) {
        devices.push_back(one.device);
        names.push_back(one.name);
        digests.push_back(one.sha3_512);
    }
    const std::array columns{
        store::Column{"release_version", std::vector<std::string>(size, manifest.release)},
        store::Column{"class", std::vector<std::string>(size, manifest.device_class)},
        store::Column{"device_id", std::move(devices)}, store::Column{"name", std::move(names)},
        store::Column{"sha3_512", std::move(digests)}};
    return database.transaction([&](soci::session& session) -> Result<std::size_t> {
        QUOIN_CHECK(check_conflicts(session, manifest));
        return static_cast<std::size_t>(store::insert_new(session, "releases", columns));
    });
}

std::map<std::string, std::string, std::less<>> load_references(soci::session& session,
                                                                const std::string& release,
                                                                const std::string& device_class,
                                                                const std::string& device) {
    std::map<std::string, std::string, std::less<>> references;
    std::string name, digest;
    // The class's (no device) come first, the device's own replace them.
    soci::statement statement =
        (session.prepare << "SELECT name, sha3_512 FROM releases WHERE release_version = :r AND "
                            "class = :c AND (device_id = '' OR device_id = :d) ORDER BY device_id",
         soci::into(name), soci::into(digest), soci::use(release), soci::use(device_class),
         soci::use(device));
    statement.execute();
    while (statement.fetch()) references[name] = digest;
    return references;
}

}  // namespace quoin::verifier
