#include "host/x509/revocation_reason.hpp"

#include <utility>

namespace quoin::x509 {

std::string_view reason_name(Reason reason) {
    switch (reason) {
        case Reason::unspecified:
            return "unspecified";
        case Reason::key_compromise:
            return "key_compromise";
        case Reason::ca_compromise:
            return "ca_compromise";
        case Reason::affiliation_changed:
            return "affiliation_changed";
        case Reason::superseded:
            return "superseded";
        case Reason::cessation_of_operation:
            return "cessation_of_operation";
        case Reason::privilege_withdrawn:
            return "privilege_withdrawn";
    }
    std::unreachable();
}

std::optional<Reason> reason_by_name(std::string_view name) {
    for (const Reason reason : reasons) {
        if (reason_name(reason) == name) return reason;
    }
    return std::nullopt;
}

std::optional<Reason> reason_by_number(std::uint64_t number) {
    for (const Reason reason : reasons) {
        if (std::to_underlying(reason) == number) return reason;
    }
    return std::nullopt;
}

}  // namespace quoin::x509
