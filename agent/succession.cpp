#include "agent/succession.hpp"

#include <algorithm>
#include <array>

namespace quoin::agent {
namespace {

using x509::Certificate;

Result<bool> same_key(const Certificate& one, const Certificate& other) {
    QUOIN_TRY(const auto first, one.public_key());
    QUOIN_TRY(const auto first_spki, first.spki_der());
    QUOIN_TRY(const auto second, other.public_key());
    QUOIN_TRY(const auto second_spki, second.spki_der());
    return first_spki == second_spki;
}

bool chains_to(const Certificate& certificate, std::span<const Certificate> anchors) {
    return x509::verify_chain(certificate, {}, anchors, x509::Purpose::any).has_value();
}

bool is_post_quantum(const Certificate& certificate) {
    const auto key = certificate.public_key();
    if (!key) return false;
    const auto algorithm = key->algorithm();
    return algorithm && crypto::info(*algorithm).post_quantum;
}

// Signed by itself: the chain of one certificate to itself would hold for any other, too.
bool is_root(const Certificate& certificate) {
    return certificate.is_ca() && X509_self_signed(certificate.native(), 1) == 1;
}

}  // namespace

Result<tls::Suite> stronger_suite(tls::Suite present, std::string_view offered) {
    const auto suite = tls::suite_by_name(offered, true);
    if (suite && *suite > present) return *suite;
    return fail(Code::peer_forbidden, "the plant offers a move from \"{}\" to \"{}\"",
                tls::info(present).name, suite ? tls::info(*suite).name : "an unknown suite");
}

Result<Certificate> find_successor(std::span<const Certificate> offered,
                                   std::span<const Certificate> pinned) {
    std::vector<Certificate> found;
    for (const Certificate& root : offered) {
        if (!is_root(root) || !is_post_quantum(root) || chains_to(root, pinned)) continue;
        for (const Certificate& cross : offered) {
            if (!cross.is_ca() || !chains_to(cross, pinned)) continue;
            QUOIN_TRY(const bool certifies, same_key(cross, root));
            if (certifies && cross.common_name() == root.common_name()) {
                found.push_back(root);
                break;
            }
        }
    }
    if (found.size() == 1) return found.front();
    return fail(Code::peer_unauthenticated,
                "{} roots that the pinned one certifies are among the {} certificates of the "
                "plant; there must be one",
                found.size(), offered.size());
}

}  // namespace quoin::agent
