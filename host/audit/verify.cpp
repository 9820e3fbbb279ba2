#include "host/audit/verify.hpp"

#include "host/audit/line_reader.hpp"

namespace quoin::audit {

Result<ChainChecker> ChainChecker::make(std::span<const crypto::PublicKey> earlier,
                                        const crypto::PublicKey& present) {
    ChainChecker checker;
    for (const crypto::PublicKey& key : earlier) {
        QUOIN_TRY(std::string id, key_id(key));
        checker.keys_.emplace(std::move(id), key);
    }
    QUOIN_TRY(checker.present_, key_id(present));
    checker.keys_.emplace(checker.present_, present);
    return checker;
}

Result<Event> ChainChecker::check(std::string_view text) {
    QUOIN_TRY(Line line, decode(text));
    if (started_ && line.event.number != number_ + 1) {
        return fail(Code::integrity_mismatch,
                    "number {} where {} must be: lines are missing or moved", line.event.number,
                    number_ + 1);
    }
    if (started_ && line.previous != head_) {
        return fail(
            Code::integrity_mismatch,
            "the chain is broken: this line, or the one before it, is not as it was written");
    }
    if (line.event.id == Id::audit_chain_checkpoint) {
        QUOIN_CHECK(check_signature(line));
        covered_ = line.event.number;
    }
    QUOIN_TRY(head_, crypto::sha3_512(bytes_of(text)));
    number_ = line.event.number;
    started_ = true;
    return std::move(line.event);
}

Result<void> ChainChecker::check_signature(const Line& line) {
    QUOIN_TRY(const Checkpoint checkpoint, checkpoint_of(line.event));
    const auto key = keys_.find(checkpoint.key_id);
    if (key == keys_.end()) {
        return fail(Code::integrity_signature,
                    "the checkpoint is signed by key {}, which is not trusted here",
                    checkpoint.key_id.substr(0, 16));
    }
    const std::string message =
        checkpoint_message(line.event.number, line.event.time_ms, line.previous);
    if (!key->second.verify(bytes_of(message), checkpoint.signature,
                            bytes_of(checkpoint_context))) {
        return fail(Code::integrity_signature, "the signature of the checkpoint is wrong");
    }
    if (checkpoint.key_id == signer_) return {};
    if (by_present_key() || replaced_.contains(checkpoint.key_id)) {
        return fail(Code::integrity_signature,
                    "the checkpoint is signed by key {}, which another key has replaced before",
                    checkpoint.key_id.substr(0, 16));
    }
    if (!signer_.empty()) replaced_.insert(signer_);
    signer_ = checkpoint.key_id;
    return {};
}

Result<Report> verify(const std::filesystem::path& file, std::span<const crypto::PublicKey> earlier,
                      const crypto::PublicKey& present) {
    QUOIN_TRY(ChainChecker checker, ChainChecker::make(earlier, present));
    QUOIN_TRY(LineReader reader, LineReader::open(file));
    Report report;
    for (;;) {
        auto line = reader.next();
        if (!line && line.error().code != Code::integrity_mismatch)
            return std::unexpected(line.error());
        if (line && !*line) break;
        auto event = line ? checker.check(**line) : Result<Event>(std::unexpected(line.error()));
        if (!event) {
            report.problem = Problem{report.lines + 1, event.error().message};
            break;
        }
        if (report.lines++ == 0) report.first_ms = event->time_ms;
        report.last_ms = event->time_ms;
        if (event->id == Id::audit_chain_checkpoint)
            ++report.checkpoints;
        else
            ++report.counts[row(event->id).name];
    }
    report.last_number = checker.number();
    report.covered_number = checker.covered_number();
    report.signer = checker.signer();
    report.by_present_key = checker.by_present_key();
    if (!report.problem) report.unfinished_bytes = reader.unfinished_bytes();
    return report;
}

}  // namespace quoin::audit
