// The store with a TPM (swtpm): NV counters.
#include "host/counters/test_anchor.hpp"
#include "host/keys/tpm/store.hpp"
#include "host/keys/tpm/swtpm_fixture.hpp"

namespace quoin::counters {
namespace {

using keys::tpm::Swtpm;

keys::tpm::Config config_at(const Swtpm& swtpm) {
    keys::tpm::Config config;
    config.tcti = swtpm.tcti();
    config.folder = swtpm.folder() / "keys";
    return config;
}

TEST(TpmAnchor, store__restored_copied_and_lost__noticed) {
    Swtpm swtpm;
    ASSERT_TRUE(keys::tpm::create(config_at(swtpm)));
    test::expect_anchors(swtpm.folder() / "counters", [&] {
        auto opened = keys::tpm::open(config_at(swtpm));
        EXPECT_TRUE(opened) << opened.error().message;
        return opened ? *std::move(opened) : nullptr;
    });
}

TEST(TpmAnchor, open__tpm_restarted_gone_or_another__goes_on_waits_or_is_refused) {
    Swtpm swtpm;
    auto made = keys::tpm::create(config_at(swtpm));
    ASSERT_TRUE(made) << made.error().message;
    auto anchor = make_anchor(*std::move(made), "tpm:", "plant");
    ASSERT_TRUE(anchor) << anchor.error().message;
    EXPECT_EQ((*anchor)->strength(), Strength::separate_process) << "swtpm is no chip";
    const auto file = swtpm.folder() / "counters";
    ASSERT_TRUE(Store::create(file, "plant", anchor->get()));
    {
        auto store = Store::open(file, "plant", *std::move(anchor));
        ASSERT_TRUE(store) << store.error().message;
        ASSERT_TRUE((*store)->advance("policy", 1));
        swtpm.stop();
        EXPECT_EQ((*store)->advance("policy", 2).error().code, Code::resource_unavailable);
        EXPECT_NE((*store)->status().problem, "");
    }
    swtpm.restart();
    anchor = make_anchor(*keys::tpm::open(config_at(swtpm)), "tpm:", "plant");
    ASSERT_TRUE(anchor);
    {
        const auto store = Store::open(file, "plant", *std::move(anchor));
        ASSERT_TRUE(store) << store.error().message;
        EXPECT_TRUE((*store)->advance("policy", 2));
    }
    const Swtpm other;
    anchor = make_anchor(*keys::tpm::create(config_at(other)), "tpm:", "plant");
    ASSERT_TRUE(anchor);
    const auto store = Store::open(file, "plant", *std::move(anchor));
    EXPECT_EQ(store.error().code, Code::integrity_mismatch);
    EXPECT_TRUE(store.error().message.contains("has no counters")) << store.error().message;
}

}  // namespace
}  // namespace quoin::counters
