// host/crypto, provider/ and host/keys/se have a table of algorithms each, of what they need. Where
// they speak of the same thing, they say the same.
#include <gtest/gtest.h>

#include <algorithm>

#include "host/crypto/algorithm.hpp"
#include "host/keys/se/algorithm.hpp"
#include "provider/algorithms.hpp"

namespace quoin {
namespace {

using keys::se::Kind;

TEST(tables, secure_element_and_host_crypto__same_names_oids_and_sizes) {
    int shared = 0;
    for (const crypto::AlgorithmInfo& row : crypto::algorithms()) {
        SCOPED_TRACE(row.name);
        const auto all = keys::se::algorithms();
        const auto own = std::ranges::find(all, row.oid, &keys::se::AlgorithmInfo::oid);
        if (row.algorithm == crypto::Algorithm::ecdsa_p256) continue;  // quoin-se has none
        ASSERT_NE(own, all.end());
        EXPECT_EQ(own->name, row.name);
        EXPECT_EQ(own->public_key_size, row.public_key_size);
        EXPECT_EQ(own->output_size, row.signature_size);
        ++shared;
    }
    EXPECT_EQ(shared + 1, std::ssize(crypto::algorithms()));
}

void expect_same(const provider::SignatureRow& row) {
    SCOPED_TRACE(row.name);
    const auto all = crypto::algorithms();
    const auto ours =
        std::ranges::find(all, std::string_view(row.oid), &crypto::AlgorithmInfo::oid);
    if (ours == all.end()) {
        EXPECT_STREQ(row.name, "ML-DSA-87");  // the only one that our own programs do not use
        return;
    }
    EXPECT_STREQ(ours->openssl_name, row.name);
}

TEST(tables, provider_and_host_crypto__same_names_and_oids) {
    for (const provider::SignatureRow& row : provider::ml_dsas) expect_same(row);
    for (const provider::SignatureRow& row : provider::composites) expect_same(row);
}

TEST(tables, provider_and_secure_element__same_kems) {
    int shared = 0;
    for (const provider::Kem& kem : provider::kems) {
        const auto own = keys::se::algorithm_by_name(kem.name);
        if (!own) continue;  // X25519MLKEM768: a group, no key
        const keys::se::AlgorithmInfo& row = keys::se::info(*own);
        SCOPED_TRACE(row.name);
        EXPECT_EQ(row.kind, Kind::kem);
        EXPECT_TRUE(std::string_view(kem.names).ends_with(row.oid));
        EXPECT_EQ(row.public_key_size, kem.public_key_size);
        EXPECT_EQ(row.output_size, kem.ciphertext_size);
        ++shared;
    }
    EXPECT_EQ(shared, 3);
}

}  // namespace
}  // namespace quoin
