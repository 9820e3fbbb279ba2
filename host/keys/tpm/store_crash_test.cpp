// Power fails at every step of what takes more than one: the same function, called again, succeeds,
// and nothing is left in the TPM. The linker leads the steps here (--wrap): before and after each,
// the process may end. And others that count at the same time.
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "host/files/files.hpp"
#include "host/keys/conformance.hpp"
#include "host/keys/tpm/connection.hpp"
#include "host/keys/tpm/store.hpp"
#include "host/keys/tpm/swtpm_fixture.hpp"

namespace {

bool on = false;
int left = 0;    // steps until the power fails
int others = 0;  // increments by others, one after each of ours

void step() {
    if (on && left-- == 0) ::_exit(9);
}

template <class Call>
auto as_a_step(Call call) {
    step();
    const auto answer = call();
    step();
    return answer;
}

}  // namespace

extern "C" {
decltype(Esys_EvictControl) __real_Esys_EvictControl;
decltype(Esys_NV_DefineSpace) __real_Esys_NV_DefineSpace;
decltype(Esys_NV_UndefineSpace) __real_Esys_NV_UndefineSpace;
decltype(Esys_NV_Increment) __real_Esys_NV_Increment;
int __real_fsync(int file) noexcept;

TSS2_RC __wrap_Esys_EvictControl(ESYS_CONTEXT* esys, ESYS_TR hierarchy, ESYS_TR object, ESYS_TR one,
                                 ESYS_TR two, ESYS_TR three, TPMI_DH_PERSISTENT handle,
                                 ESYS_TR* made) noexcept {
    return as_a_step([&] {
        return __real_Esys_EvictControl(esys, hierarchy, object, one, two, three, handle, made);
    });
}
TSS2_RC __wrap_Esys_NV_DefineSpace(ESYS_CONTEXT* esys, ESYS_TR hierarchy, ESYS_TR one, ESYS_TR two,
                                   ESYS_TR three, const TPM2B_AUTH* authorisation,
                                   const TPM2B_NV_PUBLIC* form, ESYS_TR* made) noexcept {
    return as_a_step([&] {
        return __real_Esys_NV_DefineSpace(esys, hierarchy, one, two, three, authorisation, form,
                                          made);
    });
}
TSS2_RC __wrap_Esys_NV_UndefineSpace(ESYS_CONTEXT* esys, ESYS_TR hierarchy, ESYS_TR index,
                                     ESYS_TR one, ESYS_TR two, ESYS_TR three) noexcept {
    return as_a_step(
        [&] { return __real_Esys_NV_UndefineSpace(esys, hierarchy, index, one, two, three); });
}
TSS2_RC __wrap_Esys_NV_Increment(ESYS_CONTEXT* esys, ESYS_TR who, ESYS_TR index, ESYS_TR one,
                                 ESYS_TR two, ESYS_TR three) noexcept {
    const TSS2_RC code =
        as_a_step([&] { return __real_Esys_NV_Increment(esys, who, index, one, two, three); });
    if (code != TSS2_RC_SUCCESS || others == 0) return code;
    --others;
    return __real_Esys_NV_Increment(esys, who, index, one, two, three);
}
int __wrap_fsync(int file) noexcept {
    return as_a_step([&] { return __real_fsync(file); });
}
}

