#include "host/keys/uri.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "host/keys/test_folder.hpp"

namespace quoin::keys {
namespace {

TEST(Uri, parse__place_and_options__kept_apart) {
    const auto uri = Uri::parse("tpm:tcti=swtpm:host=127.0.0.1,port=2321;dir=/a%3Bb;pcrs=0,7");
    ASSERT_TRUE(uri) << uri.error().message;
    EXPECT_EQ(uri->scheme(), "tpm");
    EXPECT_EQ(uri->place(), "");
    EXPECT_EQ(uri->value_or("tcti", ""), "swtpm:host=127.0.0.1,port=2321");
    EXPECT_EQ(uri->value_or("dir", ""), "/a;b");
    EXPECT_EQ(uri->value_or("auth", "none"), "none");
    EXPECT_TRUE(uri->check_options({"tcti", "dir", "pcrs"}));
    EXPECT_EQ(uri->check_options({"tcti", "dir"}).error().code, Code::input_invalid);
    EXPECT_EQ(Uri::parse("software:/x;unlock=/y")->place(), "/x");
    EXPECT_FALSE(Uri::parse("software:/x")->required("unlock"));
}

TEST(Uri, parse__malformed__input_invalid) {
    for (const char* text : {"", "software", ":x", "tpm:a=1;b", "tpm:=1", "tpm:a=1;a=2", "tpm:a=%4",
                             "tpm:a=%zz", "tpm:a=1\n", "software:a;b"}) {
        const auto uri = Uri::parse(text);
        ASSERT_FALSE(uri) << text;
        EXPECT_EQ(uri.error().code, Code::input_invalid);
    }
    EXPECT_FALSE(Uri::parse("software:" + std::string(max_uri_size, 'a')));
}

TEST(SecretFile, read__first_line_or_refused) {
    const TestFolder folder;
    const auto file = folder.path() / "pin";
    EXPECT_EQ(read_secret_file(file).error().code, Code::input_unauthenticated);
    std::ofstream(file) << "1234\nnot this\n";
    ::chmod(file.c_str(), 0640);
    EXPECT_EQ(read_secret_file(file).error().code, Code::config_invalid);
    ::chmod(file.c_str(), 0600);
    const auto secret = read_secret_file(file);
    ASSERT_TRUE(secret) << secret.error().message;
    EXPECT_EQ(secret->expose(), "1234");
    EXPECT_EQ(read_secret_file("")->expose(), "");
}

}  // namespace
}  // namespace quoin::keys
