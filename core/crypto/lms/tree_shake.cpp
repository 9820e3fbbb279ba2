#include "core/crypto/lms/tree_impl.hpp"

namespace quoin::core::lms {

template void fill_leaves<ShakeM32, Portable>(const Tree<ShakeM32>&, std::uint32_t, std::uint32_t);
template void finish_tree<ShakeM32, Portable>(const Tree<ShakeM32>&);
template Result<void> check_tree<ShakeM32, Portable>(const Tree<ShakeM32>&);
template void fill_leaves<ShakeM24, Portable>(const Tree<ShakeM24>&, std::uint32_t, std::uint32_t);
template void finish_tree<ShakeM24, Portable>(const Tree<ShakeM24>&);
template Result<void> check_tree<ShakeM24, Portable>(const Tree<ShakeM24>&);

}  // namespace quoin::core::lms
