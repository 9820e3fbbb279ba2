// Lines of an audit file, one at a time, each at most max_line_bytes. Private to host/audit.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "host/error.hpp"

namespace quoin::audit {

class LineReader {
public:
    // `offset`: of the first byte of a line.
    static Result<LineReader> open(const std::filesystem::path& file, std::uint64_t offset = 0);
    // The next whole line without its newline; nullopt at the end. A line that has no newline yet
    // is not returned (unfinished_bytes tells); a too long one is integrity_mismatch. After the end
    // it may be called again: the file may have grown.
    Result<std::optional<std::string>> next();
    std::uint64_t offset() const { return offset_; }  // behind the line returned last
    std::size_t unfinished_bytes() const { return buffer_.size() - begin_; }

private:
    struct Closer {
        void operator()(std::FILE* file) const noexcept { std::fclose(file); }
    };
    LineReader(std::FILE* file, std::filesystem::path name, std::uint64_t offset)
        : file_(file), name_(std::move(name)), offset_(offset) {}

    std::unique_ptr<std::FILE, Closer> file_;
    std::filesystem::path name_;
    std::uint64_t offset_;
    std::string buffer_;
    std::size_t begin_ = 0;     // of what was read and not returned
    std::size_t searched_ = 0;  // no newline from begin_ to here
};

}  // namespace quoin::audit
