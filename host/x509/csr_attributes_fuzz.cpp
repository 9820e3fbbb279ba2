// Any bytes as CSR attributes: refused, or identifiers that come back from their own encoding.
#include "host/x509/csr_attributes.hpp"

#include <algorithm>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto oids = quoin::x509::csr_attributes_from_der({data, size});
    if (!oids) return 0;
    const std::vector<std::string_view> views(oids->begin(), oids->end());
    const auto der = quoin::x509::csr_attributes_der(views);
    if (!der) std::abort();
    const auto again = quoin::x509::csr_attributes_from_der(*der);
    if (!again || *again != *oids) std::abort();
    return 0;
}
