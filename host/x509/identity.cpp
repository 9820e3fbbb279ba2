#include "host/x509/identity.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace quoin::x509 {
namespace {

constexpr std::string_view prefix = "quoin://";
constexpr std::string_view birth_site = "birth";
constexpr std::size_t max_id_size = 128;
constexpr std::size_t max_uri_size = 512;

struct KindName {
    Kind kind;
    std::string_view name;
};
constexpr std::array kinds{KindName{Kind::device, "device"}, KindName{Kind::attest, "attest"},
                           KindName{Kind::service, "service"},
                           KindName{Kind::operator_, "operator"}};

struct RoleName {
    Role role;
    std::string_view name;
};
constexpr std::array roles{RoleName{Role::viewer, "viewer"}, RoleName{Role::operator_, "operator"},
                           RoleName{Role::admin, "admin"}};

bool is_id_character(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
}

// For messages: what a peer sent may hold anything.
std::unexpected<Error> malformed(std::string_view problem) {
    return fail(Code::peer_malformed, "identity URI {}", problem);
}

Result<Identity> make_identity(std::span<const std::string_view> parts) {
    const std::string_view site = parts[0];
    if (site == birth_site) {
        if (parts.size() != 3 || parts[1] != "device")
            return malformed("of a birth is not device/ID");
        return Identity{.kind = Kind::birth, .site = "", .id = std::string(parts[2]), .role = {}};
    }
    const auto* kind = std::ranges::find(kinds, parts[1], &KindName::name);
    if (kind == kinds.end()) return malformed("names no known kind");
    if (kind->kind != Kind::operator_) {
        if (parts.size() != 3) return malformed("has too many parts");
        return Identity{kind->kind, std::string(site), std::string(parts[2]), {}};
    }
    if (parts.size() != 4) return malformed("of an operator lacks the role or the name");
    const auto role = role_by_name(parts[2]);
    if (!role) return malformed("names no known role");
    return Identity{Kind::operator_, std::string(site), std::string(parts[3]), *role};
}

}  // namespace

bool is_valid_id(std::string_view id) {
    return !id.empty() && id.size() <= max_id_size && std::ranges::all_of(id, is_id_character);
}

Result<Identity> parse_identity(std::string_view uri) {
    if (uri.size() > max_uri_size) return malformed("is longer than 512 bytes");
    if (!uri.starts_with(prefix)) return malformed("does not begin with quoin://");
    std::string_view rest = uri.substr(prefix.size());
    std::array<std::string_view, 4> parts;
    std::size_t count = 0;
    for (bool more = true; more; ++count) {
        if (count == parts.size()) return malformed("has too many parts");
        const std::size_t slash = rest.find('/');
        parts[count] = rest.substr(0, slash);
        if (!is_valid_id(parts[count]))
            return malformed("has a part outside [A-Za-z0-9_.-]{1,128}");
        more = slash != std::string_view::npos;
        if (more) rest.remove_prefix(slash + 1);
    }
    if (count < 3) return malformed("has too few parts");
    return make_identity(std::span(parts).first(count));
}

std::string to_uri(const Identity& identity) {
    if (identity.kind == Kind::birth) return fmt::format("{}birth/device/{}", prefix, identity.id);
    if (identity.kind == Kind::operator_) {
        return fmt::format("{}{}/operator/{}/{}", prefix, identity.site,
                           role_name(identity.role.value_or(Role::viewer)), identity.id);
    }
    return fmt::format("{}{}/{}/{}", prefix, identity.site,
                       std::ranges::find(kinds, identity.kind, &KindName::kind)->name, identity.id);
}

std::string_view role_name(Role role) {
    return std::ranges::find(roles, role, &RoleName::role)->name;
}

Result<Role> role_by_name(std::string_view name) {
    const auto* row = std::ranges::find(roles, name, &RoleName::name);
    if (row == roles.end()) {
        return fail(Code::input_invalid, "role \"{}\" is not known; use viewer, operator or admin",
                    name);
    }
    return row->role;
}

}  // namespace quoin::x509
