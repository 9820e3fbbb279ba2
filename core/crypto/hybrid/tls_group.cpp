#include "core/crypto/hybrid/tls_group_body.hpp"

namespace quoin::core::hybrid::tls_group {

template void start<Portable>(ClientKey&, std::span<std::uint8_t, client_share_size>,
                              std::span<const std::uint8_t, client_randomness_size>,
                              Workspace<Portable>&);
template Result<void> answer<Portable>(std::span<const std::uint8_t, client_share_size>,
                                       std::span<std::uint8_t, server_share_size>,
                                       std::span<std::uint8_t, secret_size>,
                                       std::span<const std::uint8_t, server_randomness_size>,
                                       Workspace<Portable>&);
template Result<void> finish<Portable>(const ClientKey&,
                                       std::span<const std::uint8_t, server_share_size>,
                                       std::span<std::uint8_t, secret_size>, Workspace<Portable>&);

}  // namespace quoin::core::hybrid::tls_group
