#include "host/x509/former_roots.hpp"

#include <algorithm>
#include <system_error>

namespace quoin::x509 {
namespace {

struct Former {
    Certificate root;
    Certificate statement;  // of its key, by the root after it
};

Result<bool> is_of(const Certificate& statement, const Certificate& root) {
    QUOIN_TRY(const auto stated_key, statement.public_key());
    QUOIN_TRY(const auto stated_spki, stated_key.spki_der());
    QUOIN_TRY(const auto root_key, root.public_key());
    QUOIN_TRY(const auto root_spki, root_key.spki_der());
    return stated_spki == root_spki;
}

Result<std::vector<Former>> load_former(const std::filesystem::path& folder) {
    std::vector<Former> found;
    std::error_code error;
    std::filesystem::directory_iterator entry(folder, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
        QUOIN_TRY(const auto pair, Certificate::load(entry->path()));
        if (pair.size() != 2) {
            return fail(Code::integrity_mismatch, "{}: not a root and a certificate of its key",
                        entry->path().string());
        }
        QUOIN_TRY(const bool same_key, is_of(pair.back(), pair.front()));
        if (same_key) found.push_back({pair.front(), pair.back()});
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        return fail(Code::resource_unavailable, "{}: {}", folder.string(), error.message());
    }
    return found;
}

}  // namespace

Result<std::vector<Certificate>> with_former_roots(const std::filesystem::path& pki,
                                                   std::span<const Certificate> anchors) {
    QUOIN_TRY(std::vector<Former> left, load_former(pki / former_roots_name));
    std::vector<Certificate> trusted(anchors.begin(), anchors.end());
    // One is stated by the root after it, which may be a former one itself.
    for (bool found = true; found;) {
        const auto stated = std::ranges::find_if(left, [&](const Former& former) {
            return verify_chain(former.statement, {}, trusted, Purpose::any).has_value();
        });
        found = stated != left.end();
        if (!found) break;
        trusted.push_back(stated->root);
        left.erase(stated);
    }
    return trusted;
}

}  // namespace quoin::x509
