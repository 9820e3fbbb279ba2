// Percent-encoding of URIs (RFC 3986, section 2.1). Threads: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace quoin {

// Every byte but letters, digits, "-._~" and those of `also_kept` as %HH.
std::string percent_encode(std::string_view text, std::string_view also_kept = {});

// %HH as the byte that it stands for, anything else as it is; none for a % without two hexadecimal
// digits. The caller says which bytes it takes.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace quoin
