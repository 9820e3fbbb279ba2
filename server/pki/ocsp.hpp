// The status of the plant's certificates, for who asks (OCSP, RFC 6960, RFC 9654).
//
//   POST /ocsp            application/ocsp-request, at most 4 KiB
//   GET  /ocsp/BASE64     of the same (RFC 6960, appendix A.1)
//
//   one certificate, and nothing else   signed ahead, kept, signed again at half its life
//   anything else                       signed for the one who asks, so many a second for each peer
//
// An answer is signed by whoever may speak for the issuer that is asked about; whoever asks about
// several gets the truth about those of the first.
//
// good: recorded, issued by that CA, not revoked. What is not recorded is unknown. While the
// database cannot be read the answer is tryLater, and what was signed ahead is given until its time
// is over, not longer (I10). A status that was read is good for a second: before a plant's devices
// connect, all ask about one broker. A revocation takes effect at once: what was kept is dropped,
// and what was read before it is not kept.
//
// Threads: any.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "host/audit/audit.hpp"
#include "host/net/http.hpp"
#include "host/store/database.hpp"
#include "host/tls/policy.hpp"
#include "host/x509/ocsp.hpp"
#include "server/bus/bus.hpp"
#include "server/pki/peer_budget.hpp"

namespace quoin::server {

struct OcspOptions {
    std::chrono::seconds lifetime{600};
    double live_per_s = 500;  // signatures for one address …
    double burst = 1000;      // … after so many at once
};

// Since the start, for /metrics.
struct OcspCounters {
    std::atomic<std::uint64_t> ahead = 0;      // signed ahead
    std::atomic<std::uint64_t> live = 0;       // signed for the one who asked
    std::atomic<std::uint64_t> too_fast = 0;   // tryLater: of one peer too many
    std::atomic<std::uint64_t> failed = 0;     // tryLater: the database, the key
    std::atomic<std::uint64_t> malformed = 0;  // no request
};

class OcspResponder {
public:
    // `issuing`: whose certificates it answers for. `own`: the responder, issued by it, or the
    // issuer itself.
    struct Signer {
        x509::Certificate issuing;
        tls::Credentials own;
    };
    // Listens to certificates_revoked on `bus`; the references must outlive it. Until replace() it
    // answers for nobody.
    OcspResponder(OcspOptions options, store::Database& database, Bus& bus, audit::Log& audit);

    // Goes on with these, of which there is one at least; the first also answers questions about
    // issuers that are not known here. The status of the certificates `stapled`, of these issuers,
    // is always kept. Nothing else that was kept stays. An error: all is as it was.
    Result<void> replace(std::vector<Signer> signers, std::span<const x509::Certificate> stapled);
    // For every path at and under /ocsp. May wait for the database.
    net::HttpResponse handle(const net::HttpRequest& request);
    // The same from what is kept, for a thread that must not wait. None: ask handle().
    std::optional<net::HttpResponse> handle_at_once(const net::HttpRequest& request);

    // The status of this certificate, one of `stapled` (or of those before, while that holds), as
    // it is now, DER. Null: there is none that holds now.
    std::shared_ptr<const std::string> staple(const X509* certificate) const;

    // About once a second: signs again what is half-way through its life and was asked for since.
    void tick();
    const OcspCounters& counters() const { return counters_; }

private:
    struct Signing {
        std::vector<Signer> signers;
        // When each was last found not to be revoked itself; 0: never.
        std::vector<std::atomic<std::uint64_t>> checked;
        explicit Signing(std::vector<Signer> all)
            : signers(std::move(all)), checked(signers.size()) {}
    };
    using SigningPointer = std::shared_ptr<Signing>;
    struct Made {
        std::shared_ptr<const std::string> der;
        std::string subject;         // whom the certificate is of; of the first question
        bool recorded = false;       // the first question's
        std::uint64_t generation{};  // before the database was read
        std::int64_t due_ms = 0;     // half-way
        std::int64_t until_ms = 0;
    };
    struct Kept {
        x509::OcspRequest request;  // plain
        Made made;
        bool used = true;  // since it was signed
    };
    struct Row {
        x509::OcspAnswer answer;
        std::string subject;
        bool recorded = false;
    };

    struct Stapled {
        x509::Certificate certificate;
        x509::OcspRequest request;
        std::string der;  // of the request
        bool is_present = true;
    };
    struct Known {
        Row row;
        std::int64_t read_ms = 0;
    };
    Result<Made> make(const x509::OcspRequest& request);
    Result<Made> make(const x509::OcspRequest& request, Signing& signing);
    static Result<Stapled> staple_of(const x509::Certificate& certificate, const Signing& signing);
    std::optional<Row> known(const std::string& key, std::uint64_t generation) const;
    Result<std::vector<Row>> rows_of(const x509::OcspRequest& request, const Signer& by,
                                     std::uint64_t generation, std::atomic<std::uint64_t>& checked);
    Result<std::vector<Row>> look_up(const x509::OcspRequest& request, const Signer& signer,
                                     bool own_is_checked);
    std::shared_ptr<const std::string> kept(const std::string& request);
    void keep(const x509::OcspRequest& request, const Made& made);
    void drop(const std::vector<std::string>& subjects);
    std::vector<x509::OcspRequest> take_due();
    void note_failure(const Error& error);

    const OcspOptions options_;
    store::Database& database_;
    audit::Log& audit_;
    PeerBudget budget_;
    OcspCounters counters_;
    mutable std::mutex mutex_;  // what is below
    SigningPointer signing_;
    std::unordered_map<std::string, Kept> kept_;    // by the request's DER
    std::unordered_map<std::string, Known> known_;  // by issuer/serial; since the last revocation
    std::vector<Stapled> stapled_;
    std::uint64_t generation_ = 1;  // of revocations
};

}  // namespace quoin::server
