// What the commands about a home's PKI share.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/context.hpp"
#include "host/descriptor.hpp"
#include "server/pki/ceremony.hpp"
#include "server/pki/switching.hpp"

namespace quoin::cli {

// What a command did: its JSON, or a sentence.
void tell(const Context& context, const nlohmann::json& facts, const std::string& sentence);

// Root leaves no files in a plant that the plant's own user cannot read.
Result<void> act_as_owner(const Context& context);

// On standard error: what was asked for is done all the same.
server::KeyNotices key_notices();

// Each step of an act, for people.
server::OnStep progress(const Context& context);

// Read by us, who may; used by the owner of the home. It is encrypted. No file: none.
Result<Descriptor> root_key_copy(const std::string& file);

}  // namespace quoin::cli
