#include "server/api/parameters.hpp"

#include <algorithm>
#include <charconv>
#include <span>

#include "host/x509/identity.hpp"

namespace quoin::server {
namespace {

std::string_view value_of(const Query& query, std::string_view name) {
    const auto found = query.find(std::string(name));
    return found == query.end() ? std::string_view{} : std::string_view(found->second);
}

}  // namespace

Result<void> only(const Query& query, std::span<const std::string_view> known) {
    for (const auto& [name, value] : query) {
        if (std::ranges::find(known, name) != known.end()) continue;
        std::string list;
        for (const std::string_view each : known)
            list += (list.empty() ? "" : ", ") + std::string(each);
        return fail(Code::input_invalid, "this call has no parameter \"{}\" (it has: {})", name,
                    list.empty() ? "none" : list);
    }
    return {};
}

Result<std::int64_t> whole_number(const Query& query, std::string_view name, std::int64_t least,
                                  std::int64_t most, std::int64_t otherwise) {
    const std::string_view text = value_of(query, name);
    if (text.empty()) return otherwise;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number < least ||
        number > most) {
        return fail(Code::input_invalid, "\"{}\": \"{}\" is not a whole number from {} to {}", name,
                    text, least, most);
    }
    return number;
}

Result<bool> truth(const Query& query, std::string_view name) {
    const std::string_view text = value_of(query, name);
    if (text == "true" || text == "1") return true;
    if (text.empty() || text == "false" || text == "0") return false;
    return fail(Code::input_invalid, "\"{}\": \"{}\" is not true or false", name, text);
}

Result<std::string> id(const Query& query, std::string_view name) {
    const std::string_view text = value_of(query, name);
    if (text.empty() || x509::is_valid_id(text)) return std::string(text);
    return fail(Code::input_invalid,
                "\"{}\": \"{}\" must be 1 to 128 of the letters A-Z a-z 0-9 _ . -", name, text);
}

}  // namespace quoin::server
