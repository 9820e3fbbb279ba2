#include "server/pki/record.hpp"

#include <openssl/crypto.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <format>

namespace quoin::server {
namespace {

constexpr std::size_t group_size = 8;      // hex digits
constexpr std::size_t groups_in_line = 4;  // so that two people can read it to each other
constexpr std::size_t max_witnesses = 16;
constexpr std::size_t max_witness_size = 128;  // bytes
constexpr std::string_view rule =
    "------------------------------------------------------------------------------\n";

std::string utc(std::int64_t ms) {
    const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(ms)};
    return std::format("{:%F %T} UTC", std::chrono::floor<std::chrono::seconds>(time));
}

std::string fingerprint(std::string_view hex) {
    std::string text;
    for (std::size_t i = 0; i < hex.size(); i += group_size) {
        const std::size_t group = i / group_size;
        if (group > 0) text += group % groups_in_line == 0 ? "\n               " : " ";
        text += hex.substr(i, group_size);
    }
    return text;
}

Result<std::string> describe(const CeremonyRecord::Made& made) {
    const x509::Certificate& certificate = made.certificate;
    QUOIN_TRY(const auto public_key, certificate.public_key());
    QUOIN_TRY(const auto algorithm, public_key.algorithm());
    QUOIN_TRY(const auto sha256, certificate.sha256());
    QUOIN_TRY(const auto sha3_512, certificate.sha3_512());
    return fmt::format(
        "{}: {}\n"
        "  algorithm    {}\n"
        "  serial       {}\n"
        "  valid from   {}\n"
        "  valid until  {}\n"
        "  SHA-256      {}\n"
        "  SHA3-512     {}\n\n",
        made.what, certificate.common_name(), crypto::info(algorithm).name,
        certificate.serial_hex(), utc(certificate.not_before_ms()), utc(certificate.not_after_ms()),
        fingerprint(crypto::to_hex(sha256)), fingerprint(crypto::to_hex(sha3_512)));
}

std::string machine() {
    utsname name{};
    return ::uname(&name) == 0
               ? fmt::format("{} ({} {})", name.nodename, name.sysname, name.release)
               : "unknown";
}

std::string signature_line(std::string_view name) {
    return fmt::format(
        "{}\n\n  signature ______________________________   date ________________\n\n", name);
}

}  // namespace

Result<void> check_witnesses(const std::vector<std::string>& witnesses) {
    if (witnesses.size() > max_witnesses) {
        return fail(Code::input_invalid, "more than {} witnesses", max_witnesses);
    }
    for (const std::string& name : witnesses) {
        const auto is_control = [](char c) {
            return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
        };
        if (name.empty() || name.size() > max_witness_size ||
            std::ranges::any_of(name, is_control)) {
            return fail(Code::input_invalid,
                        "the name of a witness must have 1 to {} bytes, and no control characters",
                        max_witness_size);
        }
    }
    return {};
}

Result<std::string> ceremony_text(const CeremonyRecord& record) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    QUOIN_TRY(const auto profile_digest, crypto::sha3_512(bytes_of(record.profile.text)));
    std::string text = fmt::format(
        "QUOIN CEREMONY RECORD\n{}"
        "plant          {}\n"
        "act            {}\n"
        "time           {}\n"
        "machine        {}, user id {}\n"
        "program        quoin {}, {}\n"
        "suite          {}\n"
        "profile        {}\n"
        "  (SHA3-512)\n",
        rule, record.site, record.act,
        utc(std::chrono::duration_cast<std::chrono::milliseconds>(now).count()), machine(),
        ::getuid(), QUOIN_VERSION, OpenSSL_version(OPENSSL_VERSION),
        tls::info(record.profile.suite).name, fingerprint(crypto::to_hex(profile_digest)));
    for (const std::string& name : record.witnesses)
        text += fmt::format("witness        {}\n", name);
    text += fmt::format("{}\nWHAT WAS MADE\n\n", rule);
    for (const CeremonyRecord::Made& made : record.made) {
        QUOIN_TRY(const std::string lines, describe(made));
        text += lines;
    }
    text += fmt::format("{}\nNEXT STEPS\n\n", rule);
    int number = 0;
    for (const std::string& step : record.next_steps) {
        text += fmt::format("[ ] {}. {}\n", ++number, step);
    }
    text += fmt::format("\n{}\nSIGNATURES\n\n", rule);
    text += signature_line("Who did it:");
    for (const std::string& name : record.witnesses) text += signature_line(name);
    if (record.witnesses.empty()) text += signature_line("Witness:");
    return text;
}

}  // namespace quoin::server
