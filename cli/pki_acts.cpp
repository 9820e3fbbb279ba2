#include "cli/pki_acts.hpp"

#include "cli/output.hpp"
#include "cli/supervise/account.hpp"
#include "cli/supervise/sealed_file.hpp"
#include "host/files/files.hpp"

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

server::OnStep progress(const Context& context) {
    if (context.json) return {};
    return [](std::string_view step) {
        fmt::print("  {}\n", step);
        std::fflush(stdout);
    };
}

Result<Descriptor> root_key_copy(const std::string& file) {
    if (file.empty()) return Descriptor();
    QUOIN_TRY(const std::string key, files::read(file));
    return sealed_file("quoin-root", key);
}

}  // namespace quoin::cli
