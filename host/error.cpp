#include "host/error.hpp"

#include <array>

namespace quoin {
namespace {

struct Row {
    Code code;
    std::string_view name;
    int http;
    int exit;
};

constexpr std::array rows{
    Row{Code::peer_malformed, "peer_malformed", 400, 1},
    Row{Code::peer_oversize, "peer_oversize", 413, 1},
    Row{Code::peer_unauthenticated, "peer_unauthenticated", 401, 1},
    Row{Code::peer_forbidden, "peer_forbidden", 403, 1},
    Row{Code::peer_replayed, "peer_replayed", 409, 1},
    Row{Code::peer_late, "peer_late", 408, 1},
    Row{Code::peer_too_fast, "peer_too_fast", 429, 1},
    Row{Code::input_invalid, "input_invalid", 400, 2},
    Row{Code::input_not_found, "input_not_found", 404, 1},
    Row{Code::input_conflict, "input_conflict", 409, 1},
    Row{Code::input_unsupported, "input_unsupported", 501, 1},
    Row{Code::input_unauthenticated, "input_unauthenticated", 401, 1},
    Row{Code::config_invalid, "config_invalid", 500, 2},
    Row{Code::config_unknown_key, "config_unknown_key", 500, 2},
    Row{Code::config_missing, "config_missing", 500, 2},
    Row{Code::state_wrong, "state_wrong", 409, 1},
    Row{Code::state_stale, "state_stale", 503, 1},
    Row{Code::resource_unavailable, "resource_unavailable", 503, 1},
    Row{Code::resource_timeout, "resource_timeout", 504, 1},
    Row{Code::resource_full, "resource_full", 507, 1},
    Row{Code::integrity_mismatch, "integrity_mismatch", 500, 1},
    Row{Code::integrity_signature, "integrity_signature", 400, 1},
    Row{Code::internal, "internal", 500, 1},
};

const Row& row(Code code) {
    for (const Row& candidate : rows) {
        if (candidate.code == code) return candidate;
    }
    return rows.back();
}

}  // namespace

std::string_view code_name(Code code) { return row(code).name; }
int http_status(Code code) { return row(code).http; }
int exit_code(Code code) { return row(code).exit; }

}  // namespace quoin
