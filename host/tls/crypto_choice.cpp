#include "host/tls/crypto_choice.hpp"

#include <array>

#include "host/approved_mode.hpp"
#include "host/crypto/selftest/pair.hpp"

namespace quoin::tls {
namespace {

constexpr unsigned maximum_pair_rounds = 100;

}  // namespace

void bind_crypto(config::Section& root, CryptoChoice& choice) {
    static constexpr std::array<std::string_view, 2> tiers{"standard", "maximum"};
    config::Section section = root.table("crypto");
    std::string tier = "standard";
    section.flag("approved_mode", choice.approved_mode);
    section.flag("require_hybrid", choice.require_hybrid);
    section.choice("tier", tier, tiers);
    choice.maximum = tier == "maximum";
    choice.approved_mode = choice.approved_mode || choice.maximum || approved_mode();
    choice.require_hybrid = choice.require_hybrid || choice.maximum;
    if (choice.approved_mode) root.forbid_danger();
}

void check_suite(config::Section& root, const CryptoChoice& choice, Suite suite) {
    if (choice.approved_mode && suite == Suite::classical) {
        root.refuse("suite", "classical is not allowed in approved mode");
    }
    if (choice.require_hybrid && suite != Suite::hybrid) {
        root.refuse("suite", "must be hybrid: [crypto] require_hybrid, or tier = \"maximum\"");
    }
}

void apply(const CryptoChoice& choice) {
    if (choice.approved_mode) enter_approved_mode();
    if (choice.maximum) crypto::selftest::set_pair_rounds(maximum_pair_rounds);
}

}  // namespace quoin::tls
