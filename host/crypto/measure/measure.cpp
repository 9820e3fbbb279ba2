#include "host/crypto/measure/measure.hpp"

#include <spdlog/spdlog.h>

#include <cstdlib>
#include <fstream>

#include "host/crypto/measure/kinds.hpp"

namespace quoin::crypto::measure {

std::vector<Comparison> comparisons() {
    Comparisons all;
    add_kems(all);
    add_signatures(all);
    add_curves(all);
    add_hybrids(all);
    add_symmetric(all);
    return all;
}

void must_work(bool worked, std::string_view operation) {
    if (worked) return;
    spdlog::critical("core/crypto: {} refused what it must take", operation);
    std::abort();
}

speed::Outcome run(const Comparison& comparison, speed::Options options) {
    speed::Outcome outcome =
        speed::compare(comparison.operation, comparison.ours, comparison.openssl, options);
    outcome.ours_us /= comparison.per_call;
    outcome.peer_us /= comparison.per_call;
    return outcome;
}

std::string machine() {
    std::string name = "unknown processor";
    std::ifstream cpuinfo("/proc/cpuinfo");
    for (std::string line; std::getline(cpuinfo, line);) {
        const std::size_t colon = line.find(": ");
        if (line.starts_with("model name") && colon != std::string::npos) {
            name = line.substr(colon + 2);
            break;
        }
    }
    if (processor().avx2) name += ", AVX2";
    if (processor().avx512) name += ", AVX-512";
    if (processor().sha_ni) name += ", SHA-NI";
    if (processor().aes_ni) name += ", AES-NI";
    if (processor().vaes) name += ", VAES";
    return name;
}

}  // namespace quoin::crypto::measure
