// The parameter sets and backends that every typed test runs.
#pragma once

#include <gtest/gtest.h>

#include "core/crypto/ml_dsa/fixture.hpp"

namespace quoin::core::ml_dsa::fixture {

template <class SetType, class BackendType>
struct Parameters {
    using Set = SetType;
    using Backend = BackendType;
};

using PlainParameters = testing::Types<Parameters<Set44, Portable>, Parameters<Set65, Portable>,
                                       Parameters<Set87, Portable>, Parameters<Set44, LowMemory>,
                                       Parameters<Set65, LowMemory>, Parameters<Set87, LowMemory>>;
using X86Parameters =
    testing::Types<Parameters<Set44, Portable>, Parameters<Set65, Portable>,
                   Parameters<Set87, Portable>, Parameters<Set44, Avx2>, Parameters<Set65, Avx2>,
                   Parameters<Set87, Avx2>, Parameters<Set44, Avx512>, Parameters<Set65, Avx512>,
                   Parameters<Set87, Avx512>, Parameters<Set44, LowMemory>,
                   Parameters<Set65, LowMemory>, Parameters<Set87, LowMemory>>;
using AllParameters = std::conditional_t<avx2_is_built, X86Parameters, PlainParameters>;

}  // namespace quoin::core::ml_dsa::fixture
