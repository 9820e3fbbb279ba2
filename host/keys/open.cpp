#include "host/keys/open.hpp"

#include <algorithm>

#include "host/keys/pkcs11/store.hpp"
#include "host/keys/se/store.hpp"
#include "host/keys/software/store.hpp"
#include "host/keys/tpm/store.hpp"
#include "host/keys/uri.hpp"

namespace quoin::keys {
namespace {

using Opened = Result<std::unique_ptr<SecurityProvider>>;

struct Scheme {
    std::string_view name;
    Opened (*open)(const Uri& uri);
    Opened (*create)(const Uri& uri);
};

constexpr Scheme schemes[] = {
    {"software", software::open, software::create},
    {"se", se::open, se::create},
    {"tpm", tpm::open, tpm::create},
    {"pkcs11", pkcs11::open, pkcs11::create},
};

Result<const Scheme*> scheme_of(const Uri& uri) {
    const auto* const found = std::ranges::find(schemes, uri.scheme(), &Scheme::name);
    if (found != std::ranges::end(schemes)) return found;
    std::string known;
    for (const Scheme& scheme : schemes) known += fmt::format(" {}", scheme.name);
    return fail(Code::input_invalid, "{}: there is no kind of key store named \"{}\"; there are:{}",
                uri.text(), uri.scheme(), known);
}

}  // namespace

bool cannot_be_reached(Code code) {
    return code == Code::resource_unavailable || code == Code::resource_timeout;
}

Opened open_store(std::string_view text) {
    QUOIN_TRY(const Uri uri, Uri::parse(text));
    QUOIN_TRY(const Scheme* const scheme, scheme_of(uri));
    return scheme->open(uri);
}

Opened create_store(std::string_view text) {
    QUOIN_TRY(const Uri uri, Uri::parse(text));
    QUOIN_TRY(const Scheme* const scheme, scheme_of(uri));
    return scheme->create(uri);
}

Opened open_store(const Choice& choice, const OnFallback& on_fallback) {
    auto opened = open_store(choice.store);
    std::string_view tried = choice.store;
    for (const std::string& next : choice.fallbacks) {
        if (opened || !cannot_be_reached(opened.error().code)) break;
        on_fallback(tried, next, opened.error());
        tried = next;
        opened = open_store(next);
    }
    if (!opened) return opened;
    const Description description = (*opened)->describe();
    if (description.residence == Residence::best_effort) {
        QUOIN_CHECK(check_software_key(
            choice, fmt::format("{} at {}", description.kind, description.location)));
    }
    return opened;
}

}  // namespace quoin::keys
