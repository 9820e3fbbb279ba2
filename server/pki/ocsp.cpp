#include "server/pki/ocsp.hpp"

#include <openssl/x509v3.h>

#include <algorithm>
#include <set>

#include "server/bus/clock.hpp"

namespace quoin::server {
namespace {

using net::HttpRequest;
using net::HttpResponse;
using x509::OcspRequest;
using x509::OcspStatus;

constexpr std::string_view path_prefix = "/ocsp/";
constexpr std::size_t max_kept = 4096;   // of about 10 KiB each
constexpr std::size_t max_known = 4096;  // of about 200 bytes each
constexpr std::int64_t known_ms = 1000;
constexpr std::size_t max_signed_in_tick = 256;  // the rest a second later

HttpResponse ocsp_response(std::string der) {
    return {.content_type = "application/ocsp-response", .body = std::move(der)};
}

// The request in DER; an HTTP refusal when there is none.
std::expected<std::string, HttpResponse> der_of(const HttpRequest& request) {
    if (request.method == "GET" && request.path.starts_with(path_prefix)) {
        const std::string_view text = std::string_view(request.path).substr(path_prefix.size());
        const auto der = crypto::from_base64(text);
        if (!der) return std::unexpected(net::problem(der.error()));
        return std::string(text_of(*der));
    }
    if (request.method != "POST") {
        HttpResponse refusal = net::problem({Code::input_invalid, "use POST, or GET /ocsp/BASE64"});
        refusal.status = 405;
        refusal.headers.emplace_back("Allow", "GET, POST");
        return std::unexpected(std::move(refusal));
    }
    if (request.content_type != "application/ocsp-request") {
        HttpResponse refusal =
            net::problem({Code::input_invalid, "send Content-Type: application/ocsp-request"});
        refusal.status = 415;
        return std::unexpected(std::move(refusal));
    }
    return request.body;
}

}  // namespace

OcspResponder::OcspResponder(OcspOptions options, store::Database& database, Bus& bus,
                             audit::Log& audit)
    : options_(options),
      database_(database),
      audit_(audit),
      budget_(options.live_per_s, options.burst),
      signing_(std::make_shared<Signing>(std::vector<Signer>())) {
    bus.certificates_revoked.listen(
        [this](const CertificatesRevoked& revoked) { drop(revoked.subjects); });
}

Result<OcspResponder::Stapled> OcspResponder::staple_of(const x509::Certificate& certificate,
                                                        const Signing& signing) {
    for (const Signer& signer : signing.signers) {
        // By the key identifiers, too: the issuers of two roots have one name.
        if (X509_check_issued(signer.issuing.native(), certificate.native()) != X509_V_OK) continue;
        QUOIN_TRY(OcspRequest request, OcspRequest::make(certificate, signer.issuing, {}));
        QUOIN_TRY(std::string der, request.der());
        return Stapled{certificate, std::move(request), std::move(der)};
    }
    return fail(Code::state_wrong, "{}: nobody answers for its issuer", certificate.common_name());
}

Result<void> OcspResponder::replace(std::vector<Signer> signers,
                                    std::span<const x509::Certificate> stapled) {
    const auto fresh = std::make_shared<Signing>(std::move(signers));
    std::vector<Stapled> staples;
    std::vector<Made> made;
    for (const x509::Certificate& certificate : stapled) {
        QUOIN_TRY(Stapled one, staple_of(certificate, *fresh));
        QUOIN_TRY(Made its, make(one.request, *fresh));
        staples.push_back(std::move(one));
        made.push_back(std::move(its));
    }
    std::unordered_map<std::string, Kept> kept;
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < staples.size(); ++i) {
        if (made[i].generation != generation_) continue;  // the next tick makes it
        kept.insert_or_assign(staples[i].der, Kept{staples[i].request, std::move(made[i])});
    }
    // A server may still show the one before, until it is told of this one.
    for (Stapled& before : stapled_) {
        const auto found = kept_.find(before.der);
        if (found == kept_.end() || kept.contains(before.der)) continue;
        before.is_present = false;
        kept.insert_or_assign(before.der, std::move(found->second));
        staples.push_back(std::move(before));
    }
    signing_ = fresh;
    stapled_ = std::move(staples);
    kept_ = std::move(kept);
    ++generation_;
    known_.clear();
    return {};
}

// ---- answering ----

std::optional<HttpResponse> OcspResponder::handle_at_once(const HttpRequest& request) {
    const auto der = der_of(request);
    if (!der) return der.error();
    // Only what parses is kept: its bytes need not be parsed again.
    if (const auto found = kept(*der)) {
        ++counters_.ahead;
        return ocsp_response(*found);
    }
    return std::nullopt;
}

