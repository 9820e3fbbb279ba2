#include "cli/demo/software_tpm.hpp"

#include <algorithm>
#include <chrono>

#include "cli/supervise/programs.hpp"
#include "host/files/files.hpp"
#include "host/keys/tpm/connection.hpp"

namespace quoin::cli {
namespace {

using keys::tpm::Connection;

constexpr std::size_t max_program_size = 256U << 20U;  // bytes
constexpr std::chrono::seconds answers_within{3};
constexpr int interval_ms = 5;

Result<void> extend(const Connection& tpm, const Measurement& measurement) {
    TPML_DIGEST_VALUES values{};
    values.count = 1;
    values.digests[0].hashAlg = TPM2_ALG_SHA256;
    std::ranges::copy(measurement.digest, values.digests[0].digest.sha256);
    const TSS2_RC code = Esys_PCR_Extend(tpm.esys(), ESYS_TR_PCR0 + measurement.pcr,
                                         ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &values);
    if (code != TSS2_RC_SUCCESS) return tpm.failed(code, "extending a PCR");
    return {};
}

Result<Connection> connect(const std::string& tcti, const Process& process) {
    const auto deadline = std::chrono::steady_clock::now() + answers_within;
    while (true) {
        auto connection = Connection::open(tcti);
        if (connection || std::chrono::steady_clock::now() > deadline) return connection;
        if (wait_for_end(process, interval_ms)) return connection;
    }
}

}  // namespace

Result<Measurement> measure_program(std::uint32_t pcr, const Descriptor& program) {
    QUOIN_TRY(const std::string content, files::read(descriptor_path(program), max_program_size));
    QUOIN_TRY(const auto digest, crypto::sha256(bytes_of(content)));
    return Measurement{.pcr = pcr, .digest = digest};
}

ProcessSpec SoftwareTpm::process(std::string name, const Descriptor& swtpm) const {
    // Who may reach the sockets, decides the folder. tpm2-tss needs the control socket too, and who
    // has that can reset the TPM, and with it the PCRs: no device's agent could do that to a chip.
    return {.name = std::move(name),
            .program = swtpm.number(),
            .arguments = {"socket", "--tpm2", "--tpmstate", "dir=" + (folder / "state").string(),
                          "--server", "type=unixio,mode=0666,path=" + socket().string(), "--ctrl",
                          "type=unixio,mode=0666,path=" + socket().string() + ".ctrl", "--flags",
                          "not-need-init,startup-clear"},
            .folder = folder,
            .ready = [tcti = tcti(), boot = boot](const Process& process) -> Result<void> {
                QUOIN_TRY(const Connection tpm, connect(tcti, process));
                for (const Measurement& measurement : boot) QUOIN_CHECK(extend(tpm, measurement));
                return {};
            }};
}

}  // namespace quoin::cli
