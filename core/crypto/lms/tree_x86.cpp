#include "core/crypto/lms/tree_impl.hpp"

namespace quoin::core::lms {

template void fill_leaves<Sha256M32, ShaNi>(const Tree<Sha256M32>&, std::uint32_t, std::uint32_t);
template void finish_tree<Sha256M32, ShaNi>(const Tree<Sha256M32>&);
template Result<void> check_tree<Sha256M32, ShaNi>(const Tree<Sha256M32>&);
template void fill_leaves<Sha256M24, ShaNi>(const Tree<Sha256M24>&, std::uint32_t, std::uint32_t);
template void finish_tree<Sha256M24, ShaNi>(const Tree<Sha256M24>&);
template Result<void> check_tree<Sha256M24, ShaNi>(const Tree<Sha256M24>&);
template void fill_leaves<Sha256M32, Avx2>(const Tree<Sha256M32>&, std::uint32_t, std::uint32_t);
template void finish_tree<Sha256M32, Avx2>(const Tree<Sha256M32>&);
template Result<void> check_tree<Sha256M32, Avx2>(const Tree<Sha256M32>&);
template void fill_leaves<Sha256M24, Avx2>(const Tree<Sha256M24>&, std::uint32_t, std::uint32_t);
template void finish_tree<Sha256M24, Avx2>(const Tree<Sha256M24>&);
template Result<void> check_tree<Sha256M24, Avx2>(const Tree<Sha256M24>&);
template void fill_leaves<ShakeM32, Avx2>(const Tree<ShakeM32>&, std::uint32_t, std::uint32_t);
template void finish_tree<ShakeM32, Avx2>(const Tree<ShakeM32>&);
template Result<void> check_tree<ShakeM32, Avx2>(const Tree<ShakeM32>&);
template void fill_leaves<ShakeM24, Avx2>(const Tree<ShakeM24>&, std::uint32_t, std::uint32_t);
template void finish_tree<ShakeM24, Avx2>(const Tree<ShakeM24>&);
template Result<void> check_tree<ShakeM24, Avx2>(const Tree<ShakeM24>&);

}  // namespace quoin::core::lms
