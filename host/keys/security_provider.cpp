#include "host/keys/security_provider.hpp"

#include <algorithm>

namespace quoin::keys {
namespace {

bool is_name_character(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
}

}  // namespace

std::string_view residence_name(Residence residence) {
    switch (residence) {
        case Residence::best_effort:
            return "best effort";
        case Residence::separate_process:
            return "separate process";
        case Residence::hardware:
            return "hardware";
    }
    return "best effort";
}

std::optional<Residence> residence_by_name(std::string_view name) {
    for (const Residence residence :
         {Residence::best_effort, Residence::separate_process, Residence::hardware}) {
        if (residence_name(residence) == name) return residence;
    }
    return std::nullopt;
}

Result<void> check_name(std::string_view name) {
    if (name.empty() || name.size() > max_name_size || name == "." || name == ".." ||
        !std::ranges::all_of(name, is_name_character)) {
        return fail(Code::input_invalid,
                    "a name of {} bytes is none: 1 to {} of A-Z a-z 0-9 _ . - are, without \".\" "
                    "and \"..\"",
                    name.size(), max_name_size);
    }
    return {};
}

std::unexpected<Error> SecurityProvider::unsupported(std::string_view operation) const {
    const Description store = describe();
    return fail(Code::input_unsupported, "{} at {}: cannot {}; use a store that can", store.kind,
                store.location, operation);
}

Result<ByteVector> SecurityProvider::sign(std::string_view, Bytes, Bytes) {
    return unsupported("sign");
}
Result<SecretBytes> SecurityProvider::decapsulate(std::string_view, Bytes) {
    return unsupported("decapsulate");
}
Result<ByteVector> SecurityProvider::seal(Bytes) { return unsupported("seal"); }
Result<SecretBytes> SecurityProvider::unseal(Bytes) { return unsupported("unseal"); }
Result<std::uint64_t> SecurityProvider::create_counter(std::string_view) {
    return unsupported("count: it has no monotonic counters");
}
Result<std::uint64_t> SecurityProvider::increment_counter(std::string_view) {
    return unsupported("count: it has no monotonic counters");
}
Result<std::uint64_t> SecurityProvider::read_counter(std::string_view) {
    return unsupported("count: it has no monotonic counters");
}
Result<std::string> SecurityProvider::key_reference(std::string_view) {
    return unsupported("give references to its keys");
}
Result<Attestation> SecurityProvider::attest(std::string_view, Bytes) {
    return unsupported("attest");
}

}  // namespace quoin::keys
