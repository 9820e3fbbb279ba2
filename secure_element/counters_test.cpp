// The store of counters (host/counters) with the real quoin-se as its anchor.
#include "host/counters/test_anchor.hpp"

#include "host/keys/se/store.hpp"
#include "host/lms/key.hpp"
#include "secure_element/process_fixture.hpp"

namespace quoin::counters {
namespace {

using secure_element::must;

TEST(SecureElementAnchor, store__restored_copied_and_lost__noticed) {
    secure_element::ElementProcess element;
    ASSERT_TRUE(element.start()) << element.log();
    const auto provider = [&] {
        return must(keys::se::open(
            must(keys::Uri::parse(fmt::format("se:socket={}", element.socket.string())))));
    };
    const auto anchor = make_anchor(provider(), "se:", "other");
    ASSERT_TRUE(anchor);
    EXPECT_EQ((*anchor)->strength(), Strength::separate_process);
    test::expect_anchors(element.socket.parent_path() / "counters", provider);
}

TEST(SecureElementAnchor, lms_key__folder_put_back__signs_no_more) {
    secure_element::ElementProcess element;
    ASSERT_TRUE(element.start()) << element.log();
    const auto folder = element.socket.parent_path() / "key";
    const crypto::Passphrase passphrase("open sesame");
    const auto made = lms::generate(folder, {lms::Hash::sha256, {{5, 8}}}, passphrase, false,
                                    fmt::format("se:socket={}", element.socket.string()), {});
    ASSERT_TRUE(made) << made.error().message;
    const std::string backup = *files::read(folder / "counters");
    for (int i = 0; i < 2; ++i) {
        auto key = lms::SigningKey::open(folder, passphrase, 1);
        ASSERT_TRUE(key) << key.error().message;
        EXPECT_TRUE(key->sign({}));
    }
    EXPECT_EQ(lms::look_at(folder)->left, 30U);
    ASSERT_TRUE(files::write_atomically(folder / "counters", backup, 0600));
    const auto key = lms::SigningKey::open(folder, passphrase, 1);
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().code, Code::integrity_mismatch);
    EXPECT_TRUE(key.error().message.contains("is an old copy")) << key.error().message;
    EXPECT_TRUE(key.error().message.contains("this key is spent"));
}

}  // namespace
}  // namespace quoin::counters