HttpResponse OcspResponder::handle(const HttpRequest& request) {
    const auto der = der_of(request);
    if (!der) return der.error();
    if (const auto found = kept(*der)) {
        ++counters_.ahead;
        return ocsp_response(*found);
    }
    const auto parsed = OcspRequest::from_der(bytes_of(*der));
    if (!parsed) {
        ++counters_.malformed;
        return ocsp_response(x509::ocsp_refusal(x509::OcspRefusal::malformed_request));
    }
    const std::string try_later = x509::ocsp_refusal(x509::OcspRefusal::try_later);
    const std::string_view remote = request.remote;  // "ADDRESS:PORT"
    if (!budget_.spend(remote.substr(0, remote.rfind(':')))) {
        ++counters_.too_fast;
        return ocsp_response(try_later);
    }
    auto made = make(*parsed);
    if (!made) {
        note_failure(made.error());
        return ocsp_response(try_later);
    }
    ++counters_.live;
    keep(*parsed, *made);
    return ocsp_response(*made->der);
}

void OcspResponder::note_failure(const Error& error) {
    ++counters_.failed;
    audit_.append(audit::Id::pki_status_failed, "", {{"reason", error.message}});
}

Result<std::vector<OcspResponder::Row>> OcspResponder::look_up(const OcspRequest& request,
                                                               const Signer& signer,
                                                               bool own_is_checked) {
    const std::string issuer = signer.issuing.serial_hex();
    const std::string own = signer.own.chain.front().serial_hex();
    return database_.read([&](soci::session& session) -> Result<std::vector<Row>> {
        const auto find = [&](const std::string& serial) {
            std::int64_t revoked_ms = 0;
            int reason = 0;
            Row row;
            session << "SELECT revoked_ms, reason, subject_id FROM certificates WHERE serial = "
                       ":serial AND kind <> 'ca' AND issuer = :issuer",
                soci::use(serial), soci::use(issuer), soci::into(revoked_ms), soci::into(reason),
                soci::into(row.subject);
            row.recorded = session.got_data();
            if (!row.recorded) return row;
            row.answer.status = revoked_ms > 0 ? OcspStatus::revoked : OcspStatus::good;
            row.answer.revoked_ms = revoked_ms;
            row.answer.reason = reason;
            return row;
        };
        // Its answers would be believed all the same: nobody asks for a responder's own status.
        if (!own_is_checked && find(own).answer.status == OcspStatus::revoked) {
            return fail(Code::state_wrong, "the responder's own certificate {} is revoked", own);
        }
        std::vector<Row> rows;
        for (std::size_t i = 0; i < request.questions().size(); ++i) {
            const bool ours = request.is_about(i, signer.issuing);
            rows.push_back(ours ? find(request.questions()[i].serial_hex) : Row{});
        }
        return rows;
    });
}

std::optional<OcspResponder::Row> OcspResponder::known(const std::string& key,
                                                       std::uint64_t generation) const {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(key);
    if (generation != generation_ || found == known_.end()) return std::nullopt;
    const std::int64_t age_ms = now_ms() - found->second.read_ms;
    if (age_ms < 0 || age_ms >= known_ms) return std::nullopt;
    return found->second.row;
}

// `checked`: the generation in which the signer itself was last found not to be revoked.
Result<std::vector<OcspResponder::Row>> OcspResponder::rows_of(
    const OcspRequest& request, const Signer& by, std::uint64_t generation,
    std::atomic<std::uint64_t>& checked) {
    const bool own_is_checked = checked == generation;
    const bool is_single = request.questions().size() == 1 && request.is_about(0, by.issuing);
    const std::string key =
        is_single ? by.issuing.serial_hex() + "/" + request.questions().front().serial_hex : "";
    if (is_single && own_is_checked) {
        if (const auto row = known(key, generation)) return std::vector{*row};
    }
    const std::int64_t now = now_ms();
    QUOIN_TRY(std::vector<Row> rows, look_up(request, by, own_is_checked));
    checked = generation;
    const std::lock_guard lock(mutex_);
    if (is_single && rows.front().recorded && generation == generation_) {
        if (known_.size() >= max_known) known_.clear();
        known_.insert_or_assign(key, Known{.row = rows.front(), .read_ms = now});
    }
    return rows;
}

Result<OcspResponder::Made> OcspResponder::make(const OcspRequest& request) {
    SigningPointer signing;
    {
        const std::lock_guard lock(mutex_);
        signing = signing_;
    }
    return make(request, *signing);
}

