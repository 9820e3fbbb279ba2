#include "server/verifier/appraisal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace quoin::verifier {
namespace {

using server::Verdict;

Appraisal untrusted(std::string reason, std::string level = {}) {
    return {.verdict = Verdict::untrusted, .reason = std::move(reason), .level = std::move(level)};
}

std::string_view reason_of(Code code) {
    if (code == Code::peer_oversize) return "oversize";
    if (code == Code::peer_unauthenticated) return "unsigned";
    return "malformed";
}

// The first of the cheap checks that fails; empty: none.
std::string_view claims_problem(const evidence::Claims& claims, const Facts& facts) {
    if (claims.device != facts.device) return "wrong_device";
    if (claims.device_class != facts.device_class) return "wrong_class";
    if (facts.nonce == NonceState::replayed) return "replayed";
    const std::string ldevid = crypto::to_hex(claims.ldevid_sha3_512);
    if (facts.attestation_keys.empty() || !std::ranges::contains(facts.ldevid_sha3_512, ldevid)) {
        return "wrong_certificate";
    }
    return {};
}

// The attestation key that signed it; null: none.
const AttestationKey* signer(const attest::OpenedEvidence& evidence, const Facts& facts) {
    const auto found = std::ranges::find_if(facts.attestation_keys, [&](const AttestationKey& one) {
        return evidence.verify(one.key).has_value();
    });
    return found == facts.attestation_keys.end() ? nullptr : &*found;
}

// Of the quote: what its PCRs are is measured, and what is measured is what the TPM quoted.
std::string_view quote_problem(const attest::OpenedEvidence& evidence, const AttestationKey& key,
                               const Facts& facts) {
    const evidence::Claims& claims = evidence.claims();
    // Nothing in this version of the format can back it.
    if (claims.level == evidence::Level::boot_signed) return "level_unproven";
    const bool quoted = claims.level == evidence::Level::tpm_quoted;
    // A key that is bound to a TPM signs with a quote only: without it, somebody took it away.
    if (quoted == key.quote_key.empty() || quoted != evidence.has_quote()) return "level_unproven";
    if (!quoted && facts.bound) return "level_unproven";
    const auto measured = std::ranges::find(claims.measurements, keys::tpm::measurement_name,
                                            &evidence::Measurement::name);
    // PCRs that nobody quoted are copied from somewhere.
    if (!quoted) return measured == claims.measurements.end() ? "" : "quote_mismatch";
    const auto state = evidence.verify_quote(key.quote_key);
    if (!state) return "bad_quote";
    const auto quoted_digest = keys::tpm::measurement_of(*state);
    if (!quoted_digest || measured == claims.measurements.end() ||
        !std::ranges::equal(measured->digest, *quoted_digest)) {
        return "quote_mismatch";
    }
    return {};
}

// The first measurement that is wrong; empty: none.
std::string measurement_problem(const evidence::Claims& claims, const Facts& facts) {
    std::set<std::string_view> measured;
    for (const evidence::Measurement& one : claims.measurements) {
        const auto reference = facts.references.find(one.name);
        if (reference == facts.references.end()) {
            return fmt::format("measurement_unexpected:{}", one.name);
        }
        if (crypto::to_hex(one.digest) != reference->second) {
            return fmt::format("measurement_mismatch:{}", one.name);
        }
        measured.insert(one.name);
    }
    for (const auto& [name, digest] : facts.references) {
        if (!measured.contains(name)) return fmt::format("measurement_missing:{}", name);
    }
    return {};
}

}  // namespace

Appraisal appraise(const Result<attest::OpenedEvidence>& opened, const Facts& facts) {
    if (!opened) return untrusted(std::string(reason_of(opened.error().code)));
    const evidence::Claims& claims = opened->claims();
    if (const auto problem = claims_problem(claims, facts); !problem.empty()) {
        return untrusted(std::string(problem));
    }
    const AttestationKey* const key = signer(*opened, facts);
    if (key == nullptr) return untrusted("bad_signature");
    if (const auto problem = quote_problem(*opened, *key, facts); !problem.empty()) {
        return untrusted(std::string(problem),
                         std::string(evidence::level_name(evidence::Level::self_reported)));
    }
    const std::string level(evidence::level_name(claims.level));
    if (claims.level < facts.minimum_level) return untrusted("level_too_low", level);
    if (claims.boot_counter < facts.boot_counter) return untrusted("counter_rollback", level);
    if (facts.references.empty()) return untrusted("unknown_reference", level);
    if (std::string problem = measurement_problem(claims, facts); !problem.empty()) {
        return untrusted(std::move(problem), level);
    }
    if (facts.nonce != NonceState::fresh) {
        return {.verdict = Verdict::stale, .reason = "late", .level = level};
    }
    return {.verdict = Verdict::trusted, .reason = {}, .level = level};
}

std::string_view verdict_name(Verdict verdict) {
    switch (verdict) {
        case Verdict::trusted:
            return "trusted";
        case Verdict::untrusted:
            return "untrusted";
        case Verdict::stale:
            return "stale";
        case Verdict::no_policy:
            return "no policy";
    }
    std::unreachable();
}

Result<evidence::Level> level_by_name(std::string_view name) {
    using evidence::Level;
    for (const Level level : {Level::self_reported, Level::boot_signed, Level::tpm_quoted}) {
        if (evidence::level_name(level) == name) return level;
    }
    return fail(Code::config_invalid,
                "level \"{}\": is not self-reported, boot-signed or tpm-quoted", name);
}

}  // namespace quoin::verifier
