// Any line: refused with a sentence, or exactly what encode() writes for the event it holds.
#include <cstdlib>

#include "host/audit/syslog.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace quoin::audit;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto line = decode(text);
    if (!line) {
        if (line.error().message.empty()) std::abort();
        return 0;
    }
    if (encode(*line) != text) std::abort();
    const std::string message = to_syslog(*line, "host");
    if (message.size() > max_syslog_bytes || message.find('\n') != std::string::npos) std::abort();
    if (line->event.id == Id::audit_chain_checkpoint) (void)checkpoint_of(line->event).has_value();
    return 0;
}
