#include "host/x509/csr_attributes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "host/x509/certificate.hpp"

namespace quoin::x509 {
namespace {

using testing::ElementsAre;

TEST(csr_attributes, ours__read_back) {
    const std::array<std::string_view, 2> oids{challenge_password_oid, "2.16.840.1.101.3.4.3.18"};
    const auto der = csr_attributes_der(oids);
    ASSERT_TRUE(der) << der.error().message;
    const auto read = csr_attributes_from_der(*der);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_THAT(*read, ElementsAre(oids[0], oids[1]));
    const auto none = csr_attributes_from_der(*csr_attributes_der({}));
    ASSERT_TRUE(none);
    EXPECT_TRUE(none->empty());
}

// RFC 7030, section 4.5.2: the example's attributes, in base64.
TEST(csr_attributes, example_of_rfc_7030__identifiers_without_the_attributes_with_values) {
    const auto der = crypto::from_base64(
        "MEEGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMBYGCSqGSIb3DQEJDjEJBgcrBgEBAQEWBggqhkjOPQQDAw"
        "==");
    ASSERT_TRUE(der);
    const auto read = csr_attributes_from_der(*der);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_THAT(*read, ElementsAre(challenge_password_oid, "1.2.840.10045.4.3.3"));
    for (std::size_t size = 0; size < der->size(); ++size) {
        EXPECT_FALSE(csr_attributes_from_der(Bytes(*der).first(size))) << size;
    }
    auto longer = *der;
    longer.push_back(0);
    EXPECT_EQ(csr_attributes_from_der(longer).error().code, Code::peer_malformed);
}

TEST(csr_attributes, neither_oid_nor_attribute__refused) {
    using Der = crypto::ByteVector;
    for (const Der& wrong : {Der{0x30, 0x03, 0x02, 0x01, 0x05},           // an integer
                             Der{0x30, 0x02, 0x30, 0x00},                 // an empty attribute
                             Der{0x31, 0x00},                             // a SET
                             Der{0x30, 0x80, 0x00, 0x00},                 // indefinite: BER
                             Der{0x30, 0x81, 0x03, 0x06, 0x01, 0x2a}}) {  // a longer length
        const auto read = csr_attributes_from_der(wrong);
        ASSERT_FALSE(read);
        EXPECT_EQ(read.error().code, Code::peer_malformed) << read.error().message;
    }
    EXPECT_EQ(csr_attributes_from_der(Der(max_csr_attributes_size + 1)).error().code,
              Code::peer_oversize);
    const std::vector<std::string_view> many(max_csr_attributes + 1, "1.2.3");
    EXPECT_EQ(csr_attributes_from_der(*csr_attributes_der(many)).error().code, Code::peer_oversize);
}

TEST(challenge_password, request_with_and_without__read) {
    const auto key = crypto::PrivateKey::generate(crypto::Algorithm::ecdsa_p256);
    ASSERT_TRUE(key);
    const auto read = [&](std::string_view password) {
        const auto der = Request::make_der(*key, "mpu-1", password);
        EXPECT_TRUE(der);
        const auto request = Request::from_der(bytes_of(*der));
        EXPECT_TRUE(request);
        return *request->challenge_password();
    };
    EXPECT_EQ(read(""), std::nullopt);
    EXPECT_EQ(read("dGxzLWV4cG9ydGVy+/=="), "dGxzLWV4cG9ydGVy+/==");
    EXPECT_EQ(read(std::string(255, 'x')), std::string(255, 'x'));
    EXPECT_FALSE(Request::make_der(*key, "mpu-1", std::string(256, 'x')));
}

}  // namespace
}  // namespace quoin::x509
