#include "host/x509/test_pki.hpp"

namespace quoin::x509::test {

Result<Pki> make_pki(crypto::Algorithm root, crypto::Algorithm issuing, const std::string& label) {
    QUOIN_TRY(auto root_key, crypto::PrivateKey::generate(root));
    QUOIN_TRY(auto root_certificate, issue_root(root_key, {.profile = Profile::root,
                                                           .common_name = label + " root",
                                                           .identity = {},
                                                           .names = {},
                                                           .lifetime = std::chrono::hours(24)}));
    QUOIN_TRY(auto issuing_key, crypto::PrivateKey::generate(issuing));
    QUOIN_TRY(const auto issuing_public, issuing_key.public_key());
    QUOIN_TRY(auto issuing_certificate, issue(root_key, root_certificate, issuing_public,
                                              {.profile = Profile::issuing,
                                               .common_name = label + " issuing",
                                               .identity = {},
                                               .names = {},
                                               .lifetime = std::chrono::hours(24)}));
    return Pki{Entity{std::move(root_certificate), std::move(root_key)},
               Entity{std::move(issuing_certificate), std::move(issuing_key)}};
}

Result<Entity> make_leaf(const Pki& pki, const LeafRequest& request) {
    QUOIN_TRY(auto key, crypto::PrivateKey::generate(request.algorithm));
    QUOIN_TRY(const auto public_key, key.public_key());
    const std::string where = request.kind == Kind::birth ? "" : std::string(site);
    QUOIN_TRY(auto certificate,
              issue(pki.issuing.key, pki.issuing.certificate, public_key,
                    {.profile = request.profile,
                     .common_name = request.id,
                     .identity = Identity{request.kind, where, request.id, request.role},
                     .names = request.names,
                     .lifetime = request.lifetime}));
    return Entity{std::move(certificate), std::move(key)};
}

}  // namespace quoin::x509::test
