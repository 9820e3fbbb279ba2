// The REST API under /api/v1 (docs/spec/plant.md, "REST").
//
// Every call is authenticated, checked for its role, its parameters and its body, in this order;
// what is refused is an RFC 9457 problem and, when it is about access, an event. The table of calls
// in api.cpp is what /api/v1/openapi.json is made from. Threads: any; live streams (SSE) hold a
// thread of the HTTP server each.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/audit/audit.hpp"
#include "host/net/http.hpp"
#include "host/store/database.hpp"
#include "host/x509/revocation_reason.hpp"
#include "server/api/access.hpp"
#include "server/api/followers.hpp"
#include "server/bus/bus.hpp"
#include "server/bus/revocation.hpp"

namespace quoin::server {

inline constexpr std::size_t max_page = 10'000;

struct SampleQuery {
    std::string device, stream;  // empty: all
    std::uint64_t after_seq = 0;
    std::int64_t from_ms = 0;
    std::int64_t to_ms = 0;  // 0: no end
    std::size_t limit = 1000;
    bool last = false;
};
using SamplePage = Result<std::vector<SampleStored>>;

// What the plant migrates to.
struct MigrationState {
    std::string suite;
    std::string issuer;  // serial of the new issuing CA's certificate
};

struct ImportOutcome {
    std::size_t added = 0;
    std::size_t readmitted = 0;
};

// What the API asks of the other roles. `actor` is for the audit log.
struct ApiSources {
    Authenticate authenticate;
    std::function<Result<ImportOutcome>(std::string_view batch, bool readmit,
                                        std::string_view actor)>
        import;
    std::function<Result<std::string>(std::string_view device, std::string_view actor)> release;
    std::function<Result<RevocationOutcome>(const RevocationRequest&, bool dry_run)> revoke;
    std::function<bool(const std::string& device)> has_session;  // on the broker, as far as known
    std::function<Result<std::vector<std::string>>(const NamedRevocation& what)> revoke_named;
    std::function<Result<void>(std::int64_t number, std::string_view actor)> approve;
    std::function<Result<void>(std::int64_t number, std::string_view reason,
                               std::string_view actor)>
        refuse;
    std::function<Result<void>(std::string_view manifest, std::string_view actor)> add_release;
    std::function<SamplePage(const SampleQuery&)> samples;
    // Pages of everything that matches; an empty page is the end.
    std::function<std::function<SamplePage()>(const SampleQuery&)> export_samples;
    std::function<Result<std::int64_t>()> sample_count;
    std::function<bool()> broker_connected;
    // None: the plant does not migrate.
    std::function<std::optional<MigrationState>()> migration = [] {
        return std::optional<MigrationState>();
    };
};

struct ApiOptions {
    std::string site;
    std::string suite;
};

class Api {
public:
    // The references must outlive it, and every stream it answered with.
    Api(ApiOptions options, ApiSources sources, store::Database& database, Bus& bus,
        audit::Log& audit);

    // For every path under /api/.
    net::HttpResponse handle(const net::HttpRequest& request);

private:
    // One call, with what its path named.
    struct Call {
        const net::HttpRequest& request;
        const Caller& caller;
        std::string id;
    };
    using Handler = Result<net::HttpResponse> (Api::*)(const Call&);
    struct Route;
    static const std::vector<Route> routes;  // routes.cpp

    Result<net::HttpResponse> dispatch(const net::HttpRequest& request, std::string& caller);
    Result<net::HttpResponse> status(const Call& call);
    Result<net::HttpResponse> openapi(const Call& call);
    Result<net::HttpResponse> migration(const Call& call);
    Result<net::HttpResponse> list_devices(const Call& call);
    Result<net::HttpResponse> show_device(const Call& call);
    Result<net::HttpResponse> import_devices(const Call& call);
    Result<net::HttpResponse> release_device(const Call& call);
    Result<net::HttpResponse> revoke_device(const Call& call);
    Result<net::HttpResponse> revoke_devices(const Call& call);
    Result<net::HttpResponse> revoke_service(const Call& call);
    Result<net::HttpResponse> revoke_operator(const Call& call);
    Result<net::HttpResponse> revoke_named(const Call& call, std::string_view kind);
    Result<net::HttpResponse> list_enrolments(const Call& call);
    Result<net::HttpResponse> approve_enrolment(const Call& call);
    Result<net::HttpResponse> refuse_enrolment(const Call& call);
    Result<net::HttpResponse> show_enrolment(std::int64_t number);
    Result<net::HttpResponse> list_releases(const Call& call);
    Result<net::HttpResponse> add_release(const Call& call);
    Result<net::HttpResponse> list_samples(const Call& call);
    Result<net::HttpResponse> follow_samples(const Call& call);
    Result<net::HttpResponse> export_samples(const Call& call);
    Result<net::HttpResponse> list_verdicts(const Call& call);
    Result<net::HttpResponse> list_events(const Call& call);
    Result<net::HttpResponse> follow_events(const Call& call);
    void note_action(const Call& call, std::string_view device);

    ApiOptions options_;
    ApiSources sources_;
    store::Database& database_;
    audit::Log& audit_;
    Followers followers_;
    std::int64_t started_ms_;
};

}  // namespace quoin::server
