#include "host/audit/line_reader.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include "host/audit/event.hpp"

namespace quoin::audit {

Result<LineReader> LineReader::open(const std::filesystem::path& file, std::uint64_t offset) {
    std::FILE* opened = std::fopen(file.c_str(), "re");
    if (opened == nullptr) {
        return fail(Code::input_not_found, "audit log {}: {}", file.string(), std::strerror(errno));
    }
    LineReader reader(opened, file, offset);
    if (::fseeko(opened, static_cast<off_t>(offset), SEEK_SET) != 0) {
        return fail(Code::resource_unavailable, "audit log {}: {}", file.string(),
                    std::strerror(errno));
    }
    return reader;
}

Result<std::optional<std::string>> LineReader::next() {
    for (;;) {
        const auto end = buffer_.find('\n', searched_);
        if (end != std::string::npos) {
            std::string line = buffer_.substr(begin_, end - begin_);
            offset_ += line.size() + 1;
            begin_ = searched_ = end + 1;
            if (line.size() > max_line_bytes) break;
            return line;
        }
        buffer_.erase(0, begin_);
        begin_ = 0;
        searched_ = buffer_.size();
        if (buffer_.size() > max_line_bytes) break;
        std::array<char, 64 * 1024> block{};
        std::clearerr(file_.get());  // the end of before may not be the end of now
        const std::size_t got = std::fread(block.data(), 1, block.size(), file_.get());
        if (got == 0) {
            if (std::ferror(file_.get()) == 0) return std::nullopt;
            return fail(Code::resource_unavailable, "audit log {}: {}", name_.string(),
                        std::strerror(errno));
        }
        buffer_.append(block.data(), got);
    }
    return fail(Code::integrity_mismatch, "audit log {}: a line is longer than {} bytes",
                name_.string(), max_line_bytes);
}

}  // namespace quoin::audit
