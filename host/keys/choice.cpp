#include "host/keys/choice.hpp"

#include <array>

namespace quoin::keys {
namespace {

constexpr std::string_view way_out =
    "keep keys in quoin-se (store = \"se:socket=PATH\" in [keys]), or say danger_software_keys = "
    "true there";

struct Problem {
    std::string_view key;
    std::string text;
};

// The first thing that is wrong with it; an empty key: nothing.
Problem problem_of(const Choice& choice) {
    const auto has_references = [](std::string_view store) { return store.starts_with("se:"); };
    if (!choice.store.empty() && !has_references(choice.store)) {
        return {"store", "only quoin-se has keys that OpenSSL uses: se:socket=PATH"};
    }
    if (choice.store.empty() && !choice.fallbacks.empty()) {
        return {"fallbacks", "there is no store to fall back from: set store"};
    }
    for (std::size_t i = 0; i < choice.fallbacks.size(); ++i) {
        const std::string& fallback = choice.fallbacks[i];
        const bool last = i + 1 == choice.fallbacks.size();
        if (has_references(fallback) || (fallback == software_keys && last)) continue;
        return {"fallbacks", fmt::format("\"{}\": each is se:socket=PATH, and the last one may be "
                                         "\"{}\"",
                                         fallback, software_keys)};
    }
    if (!choice.production || choice.danger_software_keys) return {};
    if (choice.store.empty()) {
        return {"store", fmt::format("profile \"production\" refuses software keys, which are the "
                                     "default: {}",
                                     way_out)};
    }
    if (!choice.fallbacks.empty() && choice.fallbacks.back() == software_keys) {
        return {"fallbacks",
                fmt::format("profile \"production\" refuses software keys: take \"{}\" away, or "
                            "say danger_software_keys = true in [keys]",
                            software_keys)};
    }
    return {};
}

// As a TOML basic string.
std::string toml_text(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

}  // namespace

config::Section bind_choice(config::Section& root, Choice& choice) {
    static constexpr std::array<std::string_view, 2> profiles{"development", "production"};
    std::string profile{profiles.front()};
    root.choice("profile", profile, profiles);
    choice.production = profile == profiles.back();
    config::Section section = root.table("keys");
    section.text("store", choice.store);
    section.texts("fallbacks", choice.fallbacks);
    section.flag("danger_software_keys", choice.danger_software_keys);
    if (const Problem problem = problem_of(choice); !problem.key.empty()) {
        section.refuse(problem.key, problem.text);
    }
    return section;
}

Result<void> check_choice(const Choice& choice) {
    const Problem problem = problem_of(choice);
    if (problem.key.empty()) return {};
    return fail(Code::config_invalid, "key {}: {}", problem.key, problem.text);
}

Result<void> check_software_key(const Choice& choice, std::string_view what) {
    if (!choice.production || choice.danger_software_keys) return {};
    return fail(Code::config_invalid,
                "{}: a software key (best effort), which profile \"production\" refuses: {}", what,
                way_out);
}

std::string keys_table(const Choice& choice) {
    std::string keys;
    if (!choice.store.empty()) keys += fmt::format("store = {}\n", toml_text(choice.store));
    if (!choice.fallbacks.empty()) {
        std::string list;
        for (const std::string& fallback : choice.fallbacks) {
            list += fmt::format("{}{}", list.empty() ? "" : ", ", toml_text(fallback));
        }
        keys += fmt::format("fallbacks = [{}]\n", list);
    }
    if (choice.danger_software_keys) keys += "danger_software_keys = true\n";
    return keys.empty() ? "" : "\n[keys]\n" + keys;
}

}  // namespace quoin::keys