namespace quoin::keys {
namespace {

using tpm::Swtpm;

tpm::Config config_at(const Swtpm& swtpm) {
    tpm::Config config;
    config.tcti = swtpm.tcti();
    config.folder = swtpm.folder() / "keys";
    config.pcrs = {7};
    config.authorisation = crypto::Passphrase("secret");
    return config;
}

// Whether the power failed before `work` was through. The TPM starts anew.
bool fails_at(int steps, Swtpm& swtpm, const std::function<bool()>& work) {
    const pid_t child = ::fork();
    if (child == 0) {
        left = steps;
        on = true;
        ::_exit(work() ? 0 : 1);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_TRUE(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 9) << WEXITSTATUS(status);
    swtpm.restart();
    swtpm.clear_lockout();  // a TPM counts each loss of power as a wrong try
    return WEXITSTATUS(status) == 9;
}

std::size_t indices_in(const Swtpm& swtpm) {
    const auto tpm = tpm::Connection::open(swtpm.tcti());
    tpm::Owned<TPMS_CAPABILITY_DATA> found;
    TPMI_YES_NO more = 0;
    if (!tpm ||
        Esys_GetCapability(tpm->esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_HANDLES,
                           0x01800000, 64, &more, std::out_ptr(found)) != TSS2_RC_SUCCESS) {
        return SIZE_MAX;
    }
    return found->data.handles.count;
}

TEST(TpmCrash, create__at_any_step__succeeds_when_asked_again) {
    int deaths = 0;
    for (bool failed = true; failed; deaths += failed ? 1 : 0) {
        Swtpm swtpm;
        failed = fails_at(deaths, swtpm, [&] { return tpm::create(config_at(swtpm)).has_value(); });
        auto store = tpm::create(config_at(swtpm));
        if (!store && store.error().code == Code::input_conflict) {
            store = tpm::open(config_at(swtpm));  // it was complete
        }
        ASSERT_TRUE(store) << store.error().message << ", n = " << deaths;
        EXPECT_TRUE((*store)->generate("a", "ECDSA-P256", {}));
        EXPECT_TRUE((*store)->sign("a", bytes_of("m"), {}));
    }
    EXPECT_GE(deaths, 6);  // the folder and its name on the disk, the key in the TPM
}

TEST(TpmCrash, zeroize__at_any_step__succeeds_when_asked_again_and_leaves_nothing) {
    int deaths = 0;
    for (bool failed = true; failed; deaths += failed ? 1 : 0) {
        Swtpm swtpm;
        {
            const auto store = tpm::create(config_at(swtpm));
            ASSERT_TRUE(store) << store.error().message;
            ASSERT_TRUE((*store)->generate("a", "ECDSA-P256", {}));
            ASSERT_TRUE((*store)->create_counter("c"));
            ASSERT_TRUE((*store)->create_counter("d"));
            ASSERT_EQ(indices_in(swtpm), 2U);
            failed = fails_at(deaths, swtpm, [&] { return (*store)->zeroize().has_value(); });
        }
        const auto store = tpm::open(config_at(swtpm));
        if (store) {
            const auto again = (*store)->zeroize();
            EXPECT_TRUE(again) << again.error().message << ", n = " << deaths;
        } else {
            EXPECT_EQ(store.error().code, Code::input_not_found) << store.error().message;
        }
        EXPECT_EQ(indices_in(swtpm), 0U) << "n = " << deaths;
        const auto next = tpm::create(config_at(swtpm));
        ASSERT_TRUE(next) << next.error().message << ", n = " << deaths;
        EXPECT_TRUE((*next)->list()->empty()) << "n = " << deaths;
    }
    EXPECT_GE(deaths, 10);  // two counters, the keys' files, the key in the TPM, its name
}

TEST(TpmCrash, create_counter__at_any_step__succeeds_when_asked_again) {
    Swtpm swtpm;
    const auto store = tpm::create(config_at(swtpm));
    ASSERT_TRUE(store) << store.error().message;
    int deaths = 0;
    for (bool failed = true; failed; deaths += failed ? 1 : 0) {
        const std::string name = fmt::format("c{}", deaths);
        failed =
            fails_at(deaths, swtpm, [&] { return (*store)->create_counter(name).has_value(); });
        const auto again = (*store)->create_counter(name);
        EXPECT_TRUE(again || again.error().code == Code::input_conflict)
            << again.error().message << ", n = " << deaths;
        const auto value = (*store)->read_counter(name);
        ASSERT_TRUE(value) << value.error().message;
        EXPECT_EQ((*store)->increment_counter(name), *value + 1);
    }
    EXPECT_GE(deaths, 4);
}

TEST(TpmCounter, increment__others_count_in_between__a_value_that_nobody_else_has) {
    const Swtpm swtpm;
    const auto store = tpm::create(config_at(swtpm));
    ASSERT_TRUE(store) << store.error().message;
    const auto first = (*store)->create_counter("c");
    ASSERT_TRUE(first) << first.error().message;
    others = 1;
    // Ours and another's: who has which, nobody knows. The next is ours.
    EXPECT_EQ((*store)->increment_counter("c"), *first + 3);
    others = 1000;
    EXPECT_EQ(code_of((*store)->increment_counter("c")), Code::resource_unavailable);
    others = 0;
    EXPECT_TRUE((*store)->increment_counter("c"));
}

}  // namespace
}  // namespace quoin::keys
