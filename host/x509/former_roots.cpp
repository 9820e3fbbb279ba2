#include "host/x509/former_roots.hpp"

#include <system_error>

namespace quoin::x509 {
namespace {

struct Former {
    Certificate root;
    Certificate cross;
};

Result<bool> is_of(const Certificate& cross, const Certificate& root) {
    QUOIN_TRY(const auto cross_key, cross.public_key());
    QUOIN_TRY(const auto cross_spki, cross_key.spki_der());
    QUOIN_TRY(const auto root_key, root.public_key());
    QUOIN_TRY(const auto root_spki, root_key.spki_der());
    return cross_spki == root_spki && cross.is_ca();
}

}  // namespace

Result<std::vector<Certificate>> with_former_roots(const std::filesystem::path& pki,
                                                   std::span<const Certificate> anchors) {
    std::vector<Former> found;
    std::vector<Certificate> crosses;
    std::error_code error;
    std::filesystem::directory_iterator entry(pki / former_roots_name, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
        QUOIN_TRY(const auto pair, Certificate::load(entry->path()));
        if (pair.size() != 2) {
            return fail(Code::integrity_mismatch, "{}: not a root and its cross-certificate",
                        entry->path().string());
        }
        found.push_back({pair.front(), pair.back()});
        crosses.push_back(pair.back());
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        return fail(Code::resource_unavailable, "{}: {}", pki.string(), error.message());
    }
    std::vector<Certificate> trusted(anchors.begin(), anchors.end());
    for (const Former& former : found) {
        QUOIN_TRY(const bool same_key, is_of(former.cross, former.root));
        if (same_key && verify_chain(former.cross, crosses, anchors, Purpose::any)) {
            trusted.push_back(former.root);
        }
    }
    return trusted;
}

}  // namespace quoin::x509
