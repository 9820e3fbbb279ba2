#include "cli/pki_acts.hpp"

#include "cli/output.hpp"
#include "cli/supervise/account.hpp"

namespace quoin::cli {

void tell(const Context& context, const nlohmann::json& facts, const std::string& sentence) {
    if (context.json) {
        print_json(facts);
    } else {
        fmt::print("{}\n", sentence);
    }
}

Result<void> act_as_owner(const Context& context) {
    QUOIN_TRY(const Account owner, owner_of(context.home));
    return become(owner);
}

server::KeyNotices key_notices() {
    return {.on_fallback =
                [](std::string_view from, std::string_view to, const Error& why) {
                    fmt::print(stderr, "FALLBACK: a key is made in {} instead of {}: {}\n", to,
                               from, printable(why.message));
                },
            .on_unreached =
                [](std::string_view store, const Error& why) {
                    fmt::print(stderr, "old keys stay in {} until the next renewal: {}\n", store,
                               printable(why.message));
                }};
}

}  // namespace quoin::cli
