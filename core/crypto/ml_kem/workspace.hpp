// What the operations work in, for each backend. Included by ml_kem.hpp.
#pragma once

#include "core/crypto/ml_kem/source_avx2.hpp"
#include "core/crypto/ml_kem/source_portable.hpp"
