// What the commands about a home's PKI share.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/context.hpp"
#include "server/pki/ceremony.hpp"

namespace quoin::cli {

// What a command did: its JSON, or a sentence.
void tell(const Context& context, const nlohmann::json& facts, const std::string& sentence);

// Root leaves no files in a plant that the plant's own user cannot read.
Result<void> act_as_owner(const Context& context);

// On standard error: what was asked for is done all the same.
server::KeyNotices key_notices();

}  // namespace quoin::cli
