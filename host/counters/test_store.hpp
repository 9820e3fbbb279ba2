// A folder with a store, and an anchor in memory that several processes of one test may share.
#pragma once

#include <gtest/gtest.h>

#include "host/counters/store.hpp"

namespace quoin::counters::test {

struct Counters {
    bool exist = false;
    std::uint64_t claims = 0;
    std::uint64_t generation = 0;
    bool is_gone = false;            // the TPM does not answer
    bool loses_answers = false;      // it counts, and its answer does not arrive
    std::uint64_t others_count = 0;  // increments by others, one before each of ours
};

class MemoryAnchor final : public Anchor {
public:
    // `on_step`: before and after each count.
    explicit MemoryAnchor(
        Counters& counters, void (*on_step)() = [] {})
        : counters_(&counters), on_step_(on_step) {}

    std::string uri() const override { return "memory:"; }
    Strength strength() const override { return Strength::hardware; }
    Result<std::uint64_t> create() override {
        if (counters_->exist) return fail(Code::input_conflict, "it counts already");
        counters_->exist = true;
        counters_->generation += 7;
        return counters_->generation;
    }
    Result<std::uint64_t> claims() override {
        const std::scoped_lock lock(mutex_);
        return read(counters_->claims);
    }
    Result<std::uint64_t> generation() override {
        const std::scoped_lock lock(mutex_);
        return read(counters_->generation);
    }
    Result<std::uint64_t> claim() override {
        const std::scoped_lock lock(mutex_);
        return count(counters_->claims);
    }
    Result<std::uint64_t> increment() override {
        const std::scoped_lock lock(mutex_);
        if (counters_->others_count > 0) {
            --counters_->others_count;
            ++counters_->generation;
        }
        return count(counters_->generation);
    }

private:
    Result<std::uint64_t> read(std::uint64_t value) const {
        if (counters_->is_gone) return fail(Code::resource_unavailable, "the TPM is gone");
        if (!counters_->exist) return fail(Code::input_not_found, "no such counter");
        return value;
    }
    Result<std::uint64_t> count(std::uint64_t& value) {
        on_step_();
        QUOIN_CHECK(read(value));
        ++value;
        on_step_();
        if (counters_->loses_answers) return fail(Code::resource_timeout, "no answer");
        return value;
    }

    inline static std::mutex mutex_;  // as a TPM, which is asked by one at a time
    Counters* counters_;
    void (*on_step_)();
};

class StoreTest : public testing::Test {
protected:
    StoreTest() {
        std::string name = (std::filesystem::temp_directory_path() / "quoin-XXXXXX").string();
        folder = ::mkdtemp(name.data());
        file = folder / "counters";
    }
    ~StoreTest() override { std::filesystem::remove_all(folder); }

    std::unique_ptr<Anchor> anchor() {
        if (!anchored) return nullptr;
        return std::make_unique<MemoryAnchor>(counters);
    }
    void create() {
        const auto made = Store::create(file, "test", anchor().get());
        ASSERT_TRUE(made) << made.error().message;
    }
    Result<std::unique_ptr<Store>> open(Options options = {}) {
        return Store::open(file, "test", anchor(), std::move(options));
    }
    std::unique_ptr<Store> must_open(Options options = {}) {
        auto opened = open(std::move(options));
        EXPECT_TRUE(opened) << opened.error().message;
        return opened ? *std::move(opened) : nullptr;
    }
    std::string content() const { return *files::read(file); }
    void put_back(std::string_view text) const {
        ASSERT_TRUE(files::write_atomically(file, text, 0600));
    }

    std::filesystem::path folder, file;
    Counters counters;
    bool anchored = true;
};

}  // namespace quoin::counters::test
