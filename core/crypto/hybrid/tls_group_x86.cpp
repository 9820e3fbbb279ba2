// Nothing here is compiled for AVX2 or AVX-512: it calls the objects that are.
#include "core/crypto/hybrid/tls_group_body.hpp"

namespace quoin::core::hybrid::tls_group {

template void start<Avx2>(ClientKey&, std::span<std::uint8_t, client_share_size>,
                          std::span<const std::uint8_t, client_randomness_size>, Workspace<Avx2>&);
template Result<void> answer<Avx2>(std::span<const std::uint8_t, client_share_size>,
                                   std::span<std::uint8_t, server_share_size>,
                                   std::span<std::uint8_t, secret_size>,
                                   std::span<const std::uint8_t, server_randomness_size>,
                                   Workspace<Avx2>&);
template Result<void> finish<Avx2>(const ClientKey&,
                                   std::span<const std::uint8_t, server_share_size>,
                                   std::span<std::uint8_t, secret_size>, Workspace<Avx2>&);

template void start<Avx512>(ClientKey&, std::span<std::uint8_t, client_share_size>,
                            std::span<const std::uint8_t, client_randomness_size>,
                            Workspace<Avx512>&);
template Result<void> answer<Avx512>(std::span<const std::uint8_t, client_share_size>,
                                     std::span<std::uint8_t, server_share_size>,
                                     std::span<std::uint8_t, secret_size>,
                                     std::span<const std::uint8_t, server_randomness_size>,
                                     Workspace<Avx512>&);
template Result<void> finish<Avx512>(const ClientKey&,
                                     std::span<const std::uint8_t, server_share_size>,
                                     std::span<std::uint8_t, secret_size>, Workspace<Avx512>&);

}  // namespace quoin::core::hybrid::tls_group
