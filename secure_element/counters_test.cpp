// The store of counters (host/counters) with the real quoin-se as its anchor.
#include "host/counters/test_anchor.hpp"

#include "host/keys/se/store.hpp"
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

}  // namespace
}  // namespace quoin::counters
