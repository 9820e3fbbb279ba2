#include "host/counters/open_anchor.hpp"

#include "host/keys/open.hpp"

namespace quoin::counters {

Result<std::unique_ptr<Anchor>> open_anchor(std::string_view uri, std::string_view name) {
    if (uri == "none") return nullptr;
    QUOIN_TRY(auto provider, keys::open_store(uri));
    return make_anchor(std::move(provider), uri, name);
}

}  // namespace quoin::counters
