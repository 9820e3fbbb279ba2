#include "core/crypto/lms/tree_impl.hpp"

namespace quoin::core::lms {

template void fill_leaves<Sha256M32, Portable>(const Tree<Sha256M32>&, std::uint32_t,
                                               std::uint32_t);
template void finish_tree<Sha256M32, Portable>(const Tree<Sha256M32>&);
template Result<void> check_tree<Sha256M32, Portable>(const Tree<Sha256M32>&);
template void fill_leaves<Sha256M24, Portable>(const Tree<Sha256M24>&, std::uint32_t,
                                               std::uint32_t);
template void finish_tree<Sha256M24, Portable>(const Tree<Sha256M24>&);
template Result<void> check_tree<Sha256M24, Portable>(const Tree<Sha256M24>&);

}  // namespace quoin::core::lms
