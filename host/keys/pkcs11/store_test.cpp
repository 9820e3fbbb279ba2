#include "host/keys/pkcs11/store.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>

#include "host/keys/conformance.hpp"
#include "host/keys/pkcs11/module.hpp"
#include "host/keys/pkcs11/softhsm_fixture.hpp"

namespace quoin::keys {
namespace {

using pkcs11::SoftHsm;

class Pkcs11Fixture final : public StoreFixture {
public:
    Result<std::unique_ptr<SecurityProvider>> create() override {
        return pkcs11::create(token_.config());
    }
    Result<std::unique_ptr<SecurityProvider>> open() override {
        return pkcs11::open(token_.config());
    }

private:
    SoftHsm token_;
};

INSTANTIATE_TEST_SUITE_P(pkcs11, Conformance, testing::Values([] {
                             return std::unique_ptr<StoreFixture>(
                                 std::make_unique<Pkcs11Fixture>());
                         }));

class Pkcs11Store : public testing::Test {
protected:
    void SetUp() override {
        auto created = pkcs11::create(token_.config());
        ASSERT_TRUE(created) << created.error().message;
        store_ = *std::move(created);
        ASSERT_TRUE(store_->generate("a", "ECDSA-P256", {}));
    }
    SoftHsm token_;
    std::unique_ptr<SecurityProvider> store_;
    ByteVector message_ = ByteVector(40, 3);
};

TEST_F(Pkcs11Store, describe__softhsm__is_called_best_effort_not_hardware) {
    const Description description = store_->describe();
    EXPECT_EQ(description.residence, Residence::best_effort);
    EXPECT_EQ(description.algorithms, (std::vector<std::string>{"ECDSA-P256", "Ed25519"}));
}

TEST_F(Pkcs11Store, open__wrong_pin__unauthenticated_and_says_so) {
    store_.reset();
    for (const char* pin : {"4321", "", "12345"}) {
        const auto refused = pkcs11::open(token_.config(pin));
        ASSERT_FALSE(refused) << pin;
        EXPECT_EQ(refused.error().code, Code::input_unauthenticated) << refused.error().message;
    }
    EXPECT_NE(pkcs11::open(token_.config("4321")).error().message.find("CKR_PIN_INCORRECT"),
              std::string::npos);
    EXPECT_TRUE(pkcs11::open(token_.config())) << "the right one still does";
}

TEST_F(Pkcs11Store, open__no_module_or_token__says_which) {
    pkcs11::Config config = token_.config();
    config.module = "/nowhere/module.so";
    EXPECT_EQ(code_of(pkcs11::open(std::move(config))), Code::config_invalid);
    config = token_.config();
    config.module = "libcrypto.so.3";
    EXPECT_EQ(code_of(pkcs11::open(std::move(config))), Code::config_invalid);
    config = token_.config();
    config.token = "another";
    EXPECT_EQ(code_of(pkcs11::open(std::move(config))), Code::resource_unavailable);
    config = token_.config();
    config.store = "a:b";
    EXPECT_EQ(code_of(pkcs11::open(std::move(config))), Code::input_invalid);
    config = token_.config();
    config.store = "other";
    EXPECT_EQ(code_of(pkcs11::open(std::move(config))), Code::input_not_found);
}

TEST_F(Pkcs11Store, sign__in_a_child_after_fork__works_in_both) {
    ASSERT_TRUE(store_->sign("a", message_, {}));
    const pid_t child = ::fork();
    if (child == 0) ::_exit(store_->sign("a", message_, {}) ? 0 : 1);
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << "the child cannot sign";
    EXPECT_TRUE(store_->sign("a", message_, {})) << "the parent lost its session";
}

TEST_F(Pkcs11Store, open__by_many_threads_that_come_and_go__each_can_sign) {
    store_.reset();
    std::atomic<int> good = 0;
    {
        std::vector<std::jthread> threads;
        threads.reserve(4);
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                for (int j = 0; j < 5; ++j) {
                    const auto store = pkcs11::open(token_.config());
                    if (store && (*store)->sign("a", message_, {})) ++good;
                }
            });
        }
    }
    EXPECT_EQ(good, 20);
}

TEST_F(Pkcs11Store, sign__session_closed_behind_its_back__opens_another) {
    const auto module = pkcs11::Module::load(token_.config().module);
    ASSERT_TRUE(module);
    const auto token = pkcs11::find_token(**module, SoftHsm::label);
    ASSERT_TRUE(token);
    ASSERT_EQ((*module)->calls().C_CloseAllSessions(token->slot), CKR_OK);
    const auto signature = store_->sign("a", message_, {});
    EXPECT_TRUE(signature) << signature.error().message;
}

