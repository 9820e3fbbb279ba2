#include "host/keys/tpm/store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "host/crypto/wipe_freed.hpp"
#include "host/files/files.hpp"
#include "host/keys/conformance.hpp"
#include "host/keys/tpm/swtpm_fixture.hpp"

namespace quoin::keys {
namespace {

using tpm::Swtpm;

// Before main(): OpenSSL has not allocated yet.
const bool wiping = crypto::wipe_freed_memory();

tpm::Config config_at(const Swtpm& swtpm, std::string authorisation = "") {
    tpm::Config config;
    config.tcti = swtpm.tcti();
    config.folder = swtpm.folder() / "keys";
    config.pcrs = {7, 16};
    config.authorisation = crypto::Passphrase(std::move(authorisation));
    return config;
}

class TpmFixture final : public StoreFixture {
public:
    Result<std::unique_ptr<SecurityProvider>> create() override {
        return tpm::create(config_at(swtpm_, "secret"));
    }
    Result<std::unique_ptr<SecurityProvider>> open() override {
        return tpm::open(config_at(swtpm_, "secret"));
    }

private:
    Swtpm swtpm_;
};

INSTANTIATE_TEST_SUITE_P(tpm, Conformance, testing::Values([] {
                             return std::unique_ptr<StoreFixture>(std::make_unique<TpmFixture>());
                         }));

class TpmStore : public testing::Test {
protected:
    void SetUp() override {
        auto created = tpm::create(config_at(swtpm_));
        ASSERT_TRUE(created) << created.error().message;
        store_ = *std::move(created);
    }
    ByteVector sealed() {
        const auto blob = store_->seal(secret_);
        EXPECT_TRUE(blob) << blob.error().message;
        return blob ? *blob : ByteVector();
    }
    Swtpm swtpm_;
    std::unique_ptr<SecurityProvider> store_;
    ByteVector secret_ = ByteVector(32, 0x77);
};

TEST_F(TpmStore, describe__swtpm__is_called_a_process_not_hardware) {
    const Description description = store_->describe();
    EXPECT_EQ(description.residence, Residence::separate_process) << description.product;
    EXPECT_EQ(description.sealed_by, "TPM, PCRs sha256:7,16");
}

TEST_F(TpmStore, unseal__a_pcr_of_the_policy_changed__refused_until_the_next_boot) {
    const ByteVector blob = sealed();
    swtpm_.extend(8);
    EXPECT_TRUE(store_->unseal(blob)) << "8 is not in the policy";
    swtpm_.extend(16);
    const auto refused = store_->unseal(blob);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::integrity_mismatch);
    EXPECT_NE(refused.error().message.find("PCRs"), std::string::npos) << refused.error().message;
    swtpm_.restart();
    const auto opened = store_->unseal(blob);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_TRUE(std::ranges::equal(opened->expose(), secret_));
}

TEST_F(TpmStore, unseal__on_another_tpm__integrity_mismatch) {
    const ByteVector blob = sealed();
    Swtpm other;
    const auto store = tpm::create(config_at(other));
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_EQ(code_of((*store)->unseal(blob)), Code::integrity_mismatch);
}

TEST_F(TpmStore, unseal__a_key_in_place_of_a_blob__integrity_mismatch) {
    ASSERT_TRUE(store_->generate("a", "ECDSA-P256", {}));
    const auto file = files::read(swtpm_.folder() / "keys" / "a.tpmkey");
    ASSERT_TRUE(file);
    EXPECT_EQ(code_of(store_->unseal(bytes_of(*file))), Code::integrity_mismatch);
}

TEST_F(TpmStore, sign__platform_bound_key__refused_when_a_pcr_changed) {
    UsePolicy policy;
    policy.platform_bound = true;
    ASSERT_TRUE(store_->generate("bound", "ECDSA-P256", policy));
    ASSERT_TRUE(store_->generate("free", "ECDSA-P256", {}));
    const auto keys = store_->list();
    ASSERT_TRUE(keys);
    EXPECT_TRUE((*keys)[0].policy.platform_bound);
    EXPECT_TRUE(store_->sign("bound", secret_, {}));
    swtpm_.extend(7);
    EXPECT_EQ(code_of(store_->sign("bound", secret_, {})), Code::integrity_mismatch);
    EXPECT_TRUE(store_->sign("free", secret_, {}));
}

TEST_F(TpmStore, sign__damaged_key_file__integrity_mismatch) {
    ASSERT_TRUE(store_->generate("a", "ECDSA-P256", {}));
    const auto file = swtpm_.folder() / "keys" / "a.tpmkey";
    const auto content = files::read(file);
    ASSERT_TRUE(content);
    for (std::size_t i = 0; i < content->size(); i += 13) {
        // The PCR selection of a key that is bound to none says nothing.
        if (i >= 8 && i < 11) continue;
        std::string changed = *content;
        changed[i] = static_cast<char>(changed[i] ^ 0x40);
        ASSERT_TRUE(files::write_atomically(file, changed, 0600));
        EXPECT_EQ(code_of(store_->public_key("a")), Code::integrity_mismatch) << "byte " << i;
        EXPECT_EQ(code_of(store_->sign("a", secret_, {})), Code::integrity_mismatch)
            << "byte " << i;
    }
}

TEST_F(TpmStore, counter__tpm_restarted__goes_on) {
    ASSERT_TRUE(store_->create_counter("boots"));
    const auto before = store_->increment_counter("boots");
    ASSERT_TRUE(before) << before.error().message;
    swtpm_.restart();
    const auto after = store_->increment_counter("boots");
    ASSERT_TRUE(after) << after.error().message;
    EXPECT_EQ(*after, *before + 1);
}

TEST_F(TpmStore, counters__of_two_stores__are_two) {
    tpm::Config second = config_at(swtpm_);
    second.handle = 0x81015101;
    second.folder = swtpm_.folder() / "second";
    const auto other = tpm::create(std::move(second));
    ASSERT_TRUE(other) << other.error().message;
    ASSERT_TRUE(store_->create_counter("c"));
    EXPECT_EQ(code_of((*other)->read_counter("c")), Code::input_not_found);
    ASSERT_TRUE((*other)->create_counter("c"));
    ASSERT_TRUE((*other)->zeroize());
    EXPECT_TRUE(store_->read_counter("c")) << "the other store's zeroize() took it";
}

TEST_F(TpmStore, create__handle_in_use__conflict_and_the_store_stays) {
    const ByteVector blob = sealed();
    EXPECT_EQ(code_of(tpm::create(config_at(swtpm_))), Code::input_conflict);
    EXPECT_TRUE(store_->unseal(blob));
}

TEST_F(TpmStore, open__another_tpm_in_its_place__refused_before_anything_is_said_to_it) {
    Swtpm other;
    ASSERT_TRUE(tpm::create(config_at(other)));
    tpm::Config config = config_at(swtpm_);
    config.tcti = other.tcti();
    EXPECT_EQ(code_of(tpm::open(std::move(config))), Code::integrity_mismatch);
    std::filesystem::remove(swtpm_.folder() / "keys" / "primary.name");
    EXPECT_EQ(code_of(tpm::open(config_at(swtpm_))), Code::integrity_mismatch);
}

// How often bytes are on the heap; they come masked, so that we do not find our own copy.
int count_on_heap(const std::array<std::uint8_t, 32>& masked) {
    std::ifstream maps("/proc/self/maps");
    int found = 0;
    for (std::string line; std::getline(maps, line);) {
        if (!line.ends_with("[heap]")) continue;
        std::istringstream words(line);
        std::uintptr_t from = 0;
        std::uintptr_t to = 0;
        char dash = 0;
        words >> std::hex >> from >> dash >> to;
        const std::uint8_t* const heap = reinterpret_cast<const std::uint8_t*>(from);
        for (std::size_t i = 0; i + masked.size() <= to - from; ++i) {
            std::size_t same = 0;
            while (same < masked.size() && (heap[i + same] ^ 0x5A) == masked[same]) ++same;
            if (same == masked.size()) ++found;
        }
    }
    return found;
}

TEST_F(TpmStore, unseal__secret_dropped__not_on_the_heap_any_more) {
    ASSERT_TRUE(wiping);
    std::array<std::uint8_t, 32> masked{};
    ASSERT_TRUE(crypto::random_bytes(masked));
    SecretBytes secret(masked.size());
    for (std::size_t i = 0; i < masked.size(); ++i) {
        secret.expose_to_fill()[i] = static_cast<std::uint8_t>(masked[i] ^ 0x5A);
    }
    EXPECT_EQ(count_on_heap(masked), 1) << "the search proves nothing";
    const auto blob = store_->seal(secret.expose());
    ASSERT_TRUE(blob) << blob.error().message;
    secret = SecretBytes();
    EXPECT_EQ(count_on_heap(masked), 0) << "after seal()";
    {
        const auto opened = store_->unseal(*blob);
        ASSERT_TRUE(opened) << opened.error().message;
        EXPECT_EQ(count_on_heap(masked), 1);
    }
    EXPECT_EQ(count_on_heap(masked), 0) << "after unseal()";
}

TEST_F(TpmStore, tpm__gone__unavailable) {
    swtpm_.stop();
    EXPECT_EQ(code_of(store_->seal(secret_)), Code::resource_unavailable);
    EXPECT_EQ(code_of(tpm::open(config_at(swtpm_))), Code::resource_unavailable);
}

TEST(TpmAuthorisation, wrong__counted_then_locked_then_cleared) {
    const Swtpm swtpm;
    ASSERT_TRUE(tpm::create(config_at(swtpm, "right")));
    std::string last;
    bool locked = false;
    for (int i = 0; i < 50 && !locked; ++i) {
        const auto refused = tpm::open(config_at(swtpm, "wrong"));
        ASSERT_FALSE(refused);
        ASSERT_EQ(refused.error().code, Code::input_unauthenticated) << refused.error().message;
        last = refused.error().message;
        locked = last.find("TPM_RC_LOCKOUT") != std::string::npos;
        EXPECT_NE(last.find("is forgiven each"), std::string::npos) << last;
    }
    ASSERT_TRUE(locked) << last;
    EXPECT_NE(last.find("tpm2_dictionarylockout"), std::string::npos) << last;
    EXPECT_EQ(code_of(tpm::open(config_at(swtpm, "right"))), Code::input_unauthenticated)
        << "the lockout holds for the right one too";
    swtpm.clear_lockout();
    const auto opened = tpm::open(config_at(swtpm, "right"));
    EXPECT_TRUE(opened) << opened.error().message;
}

TEST(TpmBus, listener__whole_life_of_a_secret__sees_neither_it_nor_the_authorisation) {
    const Swtpm swtpm;
    const auto capture = swtpm.folder() / "bus.pcapng";
    ::setenv("TCTI_PCAP_FILE", capture.c_str(), 1);
    const auto listened = [&] {
        tpm::Config config = config_at(swtpm, "an authorisation");
        config.tcti = "pcap:" + swtpm.tcti();
        return config;
    };
    const auto store = tpm::create(listened());
    ASSERT_TRUE(store) << store.error().message;
    const ByteVector secret = {'s', 'e', 'c', 'r', 'e', 't', ' ', 'o', 'f', ' ', 't', 'h', 'e'};
    const auto blob = (*store)->seal(secret);
    ASSERT_TRUE(blob) << blob.error().message;
    ASSERT_TRUE((*store)->unseal(*blob));
    ASSERT_TRUE((*store)->create_counter("c"));
    ASSERT_TRUE(tpm::open(listened()));
    const auto bus = files::read(capture);
    ASSERT_TRUE(bus) << bus.error().message;
    const auto crossed = [&](Bytes bytes) {
        return !std::ranges::search(bytes_of(*bus), bytes).empty();
    };
    const Bytes policy = Bytes(*blob).subspan(23, 32);  // in the public part, which is in clear
    EXPECT_TRUE(crossed(policy)) << "the capture shows nothing: it proves nothing";
    EXPECT_FALSE(crossed(secret));
    EXPECT_FALSE(crossed(bytes_of("an authorisation")));
}

TEST(TpmConfig, uri__malformed__input_invalid) {
    for (const char* text :
         {"tpm:tcti=x", "tpm:dir=/x;pcrs=", "tpm:dir=/x;pcrs=24", "tpm:dir=/x;pcrs=7,0",
          "tpm:dir=/x;pcrs=0,,7", "tpm:dir=/x;pcrs=0,", "tpm:dir=/x;handle=0x01",
          "tpm:dir=/x;handle=0x81800000", "tpm:dir=/x;pin=/y"}) {
        const auto uri = Uri::parse(text);
        ASSERT_TRUE(uri) << text;
        EXPECT_EQ(code_of(tpm::config_of(*uri)), Code::input_invalid) << text;
    }
    const auto config =
        tpm::config_of(*Uri::parse("tpm:tcti=device:/dev/tpm0;dir=/x;pcrs=0,7;handle=0x81000001"));
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->pcrs, (std::vector<std::uint32_t>{0, 7}));
    EXPECT_EQ(config->handle, 0x81000001U);
}

}  // namespace
}  // namespace quoin::keys