Result<OcspResponder::Made> OcspResponder::make(const OcspRequest& request, Signing& signing) {
    const std::vector<Signer>& all = signing.signers;
    if (all.empty()) return fail(Code::state_wrong, "there is no responder yet");
    auto by = std::ranges::find_if(
        all, [&](const Signer& one) { return request.is_about(0, one.issuing); });
    if (by == all.end()) by = all.begin();
    std::atomic<std::uint64_t>& checked =
        signing.checked[static_cast<std::size_t>(by - all.begin())];
    Made made;
    {
        const std::lock_guard lock(mutex_);
        made.generation = generation_;
    }
    const x509::Certificate& own = by->own.chain.front();
    const std::int64_t now = now_ms();
    made.until_ms =
        std::min(now + std::chrono::milliseconds(options_.lifetime).count(), own.not_after_ms());
    if (made.until_ms <= now) return fail(Code::state_wrong, "the responder's certificate expired");
    made.due_ms = now + (made.until_ms - now) / 2;
    QUOIN_TRY(const std::vector<Row> rows, rows_of(request, *by, made.generation, checked));
    std::vector<x509::OcspAnswer> answers;
    for (const Row& row : rows) {
        answers.push_back(row.answer);
        answers.back().this_update_ms = now;
        answers.back().next_update_ms = made.until_ms;
    }
    made.recorded = rows.front().recorded;
    made.subject = rows.front().subject;
    QUOIN_TRY(std::string der, x509::sign_ocsp_response(by->own.key, own, request, answers));
    made.der = std::make_shared<const std::string>(std::move(der));
    return made;
}

// ---- what is kept ----

std::shared_ptr<const std::string> OcspResponder::kept(const std::string& request) {
    const std::lock_guard lock(mutex_);
    const auto found = kept_.find(request);
    if (found == kept_.end() || found->second.made.until_ms <= now_ms()) return nullptr;
    found->second.used = true;
    return found->second.made.der;
}

void OcspResponder::keep(const OcspRequest& request, const Made& made) {
    if (!request.is_plain() || !made.recorded) return;
    const auto der = request.der();
    if (!der) return;
    const std::lock_guard lock(mutex_);
    if (made.generation != generation_) return;  // perhaps from before a revocation
    if (kept_.size() >= max_kept && !kept_.contains(*der)) return;
    kept_.insert_or_assign(*der, Kept{.request = request, .made = made, .used = true});
}

void OcspResponder::drop(const std::vector<std::string>& subjects) {
    const std::set<std::string_view> ended(subjects.begin(), subjects.end());
    const std::lock_guard lock(mutex_);
    ++generation_;
    known_.clear();
    std::erase_if(kept_,
                  [&](const auto& each) { return ended.contains(each.second.made.subject); });
}

// Those that are due and were asked for since they were signed; the others are forgotten when their
// time is over.
std::vector<OcspRequest> OcspResponder::take_due() {
    const std::int64_t now = now_ms();
    const std::lock_guard lock(mutex_);
    std::erase_if(kept_, [&](const auto& each) { return each.second.made.until_ms <= now; });
    std::vector<OcspRequest> due;
    std::erase_if(stapled_,
                  [&](const Stapled& one) { return !one.is_present && !kept_.contains(one.der); });
    const auto is_stapled = [&](const std::string& der) {
        return std::ranges::find(stapled_, der, &Stapled::der) != stapled_.end();
    };
    for (const Stapled& one : stapled_) {
        if (!one.is_present) continue;
        const auto found = kept_.find(one.der);
        if (found == kept_.end() || found->second.made.due_ms <= now) due.push_back(one.request);
    }
    for (const auto& [der, kept] : kept_) {
        if (due.size() >= max_signed_in_tick) break;
        if (kept.used && kept.made.due_ms <= now && !is_stapled(der)) due.push_back(kept.request);
    }
    return due;
}

void OcspResponder::tick() {
    for (const OcspRequest& request : take_due()) {
        const auto made = make(request);
        if (!made) return note_failure(made.error());  // and again in the next tick
        keep(request, *made);
        const auto der = request.der();
        const std::lock_guard lock(mutex_);
        const auto found = kept_.find(der.value_or(""));
        if (found != kept_.end()) found->second.used = false;
    }
}

// ---- the staple ----

std::shared_ptr<const std::string> OcspResponder::staple(const X509* certificate) const {
    const std::lock_guard lock(mutex_);
    const auto shown = std::ranges::find_if(stapled_, [&](const Stapled& one) {
        return certificate != nullptr && X509_cmp(one.certificate.native(), certificate) == 0;
    });
    if (shown == stapled_.end()) return nullptr;
    const auto found = kept_.find(shown->der);
    if (found == kept_.end() || found->second.made.until_ms <= now_ms()) return nullptr;
    return found->second.made.der;
}

}  // namespace quoin::server
