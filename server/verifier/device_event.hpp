// What a device says on its event topic: {"event":"online", ...}. Only the name matters to the
// verifier.
#pragma once

#include <string>
#include <string_view>

#include "host/error.hpp"

namespace quoin::verifier {

inline constexpr std::size_t max_event_size = 4096;

// The name of the event, [a-z0-9_.-]{1,64}. Not JSON, not an object, no or a strange name, deep
// nesting: peer_malformed; too long: peer_oversize.
Result<std::string> event_name(std::string_view json);

// The device of "quoin/SITE/DEVICE/SUFFIX"; peer_malformed for any other topic.
Result<std::string_view> device_of_topic(std::string_view topic, std::string_view site,
                                         std::string_view suffix);

}  // namespace quoin::verifier
