// Memory files for what may touch no disk (I11): one that nobody can change any more, and one that
// only its maker can.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "host/descriptor.hpp"
#include "host/error.hpp"

namespace quoin::cli {

// `name` is for /proc listings only. The file is sealed against writing, growing and shrinking.
Result<Descriptor> sealed_file(const char* name, std::string_view content);

// A file of PEM that is written again while another program has it open: through a mapping that was
// made before the seals, which nobody else can have (F_SEAL_FUTURE_WRITE). Its size is fixed; what
// is not used is blank lines. Who reads while it is written may see a part of each: tell him to
// read when it is done. Threads: one writer.
class RewritableFile {
public:
    static Result<RewritableFile> make(const char* name, std::size_t size);
    // The whole content; longer than `size` is input_invalid, and the file as it was.
    Result<void> write(std::string_view content);
    const Descriptor& descriptor() const { return file_; }

private:
    struct Unmap {
        std::size_t size = 0;
        void operator()(char* memory) const noexcept;  // wiped before
    };
    RewritableFile(Descriptor file, std::unique_ptr<char, Unmap> memory)
        : file_(std::move(file)), memory_(std::move(memory)) {}
    Descriptor file_;
    std::unique_ptr<char, Unmap> memory_;
};

}  // namespace quoin::cli