TEST_F(Pkcs11Store, sign__planted_key_that_could_leave__not_used) {
    const auto module = pkcs11::Module::load(token_.config().module);
    ASSERT_TRUE(module);
    const auto session =
        pkcs11::Session::open(*module, SoftHsm::label, crypto::Passphrase(SoftHsm::right_pin));
    ASSERT_TRUE(session) << session.error().message;
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    std::uint8_t curve[] = {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
    std::string id = "quoin:quoin:key:planted";
    CK_ATTRIBUTE open[] = {
        {CKA_TOKEN, &yes, 1}, {CKA_EC_PARAMS, curve, sizeof curve}, {CKA_ID, id.data(), id.size()}};
    CK_ATTRIBUTE closed[] = {{CKA_TOKEN, &yes, 1},    {CKA_PRIVATE, &yes, 1},
                             {CKA_SENSITIVE, &no, 1}, {CKA_EXTRACTABLE, &yes, 1},
                             {CKA_SIGN, &yes, 1},     {CKA_ID, id.data(), id.size()}};
    CK_MECHANISM mechanism{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
    CK_OBJECT_HANDLE handles[2]{};
    ASSERT_EQ((*session)->calls().C_GenerateKeyPair((*session)->handle(), &mechanism, open,
                                                    std::size(open), closed, std::size(closed),
                                                    &handles[0], &handles[1]),
              CKR_OK);
    EXPECT_EQ(code_of(store_->sign("planted", message_, {})), Code::integrity_mismatch);
    EXPECT_EQ(code_of(store_->public_key("planted")), Code::integrity_mismatch);
    EXPECT_EQ(code_of(store_->list()), Code::integrity_mismatch);
    EXPECT_TRUE(store_->remove("planted"));
    EXPECT_TRUE(store_->list());
}

TEST_F(Pkcs11Store, key__read_out_through_the_module__refused) {
    const auto module = pkcs11::Module::load(token_.config().module);
    ASSERT_TRUE(module);
    const auto session =
        pkcs11::Session::open(*module, SoftHsm::label, crypto::Passphrase(SoftHsm::right_pin));
    ASSERT_TRUE(session) << session.error().message;
    const CK_OBJECT_CLASS kinds[] = {CKO_PRIVATE_KEY, CKO_SECRET_KEY};
    for (const CK_OBJECT_CLASS& kind : kinds) {
        const auto found =
            (*session)->find({{CKA_CLASS, const_cast<CK_OBJECT_CLASS*>(&kind), sizeof kind}});
        ASSERT_TRUE(found);
        ASSERT_EQ(found->size(), 1U);
        EXPECT_EQ(code_of((*session)->attribute((*found)[0], CKA_VALUE)), Code::peer_forbidden);
    }
}

// The PIN was changed at the token: one wrong try is told, and is the last one of this object.
TEST_F(Pkcs11Store, sign__pin_refused_once__is_not_tried_again) {
    const auto module = pkcs11::Module::load(token_.config().module);
    ASSERT_TRUE(module);
    const CK_FUNCTION_LIST& calls = (*module)->calls();
    const auto token = pkcs11::find_token(**module, SoftHsm::label);
    ASSERT_TRUE(token);
    const auto change_pin = [&](std::string from, std::string to) {
        const auto session =
            pkcs11::Session::open(*module, SoftHsm::label, crypto::Passphrase(from));
        return session &&
               calls.C_SetPIN((*session)->handle(), reinterpret_cast<unsigned char*>(from.data()),
                              from.size(), reinterpret_cast<unsigned char*>(to.data()),
                              to.size()) == CKR_OK;
    };
    ASSERT_TRUE(change_pin(SoftHsm::right_pin, "87654321"));
    ASSERT_EQ(calls.C_CloseAllSessions(token->slot), CKR_OK);
    EXPECT_EQ(code_of(store_->sign("a", message_, {})), Code::input_unauthenticated);
    ASSERT_TRUE(change_pin("87654321", SoftHsm::right_pin));
    ASSERT_EQ(calls.C_CloseAllSessions(token->slot), CKR_OK);
    EXPECT_EQ(code_of(store_->sign("a", message_, {})), Code::input_unauthenticated)
        << "it would be right again: it was tried";
    const auto opened = pkcs11::open(token_.config());
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_TRUE((*opened)->sign("a", message_, {}));
}

// What an interrupted remove() leaves: one half.
TEST_F(Pkcs11Store, key__one_half_is_left__can_be_removed_and_made_anew) {
    const auto module = pkcs11::Module::load(token_.config().module);
    ASSERT_TRUE(module);
    const auto destroy = [&](CK_OBJECT_CLASS kind) {
        const auto session =
            pkcs11::Session::open(*module, SoftHsm::label, crypto::Passphrase(SoftHsm::right_pin));
        ASSERT_TRUE(session) << session.error().message;
        const auto found = (*session)->find({{CKA_CLASS, &kind, sizeof kind}});
        ASSERT_TRUE(found);
        ASSERT_EQ(found->size(), 1U);
        ASSERT_TRUE((*session)->destroy((*found)[0]));
    };
    destroy(CKO_PUBLIC_KEY);
    EXPECT_EQ(code_of(store_->public_key("a")), Code::integrity_mismatch);
    EXPECT_TRUE(store_->remove("a"));
    ASSERT_TRUE(store_->generate("a", "ECDSA-P256", {}));
    destroy(CKO_PRIVATE_KEY);
    EXPECT_TRUE(store_->list()->empty());
    ASSERT_TRUE(store_->generate("a", "Ed25519", {}));
    EXPECT_TRUE(store_->public_key("a"));
    EXPECT_TRUE(store_->sign("a", message_, {}));
}

TEST_F(Pkcs11Store, stores__two_on_a_token__apart) {
    pkcs11::Config config = token_.config();
    config.store = "second";
    const auto second = pkcs11::create(std::move(config));
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_EQ(code_of((*second)->sign("a", message_, {})), Code::input_not_found);
    const auto blob = store_->seal(message_);
    ASSERT_TRUE(blob);
    EXPECT_EQ(code_of((*second)->unseal(*blob)), Code::integrity_mismatch);
    ASSERT_TRUE((*second)->zeroize());
    EXPECT_TRUE(store_->sign("a", message_, {}));
}

pkcs11::Config card(std::string_view pin) {
    pkcs11::Config config;
    config.module = QUOIN_LOCKING_MODULE;
    config.token = "card";
    config.pin = crypto::Passphrase(std::string(pin));
    return config;
}

// A session that has gone needs another login.
TEST(Pkcs11Lockout, login_again__refused_pin_is_not_tried_again__anything_else_is) {
    const auto module = pkcs11::Module::load(QUOIN_LOCKING_MODULE);
    ASSERT_TRUE(module) << module.error().message;
    void* const library = ::dlopen(QUOIN_LOCKING_MODULE, RTLD_NOW | RTLD_NOLOAD);
    const auto set_answers =
        reinterpret_cast<void (*)(CK_RV, CK_RV)>(::dlsym(library, "set_answers"));
    ASSERT_NE(set_answers, nullptr);
    for (const auto& [answer, again] : std::map<CK_RV, bool>{{CKR_FUNCTION_FAILED, true},
                                                             {CKR_DEVICE_ERROR, true},
                                                             {CKR_USER_NOT_LOGGED_IN, true},
                                                             {CKR_SESSION_COUNT, true},
                                                             {CKR_PIN_INCORRECT, false},
                                                             {CKR_PIN_INVALID, false},
                                                             {CKR_PIN_LEN_RANGE, false},
                                                             {CKR_PIN_EXPIRED, false},
                                                             {CKR_PIN_LOCKED, false}}) {
        set_answers(CKR_OK, CKR_OK);
        const auto store = pkcs11::open(card("1234"));
        ASSERT_TRUE(store) << store.error().message;
        set_answers(answer, CKR_SESSION_CLOSED);
        EXPECT_FALSE((*store)->list());
        set_answers(CKR_OK, CKR_OK);
        EXPECT_EQ((*store)->list().has_value(), again) << std::hex << answer;
    }
    ::dlclose(library);
}

TEST(Pkcs11Lockout, open__wrong_pins__counted_down_then_locked) {
    // Held, so that the module and its count stay loaded.
    const auto module = pkcs11::Module::load(QUOIN_LOCKING_MODULE);
    ASSERT_TRUE(module) << module.error().message;
    for (const char* said : {"wrong PINs were given", "one more wrong PIN locks it",
                             "the token says: locked", "the token says: locked"}) {
        const auto refused = pkcs11::open(card("0000"));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Code::input_unauthenticated);
        EXPECT_NE(refused.error().message.find(said), std::string::npos) << refused.error().message;
        const bool locked = refused.error().message.find("CKR_PIN_LOCKED") != std::string::npos;
        EXPECT_EQ(locked, std::string_view(said).ends_with("locked"));
        EXPECT_EQ(locked, refused.error().message.find("security officer") != std::string::npos);
    }
}

}  // namespace
}  // namespace quoin::keys
