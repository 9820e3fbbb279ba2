#include "host/audit/catalogue.hpp"

#include <algorithm>

namespace quoin::audit {
namespace {

constexpr bool is_sound(const CatalogueRow& each) {
    const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || c == '_' || c == '.'; };
    return each.name.size() <= 32 && std::ranges::all_of(each.name, is_plain) &&
           !each.meaning.empty() &&
           std::ranges::all_of(each.meaning, [](char c) { return c >= ' ' && c <= '~'; });
}

static_assert(std::ranges::all_of(catalogue, is_sound));
static_assert(catalogue.size() <= 256);

}  // namespace

std::optional<Id> id_by_name(std::string_view name) {
    const auto found = std::ranges::find(catalogue, name, &CatalogueRow::name);
    if (found == catalogue.end()) return std::nullopt;
    return found->id;
}

std::string_view severity_name(Severity severity) {
    constexpr std::array<std::string_view, 8> names{"emergency", "alert",  "critical", "error",
                                                    "warning",   "notice", "info",     "debug"};
    return names[static_cast<std::size_t>(severity)];
}

}  // namespace quoin::audit
